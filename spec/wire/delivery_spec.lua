local R = require "wire.records"
local K = R.kinds
for _, kind in ipairs { "ack", "cannot-open", "closed", "want", "lacks" } do R.codecs[kind] = R.codecs.delivery end

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

for number, kind in ipairs { "want", "lacks" } do
  local record = about_payload(kind)
  record[#record] = { "after", 3 }
  local after = { table.unpack(fields) }
  after[#after] = { path = { "after" }, kind = K.integer(0, 9007199254740991) }
  describe(kind, function()
    R.check(kind, record, after)
    it("is told apart, and may begin at the beginning", function()
      assert.equal(number + 2, R.taken(R.codecs.delivery, R.text(record)).type)
      record[#record] = { "after", 0 }
      assert.equal(0, R.taken(R.codecs.delivery, R.text(record)).sequence)
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
    assert.equal("bad_params", select(2, R.codecs.delivery.encode { type = 5, discussion = R.id(1) }))
    assert.equal("bad_params", select(2, R.codecs.delivery.encode {
      type = 0, discussion = R.id(1), sender = R.fingerprint(1), sequence = 0 }))
    assert.equal("bad_params", select(2, R.codecs.delivery.encode { type = 2 }))
  end)
end)
