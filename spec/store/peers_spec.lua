local fixture = require "store.fixture"

local function peer(n, t)
  local p = {
    fingerprint = fixture.fingerprint(n), name = "peer " .. n, certificate = fixture.bytes(391, n),
    presence_key = fixture.bytes(32, n), presence_since = 17, certification = fixture.bytes(119, n),
    record = '{"v":1}', record_signature = fixture.bytes(64, n), record_sequence = 1700000000000, record_expiry = 9,
    addresses = { "192.0.2.7:4788", "[2001:db8::7]:4788" }, source = "lan", proven = true, pinned = false, known = true,
    last_seen = 1700000000001,
  }
  for k, v in pairs(t or {}) do p[k] = v end
  return p
end

describe("peers", function()
  local f, s
  before_each(function()
    f = fixture.new()
    s = f.s
  end)
  after_each(function() f.done() end)

  it("keeps every field over a restart, and works while locked", function()
    s:lock()
    local bare = { fingerprint = fixture.fingerprint(2), name = "", source = "file", record_signature = ("\0"):rep(64) }
    assert(s:peer_put(peer(1)))
    assert(s:peer_put(bare))
    f.close()
    f.s = assert(f.open())
    assert.same(peer(1), f.s:peer_get(fixture.fingerprint(1)))
    local got = f.s:peer_get(fixture.fingerprint(2))
    assert.is_nil(got.certificate)
    assert.is_nil(got.presence_key)
    assert.is_nil(got.certification)
    assert.is_nil(got.record)
    assert.same({}, got.addresses)
    assert.same({ false, false, false }, { got.proven, got.pinned, got.known })
  end)

  it("replaces as a whole", function()
    assert(s:peer_put(peer(1)))
    local other = peer(1, { name = "new", pinned = true, addresses = { "198.51.100.1:1" } })
    assert(s:peer_put(other))
    assert.same(other, s:peer_get(fixture.fingerprint(1)))
    assert.equal(1, #s:peer_each())
  end)

  it("lists by fingerprint, until the visitor has enough", function()
    for _, n in ipairs { 3, 1, 2 } do assert(s:peer_put(peer(n))) end
    local names = {}
    for i, p in ipairs(s:peer_each()) do names[i] = p.name end
    assert.same({ "peer 1", "peer 2", "peer 3" }, names)
    local seen = 0
    s:peer_each(function()
      seen = seen + 1
      return seen < 2
    end)
    assert.equal(2, seen)
  end)

  it("deletes", function()
    assert(s:peer_put(peer(1)))
    assert(s:peer_delete(fixture.fingerprint(1)))
    assert.is_nil(s:peer_get(fixture.fingerprint(1)))
    assert.equal("not_found", select(2, s:peer_delete(fixture.fingerprint(1))))
  end)

  it("refuses bad fingerprints, too many or odd addresses, oversized blobs", function()
    assert.equal("bad_params", select(2, s:peer_put(peer(1, { fingerprint = "ABC" }))))
    assert.equal("bad_params", select(2, s:peer_delete("ABC")))
    local eight = {}
    for i = 1, 8 do eight[i] = "192.0.2." .. i .. ":1" end
    assert(s:peer_put(peer(1, { addresses = eight })))
    assert.same(eight, s:peer_get(fixture.fingerprint(1)).addresses)
    eight[9] = "192.0.2.9:1"
    assert.equal("too_large", select(2, s:peer_put(peer(1, { addresses = eight }))))
    for _, bad in ipairs { "", "a\nb", "a\tb" } do
      assert.equal("bad_params", select(2, s:peer_put(peer(1, { addresses = { bad } }))))
    end
    local long = ("x"):rep(271)
    assert(s:peer_put(peer(1, { addresses = { long } })))
    assert.same({ long }, s:peer_get(fixture.fingerprint(1)).addresses)
    for _, field in ipairs { "certificate", "certification", "record" } do
      assert.equal("too_large", select(2, s:peer_put(peer(1, { [field] = ("x"):rep(65537) }))))
    end
    assert.equal("bad_params", select(2, s:peer_put(peer(1, { record_sequence = -1 }))))
  end)

  it("makes room by dropping the stranger seen longest ago, never a known or pinned peer", function()
    f.close()
    f.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
      .. "INSERT INTO peers SELECT printf('%040X', i), '', NULL, NULL, 0, NULL, NULL, zeroblob(64), 0, 0, "
      .. "x'', 'lan', 0, i = 1, i > 3, i FROM n")
    s = f.reopen()
    assert(s:peer_put(peer(1)))
    assert.is_nil(s:peer_get(("%040X"):format(2)))
    assert(s:peer_get(("%040X"):format(1)))
    assert(s:peer_put(peer(2)))
    assert.is_nil(s:peer_get(("%040X"):format(3)))
    local _, code = s:peer_put(peer(3))
    assert.equal("too_large", code)
    assert(s:peer_put(peer(1, { name = "again" })))
    assert.equal(10000, #s:peer_each())
  end)

  it("says so where a row does not fit its struct", function()
    assert(s:peer_put(peer(1)))
    assert(s:peer_put(peer(2)))
    f.close()
    f.sql("UPDATE peers SET presence_key = x'00' WHERE fingerprint = '" .. fixture.fingerprint(1) .. "'")
    s = f.reopen()
    local _, code, text = s:peer_each()
    assert.equal("io", code)
    assert.truthy(text:find("damaged", 1, true))
    assert(s:peer_put(peer(1)))
    assert.equal(2, #s:peer_each())
  end)
end)
