local fixture = require "store.fixture"

describe("joinings", function()
  local f, s
  local d, other = fixture.id(1), fixture.id(2)
  local invite = '{"type":"invite","secret":"who is in it"}'
  before_each(function()
    f = fixture.new(2)
    s = f.s
  end)
  after_each(function() f.done() end)

  it("keeps an invitation over a restart, and whether it is accepted", function()
    assert(s:joining_put(d, { accepted = 0, invite = invite }))
    assert.same({ accepted = 0, invite = invite }, s:joining_get(d))
    assert(s:joining_put(d, { accepted = 1, invite = invite .. "2" }))
    s = f.reopen()
    assert.same({ accepted = 1, invite = invite .. "2" }, s:joining_get(d))
    assert.equal("not_found", select(2, s:joining_get(other)))
  end)

  it("keeps none of a discussion that is not there", function()
    assert.equal("not_found", select(2, s:joining_put(fixture.id(3), { accepted = 0, invite = invite })))
    assert.equal("not_found", select(2, s:joining_get(fixture.id(3))))
  end)

  it("P4.4 seals it: nothing can be read or written while the store is locked, and nothing stands in the file", function()
    assert(s:joining_put(d, { accepted = 0, invite = invite }))
    assert.is_nil(f.files():find("who is in it", 1, true))
    f.close()
    f.s = assert(f.open())
    assert.equal("locked", select(2, f.s:joining_get(d)))
    assert.equal("locked", select(2, f.s:joining_put(d, { accepted = 0, invite = invite })))
  end)

  it("does not open in another discussion's place", function()
    assert(s:joining_put(d, { accepted = 0, invite = invite }))
    f.close()
    f.sql "UPDATE joinings SET discussion = (SELECT number FROM discussions ORDER BY number DESC LIMIT 1)"
    s = f.reopen()
    assert.equal("crypto", select(2, s:joining_get(other)))
  end)

  it("refuses one that is too large", function()
    assert.equal("too_large", select(2, s:joining_put(d, { accepted = 0, invite = ("x"):rep(256 * 1024 + 1) })))
    assert(s:joining_put(d, { accepted = 0, invite = ("x"):rep(256 * 1024) }))
  end)

  it("goes with its discussion, and by itself", function()
    assert(s:joining_put(d, { accepted = 0, invite = invite }))
    assert(s:joining_put(other, { accepted = 0, invite = invite }))
    assert(s:joining_drop(d))
    assert(s:joining_drop(d))
    assert.equal("not_found", select(2, s:joining_get(d)))
    assert(s:discussion_forget(other))
    f.close()
    assert.same({ { 0 } }, f.sql "SELECT count(*) FROM joinings")
  end)
end)
