local fixture = require "store.fixture"

local function rekey(n, t)
  local r = {
    epoch = 0, member = fixture.fingerprint(1), sequence = n, key_id = ("%016X"):format(n), time = 1000 + n,
    certificate = fixture.bytes(391, n),
  }
  for k, v in pairs(t or {}) do r[k] = v end
  return r
end

describe("rekeys", function()
  local f, s
  local d, other = fixture.id(1), fixture.id(2)
  before_each(function()
    f = fixture.new(2)
    s = f.s
  end)
  after_each(function() f.done() end)

  it("P4.2 keeps them in the order in which they came, and reads them while locked", function()
    local list = { rekey(5), rekey(9), rekey(2, { member = fixture.fingerprint(2) }), rekey(1, { epoch = 1 }) }
    for _, r in ipairs(list) do assert(s:rekey_append(d, r)) end
    assert(s:rekey_append(other, rekey(7)))
    f.close()
    f.s = assert(f.open())
    assert.same(list, f.s:rekey_each(d))
    assert.same({ rekey(7) }, f.s:rekey_each(other))
    assert.equal("not_found", select(2, f.s:rekey_each(fixture.id(3))))
    local seen = 0
    f.s:rekey_each(d, function()
      seen = seen + 1
      return false
    end)
    assert.equal(1, seen)
  end)

  it("P4.2 takes one of a payload", function()
    assert(s:rekey_append(d, rekey(5)))
    assert.equal("wrong_state", select(2, s:rekey_append(d, rekey(5, { key_id = ("F"):rep(16) }))))
    assert(s:rekey_append(d, rekey(5, { epoch = 1 })))
    assert(s:rekey_append(d, rekey(5, { member = fixture.fingerprint(2) })))
    assert.equal(3, #s:rekey_each(d))
  end)

  it("refuses what is malformed", function()
    assert.equal("bad_params", select(2, s:rekey_append(d, rekey(5, { member = "A" }))))
    assert.equal("bad_params", select(2, s:rekey_append(d, rekey(0))))
    assert.equal("too_large", select(2, s:rekey_append(d, rekey(5, { certificate = ("x"):rep(1025) }))))
    assert.equal("not_found", select(2, s:rekey_append(fixture.id(3), rekey(5))))
    assert.same({}, s:rekey_each(d))
  end)

  it("P4.4 goes with its discussion", function()
    assert(s:rekey_append(d, rekey(5)))
    assert(s:rekey_append(other, rekey(6)))
    assert(s:discussion_forget(d))
    f.close()
    assert.same({ { 6 } }, f.sql "SELECT sequence FROM rekeys")
  end)
end)
