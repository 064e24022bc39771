-- SPDX-License-Identifier: GPL-3.0-or-later
local base = require "support.base"
local json = require "sotto.json"

local function refused(name, value, code)
  assert.is_nil(value)
  assert.equal(name, code)
end

local function vectors()
  local file = assert(io.open("spec/vectors/cpace_vectors.json"))
  local text = file:read("a")
  file:close()
  return assert(json.decode(text)).string_functions
end

local function raw(hex) return (assert(base.unhex(hex, #hex // 2))) end

describe("hex", function()
  it("writes either case and reads both", function()
    local bytes = {}
    for i = 0, 255 do bytes[i + 1] = string.char(i) end
    local all = table.concat(bytes)
    local lower, upper = base.hex(all)
    assert.equal((all:gsub(".", function(c) return ("%02x"):format(c:byte()) end)), lower)
    assert.equal(lower:upper(), upper)
    assert.equal(all, base.unhex(lower, 256))
    assert.equal(all, base.unhex(upper, 256))
    assert.same({ "", "" }, { base.hex("") })
    assert.equal("", base.unhex("", 0))
  end)

  it("refuses other lengths and anything that is no digit", function()
    for _, text in ipairs { "", "0", "000", "00000", "0g", "g0", " 0", "0 ", "0x", "-1", "/0",
      ":0", "@0", "`0", "0G" } do
      refused("bad_input", base.unhex(text, 1))
      if #text == 2 then refused("bad_input", base.unhex("00" .. text, 2)) end
    end
  end)
end)

describe("base64url", function()
  it("P0.1 writes and reads the canonical form", function()
    -- RFC 4648, without padding
    for plain, text in pairs { [""] = "", f = "Zg", fo = "Zm8", foo = "Zm9v", foob = "Zm9vYg", fooba = "Zm9vYmE",
      foobar = "Zm9vYmFy", ["\251\255\254"] = "-__-", ["\0"] = "AA" } do
      assert.equal(text, base.base64url(plain))
      assert.equal(plain, base.unbase64url(text))
    end
  end)

  it("comes back as it went, for every length around its blocks", function()
    for _, length in ipairs { 1, 2, 3, 46, 47, 48, 49, 50, 51, 95, 96, 97, 1000, 65536 } do
      local data = base.fill(base.seeded(length), length)
      local text = base.base64url(data)
      assert.equal(math.ceil(length * 4 / 3), #text)
      assert.equal(data, base.unbase64url(text))
    end
  end)

  it("P0.1 refuses padding, foreign characters, trailing bits and single characters", function()
    for _, text in ipairs { "Zg==", "Zg=", "Zm9v=", "A", "Zm9vA", "AB", "Zh", "Zm9", "-_+", "Zm+v", "Zm/v",
      "Zm 9v", "Zm9v\n", " Zm9v", "\0AAA", "Zm9v\0", "Zm9é" } do
      refused("bad_input", base.unbase64url(text))
    end
  end)

  it("keeps to the buffer's cap, to the byte", function()
    assert.equal("Zm9vYg", base.base64url("foob", 6))
    refused("too_large", base.base64url("foob", 5))
    assert.equal("foob", base.unbase64url("Zm9vYg", 4))
    refused("too_large", base.unbase64url("Zm9vYg", 3))
    assert.equal("", base.base64url("", 0))
    assert.equal("", base.unbase64url("", 0))
    refused("bad_input", base.unbase64url("A", 0))
  end)
end)

describe("big-endian integers", function()
  it("put the highest byte first", function()
    assert.same({ "\1\2\3\4", "\0\0\0\0\1\2\3\4", 0x01020304, 0x01020304 }, { base.be(0x01020304) })
    local four, eight, low, all = base.be(0xfedcba9876543210)
    assert.equal("\x76\x54\x32\x10", four)
    assert.equal("\xfe\xdc\xba\x98\x76\x54\x32\x10", eight)
    assert.same({ 0x76543210, 0xfedcba9876543210 }, { low, all })
    assert.same({ ("\255"):rep(4), ("\255"):rep(8), 0xffffffff, -1 }, { base.be(-1) })
  end)
end)

describe("lv_cat", function()
  it("agrees with the CPace draft on prepend_len", function()
    local list = vectors().prepend_len
    assert.is_true(#list >= 4)
    for _, v in ipairs(list) do assert.equal(v.out, (base.hex(base.lv_cat { raw(v["in"]) }))) end
  end)

  it("agrees with the CPace draft on lv_cat and transcripts", function()
    for _, v in ipairs(vectors().lv_cat) do
      local parts = {}
      for i, part in ipairs(v["in"]) do parts[i] = raw(part) end
      assert.equal(v.out, (base.hex(base.lv_cat(parts))))
    end
    for _, v in ipairs(vectors().transcript_ir) do
      local out = base.lv_cat { raw(v.Ya), raw(v.ADa), raw(v.Yb), raw(v.ADb) }
      assert.equal(v.out, (base.hex(out)))
    end
  end)

  it("writes lengths as LEB128", function()
    local function head(length) return base.lv_cat({ ("x"):rep(length) }):sub(1, -length - 1) end
    assert.equal("\0", head(0))
    assert.equal("\x7f", head(127))
    assert.equal("\x80\1", head(128))
    assert.equal("\xff\x7f", head(16383))
    assert.equal("\x80\x80\1", head(16384))
  end)

  it("cannot be confused by moving bytes between parts", function()
    local seen = {}
    for _, parts in ipairs { { "ab", "c" }, { "a", "bc" }, { "abc" }, { "abc", "" }, { "", "abc" },
      { "a", "b", "c" } } do
      local out = base.lv_cat(parts)
      assert.is_nil(seen[out])
      seen[out] = true
    end
    assert.equal("", base.lv_cat {})
  end)

  it("keeps to the buffer's cap, to the byte", function()
    assert.equal("\3abc\1d", base.lv_cat({ "abc", "d" }, 6))
    refused("too_large", base.lv_cat({ "abc", "d" }, 5))
    refused("too_large", base.lv_cat({ "abc" }, 3))
    refused("too_large", base.lv_cat({ "" }, 0))
  end)
end)
