local fixture = require "store.fixture"

describe("messages", function()
  local f
  local discussion = fixture.id(1)
  before_each(function()
    f = fixture.new()
    assert(f.s:discussion_create(fixture.discussion(1)))
  end)
  after_each(function() f.done() end)

  it("P3.10 keep the nonce their id was made of, until a payload carries it", function()
    local nonce = "0123456789abcdef"
    assert(f.s:message_insert(fixture.message(1, { nonce = nonce })))
    assert(f.s:message_insert(fixture.message(2)))
    f.reopen()
    local list = f.s:message_each_waiting(discussion, "queued", 10000)
    assert.equal(nonce, list[1].nonce)
    assert.is_nil(list[2].nonce)
    assert.equal("text number 1", list[1].text)
    assert.equal(nonce, f.s:message_get(fixture.id(1)).nonce)
    assert.equal("bad_params", select(2, f.s:message_insert(fixture.message(3, { nonce = "short" }))))
    assert.equal("bad_params", select(2, f.s:message_each_waiting(discussion, "queued", 10001)))
    assert.equal("bad_params", select(2, f.s:message_list(discussion, { limit = 1001 })))
  end)
end)
