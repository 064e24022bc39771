-- SPDX-License-Identifier: GPL-3.0-or-later
local json = require "sotto.json"
local octets = require "sotto.script.octets"

describe("octets", function()
  it("leave a text as it is", function()
    assert.are.same({ "Grüße", nil }, { octets.pack "Grüße" })
    assert.are.equal("Grüße", octets.unpack("Grüße", nil))
  end)

  it("carry any bytes through JSON", function()
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    for _, text in ipairs { table.concat(all), "\0", "\xff\xfe", "a\0b", "\xc3\x28", "ü\0" } do
      local packed, marked = octets.pack(text)
      assert.is_true(marked)
      local carried = json.decode(assert(json.encode { packed }))[1]
      assert.are.equal(text, octets.unpack(carried, marked))
    end
  end)
end)
