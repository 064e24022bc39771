local wire = require "support.wire"
local R = require "wire.records"

describe("sealed frame", function()
  local sender = R.fingerprint(1)
  local raw = sender:gsub("..", function(d) return string.char(tonumber(d, 16)) end)

  it("is fingerprint, epoch, sequence and message", function()
    local payload = wire.sealed_encode(sender, 258, 0x0102030405, "message")
    assert.equal(raw .. "\0\0\1\2" .. "\0\0\0\1\2\3\4\5" .. "message", payload)
    assert.same({ sender, 258, 0x0102030405, "message" }, { wire.sealed_decode(payload) })
    payload = wire.sealed_encode(sender, 4294967295, 9007199254740991, "m")
    assert.same({ sender, 4294967295, 9007199254740991, "m" }, { wire.sealed_decode(payload) })
  end)

  it("refuses to encode what it would not decode", function()
    for _, bad in ipairs { { sender:lower(), 0, 1, "m" }, { "", 0, 1, "m" }, { sender:sub(2), 0, 1, "m" }, { sender,
      0, 0, "m" },
      { sender, 0, -1, "m" }, { sender, 0, 9007199254740992, "m" }, { sender, 0, 1, "" } } do
      local got, name = wire.sealed_encode(table.unpack(bad))
      assert.is_nil(got)
      assert.equal("bad_params", name)
    end
  end)

  it("P0.3 refuses a missing message and sequences out of range", function()
    local head = raw .. "\0\0\0\0" .. string.pack(">I8", 1)
    assert.truthy((wire.sealed_decode(head .. "m")))
    for n = 0, #head do assert.is_nil((wire.sealed_decode(head:sub(1, n)))) end
    for _, sequence in ipairs { 0, 9007199254740992, -1 } do
      local got, name = wire.sealed_decode(raw .. "\0\0\0\0" .. string.pack(">i8", sequence) .. "m")
      assert.is_nil(got)
      assert.equal("bad_input", name)
    end
  end)
end)
