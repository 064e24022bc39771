local fixture = require "store.fixture"

local function epoch(n, t)
  local e = { epoch = n, roster = '{"type":"roster","epoch":' .. n .. "}", roster_hash = fixture.bytes(32, n),
    head = fixture.bytes(32, n + 100) }
  for k, v in pairs(t or {}) do e[k] = v end
  return e
end

local function member(n, t)
  local m = {
    fingerprint = fixture.fingerprint(n), position = n, certificate = fixture.bytes(391, n),
    certificate_fingerprint = fixture.fingerprint(n + 100), key_id = ("%016X"):format(n),
    binding = fixture.bytes(119, n),
    general = fixture.bytes(391, n + 7), addresses = { "192.0.2." .. n .. ":4788" }, verified = n % 2 == 0,
  }
  for k, v in pairs(t or {}) do m[k] = v end
  return m
end

describe("epochs", function()
  local f, s
  local d, other = fixture.id(1), fixture.id(2)
  before_each(function()
    f = fixture.new(2)
    s = f.s
  end)
  after_each(function() f.done() end)

  it("keeps a roster's exact bytes over a restart, and reads them while locked", function()
    local odd = epoch(0, { roster = '{ "b":1,\n"a":2 }\0' })
    assert(s:epoch_create(d, odd))
    f.close()
    f.s = assert(f.open())
    assert.same(odd, f.s:epoch_get(d, 0))
    assert.equal("not_found", select(2, f.s:epoch_get(d, 1)))
    assert.equal("not_found", select(2, f.s:epoch_get(other, 0)))
    assert.equal("not_found", select(2, f.s:epoch_get(fixture.id(3), 0)))
  end)

  it("never replaces a roster", function()
    assert(s:epoch_create(d, epoch(0)))
    assert.equal("wrong_state", select(2, s:epoch_create(d, epoch(0, { roster = "other" }))))
    assert.same(epoch(0), s:epoch_get(d, 0))
    assert.equal("not_found", select(2, s:epoch_create(fixture.id(3), epoch(0))))
    assert.equal("too_large", select(2, s:epoch_create(d, epoch(1, { roster = ("r"):rep(65537) }))))
  end)

  it("lists epochs rising, those of one discussion", function()
    for _, n in ipairs { 10, 2, 0 } do assert(s:epoch_create(d, epoch(n))) end
    assert(s:epoch_create(other, epoch(5)))
    local got = {}
    for i, e in ipairs(s:epoch_each(d)) do got[i] = e.epoch end
    assert.same({ 0, 2, 10 }, got)
    local seen = 0
    s:epoch_each(d, function()
      seen = seen + 1
      return false
    end)
    assert.equal(1, seen)
  end)

  it("P2.10 keeps each member's certificates and binding, in roster order", function()
    for _, n in ipairs { 2, 0, 1 } do assert(s:member_put(d, 0, member(n))) end
    assert(s:member_put(other, 0, member(5)))
    assert(s:member_put(d, 1, member(6)))
    s = f.reopen()
    assert.same({ member(0), member(1), member(2) }, s:member_each(d, 0))
    assert.same({ member(6) }, s:member_each(d, 1))
    assert.same({}, s:member_each(d, 2))
    assert(s:member_put(d, 0, member(1, { verified = true })))
    assert.is_true(s:member_each(d, 0)[2].verified)
  end)

  it("refuses malformed members", function()
    for _, t in ipairs {
      { fingerprint = "A" }, { certificate_fingerprint = ("a"):rep(40) }, { key_id = ("a"):rep(16) }, { key_id = "A" },
    } do
      assert.equal("bad_params", select(2, s:member_put(d, 0, member(1, t))))
    end
    assert(s:member_put(d, 0, member(1, { position = 63 })))
    for _, t in ipairs { { position = 64 }, { general = ("x"):rep(65537) }, { binding = ("x"):rep(65537) } } do
      assert.equal("too_large", select(2, s:member_put(d, 0, member(1, t))))
    end
    assert.equal("not_found", select(2, s:member_put(fixture.id(3), 0, member(1))))
  end)
end)
