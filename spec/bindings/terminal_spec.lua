-- SPDX-License-Identifier: GPL-3.0-or-later
-- Foreign text made harmless. What a person sees of the terminal is spec/client/terminal_spec.lua's.
local json = require "sotto.json"
local terminal = require "sotto.terminal"

describe("terminal.escape", function()
  it("leaves what is harmless", function()
    for _, text in ipairs {
      "", "hello, world ~", "żółw", "Привет", "שלום", "مرحبا", "日本語", "한국어", "é (composed), e\u{301}",
      "😀", "👍🏽", "❤\u{fe0f}", "½ ≠ → ✓✓ …", "\u{a0}\u{2003}",
    } do
      assert.are.equal(text, terminal.escape(text))
      assert.are.equal(text, terminal.escape(text, true))
    end
  end)

  it("shows control characters, escape sequences among them", function()
    assert.are.equal("<U+001B>[2J<U+001B>]0;x<U+0007>", terminal.escape("\27[2J\27]0;x\a"))
    assert.are.equal("a<U+000D>b<U+0008>c<U+007F>", terminal.escape("a\rb\bc\127"))
    assert.are.equal("a<U+0000>b", terminal.escape("a\0b"))
    -- C1: some terminals take U+009B for ESC [
    assert.are.equal("<U+009B>31m<U+0085><U+0090>", terminal.escape("\u{9b}31m\u{85}\u{90}"))
    for code = 0, 0x9f do
      if code < 0x20 or code > 0x7e then
        assert.are.equal(("<U+%04X>"):format(code), terminal.escape(utf8.char(code)))
      end
    end
  end)

  it("shows what changes the direction of text, hides, or is not there", function()
    local bidi = { 0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069 }
    local invisible = { 0x00ad, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0x2064, 0xfeff, 0xe0001, 0xe0041 }
    local others = { 0x2028, 0x2029, 0xe000, 0xf8ff, 0x10fffd, 0x0378, 0xffff, 0x10ffff }
    for _, list in ipairs { bidi, invisible, others } do
      for _, code in ipairs(list) do
        local expected = ("a<U+%04X>b"):format(code)
        assert.are.equal(expected, terminal.escape("a" .. utf8.char(code) .. "b"))
        assert.are.equal(expected, terminal.escape("a" .. utf8.char(code) .. "b", true))
      end
    end
  end)

  it("shows bytes that are no UTF-8, one by one", function()
    assert.are.equal("<80>a<FF>", terminal.escape("\x80a\xff"))
    assert.are.equal("<C3>", terminal.escape("\xc3"))
    assert.are.equal("<E2><82>x", terminal.escape("\xe2\x82x"))
    assert.are.equal("<C0><AF>", terminal.escape("\xc0\xaf")) -- overlong
    assert.are.equal("<ED><A0><80>", terminal.escape("\xed\xa0\x80")) -- a surrogate
    assert.are.equal("<F4><90><80><80>", terminal.escape("\xf4\x90\x80\x80")) -- beyond Unicode
    assert.are.equal("<9B>31m", terminal.escape("\x9b31m"))
  end)

  it("keeps lines where asked to, and nothing else", function()
    assert.are.equal("a<U+000A>b<U+0009>c", terminal.escape("a\nb\tc"))
    assert.are.equal("a\nb    c<U+000D>\n", terminal.escape("a\nb\tc\r\n", true))
  end)

  it("never gives anything to act upon, whatever comes in", function()
    local seed = 7
    local function random(n)
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return (seed >> 8) % n
    end
    for _ = 1, 300 do
      local bytes = {}
      for i = 1, random(60) do bytes[i] = string.char(random(256)) end
      local text = terminal.escape(table.concat(bytes))
      assert.truthy(utf8.len(text))
      assert.is_nil(text:find("[%c]"))
      assert.are.equal(text, terminal.escape(text))
    end
  end)

  it("takes a text of any length", function()
    assert.are.equal(("<U+10FFFF>"):rep(10000), terminal.escape(("\u{10ffff}"):rep(10000)))
    assert.are.equal(("<01>"):gsub("01", "80"):rep(100000), terminal.escape(("\x80"):rep(100000)))
  end)
end)

describe("combining marks", function()
  it("stay where a character carries them", function()
    for _, text in ipairs { "e\u{301}", "שָׁלוֹם", "ệ\u{323}", "กี่", "a\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}b\u{301}" } do
      assert.are.equal(text, terminal.escape(text))
    end
  end)

  it("are shown where they are too many, or have nothing to stand on", function()
    local flood = "Z" .. ("\u{301}"):rep(1000) .. "algo"
    assert.are.equal("Z" .. ("\u{301}"):rep(6) .. ("<U+0301>"):rep(994) .. "algo", terminal.escape(flood))
    assert.are.equal("<U+0301>a", terminal.escape("\u{301}a"))
    assert.are.equal("a\n<U+20DD>b", terminal.escape("a\n\u{20dd}b", true))
    assert.are.equal("<U+FE0F>", terminal.escape("\u{fe0f}"))
  end)
end)

describe("terminal.clean", function()
  it("lets colours through, and nothing else", function()
    for _, text in ipairs { "\27[m", "\27[0m", "a\27[1;31mb\27[0m", "\27[38;5;208mx" } do
      assert.are.equal(text, terminal.clean(text))
    end
    assert.are.equal("<U+001B>[2J", terminal.clean("\27[2J"))
    assert.are.equal("<U+001B>[1;31", terminal.clean("\27[1;31"))
    assert.are.equal("<U+001B>[?1m<U+001B>]0;x<U+0007>", terminal.clean("\27[?1m\27]0;x\a"))
    assert.are.equal("<U+001B>", terminal.clean("\27"))
    assert.are.equal("a\nb    \27[1m<U+202E>", terminal.clean("a\nb\t\27[1m\u{202e}"))
  end)
end)

describe("terminal.fold", function()
  it("makes equal what looks the same by case, width, ligature or invisible characters", function()
    for _, text in ipairs { "BOB", "ｂｏｂ", "b\u{200b}ob", "bob\u{fe0f}", "\u{1d41b}ob", "b\u{3164}ob" } do
      assert.are.equal("bob", terminal.fold(text))
    end
    assert.are.equal("fi", terminal.fold "ﬁ")
    assert.are.equal("strasse", terminal.fold "Straße")
    assert.are_not.equal(terminal.fold "bob", terminal.fold "bób")
    assert.are.equal("", terminal.fold "")
    assert.is_nil(terminal.fold "\xff")
    assert.truthy(terminal.fold(("\u{fdfa}"):rep(1000)))
  end)
end)

describe("terminal.rows", function()
  it("counts rows, as a terminal breaks lines", function()
    for _, case in ipairs {
      { "", 10, 1 }, { ("x"):rep(10), 10, 1 }, { ("x"):rep(11), 10, 2 }, { ("x"):rep(20), 10, 2 }, { "a\nb", 10, 2 },
      { "a\n", 10, 1 }, { ("x"):rep(10) .. "\nb", 10, 2 }, { "日本語日本", 10, 1 }, { "x日本語日本", 10, 2 },
      { "日本語日本語", 5, 3 }, { "\27[1m" .. ("x"):rep(10) .. "\27[0m", 10, 1 }, { "12:00 bob: hi  ✓✓", 80, 1 },
    } do
      local least, most = terminal.rows(case[1], case[2])
      assert.are.same({ case[3], case[3] }, { least, most }, case[1])
    end
  end)

  it("says where terminals may differ", function()
    assert.are.same({ 1, 2 }, { terminal.rows("xxxxxxx❤\u{fe0f}x", 10) })
    assert.are.same({ 1, 1 }, { terminal.rows("xx❤\u{fe0f}x", 10) })
  end)
end)

describe("terminal.escape_json", function()
  it("is the same JSON, without what steers a terminal", function()
    local value = { "\27[2J", "\u{9b}2J", "\u{202e}evil\u{e0041}", "\u{10ffff}", "\127", "żółw 😀", "\n" }
    local text = terminal.escape_json(assert(json.encode(value)))
    assert.are.equal(
      [=[["\u001b[2J","\u009b2J","\u202eevil\udb40\udc41","\udbff\udfff","\u007f","żółw 😀","\n"]]=], text)
    assert.are.same(value, json.decode(text))
  end)
end)

describe("terminal.width", function()
  it("counts columns, not bytes", function()
    for text, width in pairs {
      [""] = 0, abc = 3, ["żółw"] = 4, ["日本語"] = 6, ["한국"] = 4, ["e\u{301}"] = 1, ["😀"] = 2, ["…✓"] = 2,
      ["ｆｕｌｌ"] = 8, ["\27[1;31mab\27[0m"] = 2,
    } do
      assert.are.equal(width, terminal.width(text), text)
    end
    assert.are.equal(9, terminal.width("a\xff" .. "\x80"))
  end)
end)
