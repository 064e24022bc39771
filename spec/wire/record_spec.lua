local wire = require "support.wire"
local R = require "wire.records"

local function peek(text)
  local got, name, why = wire.peek_type(text)
  return got, name, why
end

describe("record", function()
  it("tells its type to who must choose a decoder", function()
    assert.equal("ack", peek '{"v":1,"type":"ack"}')
    assert.equal(("x"):rep(32), peek('{"type":"' .. ("x"):rep(32) .. '","v":1}'))
    for _, bad in ipairs { '{"v":1}', '{"type":"a"}', '{"v":2,"type":"a"}', '{"v":1,"type":""}', '{"v":1,"type":1}',
      '{"v":true,"type":"a"}',
      '{"v":1,"type":"' .. ("x"):rep(33) .. '"}', '{"v":1,"type":"a"', "[]", "" } do
      local got, name = peek(bad)
      assert.is_nil(got)
      assert.equal("bad_input", name)
    end
    assert.equal("too_large", select(2, peek('{"v":1,"type":"a","x":' .. ("["):rep(9))))
  end)

  it("names the field, its place in a list and its place in an object", function()
    local member = { { "fingerprint", R.fingerprint(1) }, { "certificate", R.b64(R.bytes(32)) }, { "key",
      R.key_id(1) } }
    local roster = { { "v", 1 }, { "type", "roster" }, { "discussion", R.id(1) }, { "epoch", 0 },
      { "charter", R.b64(R.bytes(32)) }, { "members", { array = { member, member } } } }
    local function why(text) return select(3, R.codecs.roster.decode(text)) end
    assert.equal("members[1].key: must be a string", why(R.text(R.with(roster, { "members", 2, "key" }, 1))))
    assert.equal("members[0].certificate: is missing", why(R.text(R.with(roster, { "members", 1, "certificate" },
      nil))))
    assert.equal("members[1]: must be an object", why(R.text(R.with(roster, { "members", 2 }, 5))))
    assert.equal("members: must be an array", why(R.text(R.with(roster, { "members" }, "x"))))
    assert.equal("members: must be 2 to 64 elements", why(R.text(R.with(roster, { "members" },
      { array = { member } }))))
    assert.equal("epoch: must be 0 to 4294967295", why(R.text(R.with(roster, { "epoch" }, -1))))
    assert.equal("v: must be 1", why(R.text(R.with(roster, { "v" }, 2))))
    assert.equal("type: must be roster", why(R.text(R.with(roster, { "type" }, "hello"))))
  end)

  it("keeps the first failure", function()
    local _, _, why = R.codecs["hello-answer"].decode '{"v":1,"type":"hello-answer"}'
    assert.equal("nonce: is missing", why)
  end)

  it("writes strings so that they mean what they meant, in the size it said", function()
    local parts = {}
    for c = 1, 127 do parts[#parts + 1] = string.char(c) end
    local text = table.concat(parts) .. "\u{80}\u{7ff}\u{2028}\u{ffff}\u{10ffff}/"
    local endpoint = { fingerprint = R.fingerprint(1), key = R.bytes(32), sequence = 1, issued_ms = 0, expires_ms = 1,
      since_ms = 0, endpoints = {}, general = R.bytes(32) }
    local empty = assert(R.codecs.presence.encode(endpoint))
    for _, code in utf8.codes(text) do
      local c = utf8.char(code)
      endpoint.name = c
      local record = assert(R.codecs.presence.encode(endpoint))
      assert.equal(c, assert(R.codecs.presence.decode(record)).name)
      assert.equal(#record - #empty + 2, wire.string_size(c))
    end
  end)
end)
