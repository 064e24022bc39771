local R = require "wire.records"
local K = R.kinds
R.codecs.ack, R.codecs["cannot-open"], R.codecs.closed = R.codecs.delivery, R.codecs.delivery, R.codecs.delivery

local function about_payload(kind)
  return {
    { "v", 1 }, { "type", kind }, { "discussion", R.id(1) }, { "epoch", 2 }, { "sender", R.fingerprint(1) },
      { "sequence", 3 },
  }
end
local fields = {
  { path = { "discussion" }, kind = K.id() },
  { path = { "epoch" }, kind = K.epoch() },
  { path = { "sender" }, kind = K.fingerprint() },
  { path = { "sequence" }, kind = K.integer(1, 9007199254740991) },
}

for number, kind in ipairs { "ack", "cannot-open" } do
  describe(kind, function()
    R.check(kind, about_payload(kind), fields)
    it("is told apart", function()
      assert.equal(number - 1, R.taken(R.codecs.delivery, R.text(about_payload(kind))).type)
    end)
  end)
end

describe("closed", function()
  local closed = { { "v", 1 }, { "type", "closed" }, { "discussion", R.id(1) } }
  R.check("closed", closed, { { path = { "discussion" }, kind = K.id() } })
  it("is told apart", function()
    assert.equal(2, R.taken(R.codecs.delivery, R.text(closed)).type)
  end)
end)

describe("delivery", function()
  it("encodes no other type, and no sequence 0", function()
    assert.equal("bad_params", select(2, R.codecs.delivery.encode { type = 3, discussion = R.id(1) }))
    assert.equal("bad_params", select(2, R.codecs.delivery.encode {
      type = 0, discussion = R.id(1), sender = R.fingerprint(1), sequence = 0 }))
    assert.equal("bad_params", select(2, R.codecs.delivery.encode { type = 2 }))
  end)
end)
