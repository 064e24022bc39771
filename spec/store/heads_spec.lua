local fixture = require "store.fixture"

describe("heads", function()
  local f, s
  local d, me, you = fixture.id(1), fixture.fingerprint(0), fixture.fingerprint(1)
  before_each(function()
    f = fixture.new()
    s = f.s
    assert(s:discussion_create(fixture.discussion(1)))
  end)
  after_each(function() f.done() end)

  it("P3.10 starts at 0 and follows the payloads", function()
    assert.same({ sender = me, sequence = 0, hash = ("\0"):rep(32) }, s:head_get(d, 0, me))
    local hash = fixture.bytes(32)
    assert(s:payload_append(fixture.payload(1)))
    assert(s:payload_append(fixture.payload(2, { hash = hash })))
    assert.same({ sender = me, sequence = 2, hash = hash }, f.reopen():head_get(d, 0, me))
    assert.equal(0, f.s:head_get(d, 1, me).sequence)
  end)

  it("P2.12 tells each member's in each epoch", function()
    for n = 1, 3 do assert(s:payload_append(fixture.payload(n, { sender = you }))) end
    assert(s:payload_append(fixture.payload(1)))
    assert(s:payload_append(fixture.payload(1, { epoch = 1 })))
    local function head(epoch, who) return s:head_get(d, epoch, who).sequence end
    assert.same({ 1, 3, 1, 0 }, { head(0, me), head(0, you), head(1, me), head(1, you) })
  end)

  it("P3.7 lets acknowledgements rise only", function()
    assert.equal(0, s:ack_get(d, 0, you))
    assert(s:ack_put(d, 0, you, 5))
    assert(s:ack_put(d, 0, you, 3))
    assert.equal(5, s:ack_get(d, 0, you))
    assert(s:ack_put(d, 0, you, 6))
    assert(s:ack_put(d, 1, you, 1))
    assert.equal(6, f.reopen():ack_get(d, 0, you))
    assert.equal(1, f.s:ack_get(d, 1, you))
    assert.equal(0, f.s:ack_get(d, 0, me))
  end)

  it("refuses what is malformed or unknown", function()
    assert.equal("bad_params", select(2, s:head_get(d, 0, "A")))
    assert.equal("not_found", select(2, s:head_get(fixture.id(2), 0, me)))
    assert.equal("bad_params", select(2, s:ack_put(d, 0, you, 0)))
    assert.equal("bad_params", select(2, s:ack_put(d, 0, you, -1)))
    assert(s:ack_put(d, 0, you, 1 << 53))
    assert.equal("not_found", select(2, s:ack_put(fixture.id(2), 0, you, 1)))
    assert.equal("not_found", select(2, s:ack_get(fixture.id(2), 0, you)))
  end)
end)
