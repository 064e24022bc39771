local pake = require "support.pake"

local function refused(text, expected)
  local got, name, why = pake.prepare(text)
  assert.is_nil(got, ("%q was taken"):format(text))
  assert.equal(expected or "bad_params", name)
  return why
end

describe("password", function()
  it("P2.4 stays as it is where nothing is to be done", function()
    for _, text in ipairs { "a", "correct horse battery staple", "  two  spaces  ", "CaSe", "π≠3 §€", "ß", "日本語",
      "пароль",
      "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "\u{1f600}\u{1f510}" } do
      assert.equal(text, pake.prepare(text))
    end
  end)

  it("P2.4 maps spaces that are not ASCII's", function()
    for _, space in ipairs { 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008,
      0x2009, 0x200a,
      0x202f, 0x205f, 0x3000 } do
      assert.equal("a b", pake.prepare("a" .. utf8.char(space) .. "b"))
    end
  end)

  it("P2.4 composes (NFC), without compatibility mapping or case folding", function()
    assert.equal("\u{e9}", pake.prepare "e\u{301}")
    assert.equal("\u{e9}", pake.prepare "\u{e9}")
    assert.equal("\u{1e69}", pake.prepare "s\u{307}\u{323}") -- marks in either order
    assert.equal("\u{1e69}", pake.prepare "s\u{323}\u{307}")
    assert.equal("\u{c5}", pake.prepare "\u{212b}") -- ANGSTROM SIGN is the letter
    assert.equal("\u{3a9}", pake.prepare "\u{2126}")
    assert.equal("\u{fb01}", pake.prepare "\u{fb01}") -- the ligature stays
    assert.equal("\u{ff21}", pake.prepare "\u{ff21}") -- so does the wide letter
    assert.equal("\u{915}\u{93c}", pake.prepare "\u{958}") -- excluded from composition
    -- conjoining jamo that compose are what a keyboard in decomposed form sends
    assert.equal("\u{d55c}", pake.prepare "\u{1112}\u{1161}\u{11ab}")
  end)

  it("P2.4 the examples of RFC 8265, 4.2.4", function()
    assert.equal("correct horse battery staple", pake.prepare "correct horse battery staple")
    assert.equal("Correct Horse Battery Staple", pake.prepare "Correct Horse Battery Staple")
    assert.equal("\u{3c0}\u{df}\u{e5}", pake.prepare "\u{3c0}\u{df}\u{e5}")
    assert.equal("Jack of \u{2666}s", pake.prepare "Jack of \u{2666}s")
    assert.equal("foo bar", pake.prepare "foo\u{1680}bar")
    refused ""
    refused "my cat is a \u{9}by"
  end)

  it("P2.4 refuses controls, and what is ignorable, private, unassigned or no character", function()
    for c = 0, 0x1f do refused("a" .. utf8.char(c) .. "b") end
    for c = 0x7f, 0x9f do refused("a" .. utf8.char(c) .. "b") end
    for _, c in ipairs { 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180e, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029,
      0x202a, 0x202e,
      0x2060, 0x2066, 0x206f, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xe0001, 0xe0100, 0xe000, 0xf8ff, 0xf0000,
      0x10fffd, 0xfdd0, 0xfffe, 0xffff, 0x1ffff, 0x10ffff, 0x378, 0x530, 0x2fe0, 0x70000, 0x600, 0x6dd, 0x70f,
        0x110bd } do
      refused("a" .. utf8.char(c) .. "b")
    end
    for _, c in ipairs { 0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3035, 0x303b } do refused("a" .. utf8.char(c)) end
    for _, c in ipairs { 0x1100, 0x1161, 0x11a8, 0xa960, 0xd7b0 } do refused(utf8.char(c)) end -- jamo that stay alone
  end)

  it("P2.4 takes the exceptions that are valid", function()
    for _, c in ipairs { 0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007 } do
      assert.equal(utf8.char(c), pake.prepare(utf8.char(c)))
    end
  end)

  it("P2.4 takes characters with a contextual rule only where it holds", function()
    local zwnj, zwj = "\u{200c}", "\u{200d}"
    for _, good in ipairs {
      "l\u{b7}l", "col\u{b7}lecci\u{f3}", "\u{375}\u{3b1}", "\u{5d0}\u{5f3}", "\u{5d0}\u{5f4}\u{5d0}",
        "\u{30a2}\u{30fb}\u{30a2}",
      "\u{30fb}\u{6f22}", "a\u{30fb}\u{3042}", "\u{660}\u{661}9", "\u{6f0}\u{6f9}",
      "\u{915}\u{94d}" .. zwj, "\u{915}\u{94d}" .. zwnj .. "x", -- after a virama
      "\u{628}" .. zwnj .. "\u{628}", "\u{628}\u{64e}" .. zwnj .. "\u{64e}\u{627}", -- between letters that join
    } do
      assert.truthy((pake.prepare(good)), good)
    end
    for _, bad in ipairs {
      "\u{b7}", "l\u{b7}", "\u{b7}l", "a\u{b7}a", "L\u{b7}l", "\u{375}", "\u{375}a", "\u{3b1}\u{375}", "\u{5f3}",
        "a\u{5f3}",
      "\u{5f3}\u{5d0}", "\u{30fb}", "a\u{30fb}b", "\u{660}\u{6f0}", "\u{6f0}1\u{660}", zwj, "a" .. zwj .. "b", zwnj,
        "a" .. zwnj .. "b",
      "\u{1f468}" .. zwj .. "\u{1f469}", "\u{628}" .. zwnj, zwnj .. "\u{628}", "\u{627}" .. zwnj .. "\u{628}",
        -- alef joins no next letter
      "\u{628}" .. zwnj .. "a", "a" .. zwnj .. "\u{628}", "\u{64e}" .. zwnj .. "\u{628}",
    } do
      refused(bad)
    end
  end)

  it("P2.4 refuses what is not UTF-8", function()
    for _, bad in ipairs { "\xff", "a\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
      "\xc3" } do refused(bad) end
  end)

  it("P2.4 is 1 to 1024 bytes after preparation", function()
    refused ""
    assert.equal(1024, #pake.prepare(("x"):rep(1024)))
    refused(("x"):rep(1025), "too_large")
    assert.equal(1023, #pake.prepare(("\u{20ac}"):rep(341)))
    refused(("\u{20ac}"):rep(342), "too_large")
    -- what shrinks counts as it is afterwards: 1024 letters with an accent of their own
    assert.equal(1024, #pake.prepare(("e\u{301}"):rep(512)))
    refused(("e\u{301}"):rep(513), "too_large")
    assert.equal(1024, #pake.prepare(("\u{3000}"):rep(1024)))
    -- and what grows
    refused(("\u{958}"):rep(171), "too_large")
    assert.equal(1020, #pake.prepare(("\u{958}"):rep(170)))
    refused(("x"):rep(8192), "too_large")
    refused(("x"):rep(8193), "too_large")
    refused(("\u{3000}"):rep(2730), "too_large")
  end)

  it("P2.4 is its own preparation: doing it again changes nothing", function()
    math.randomseed(17)
    local taken = 0
    for _ = 1, 5000 do
      local parts = {}
      for i = 1, math.random(8) do
        local c = math.random(3) == 1 and math.random(0x20, 0x17f) or math.random(0x20, 0x2ffff)
        parts[i] = (c < 0xd800 or c > 0xdfff) and utf8.char(c) or "x"
      end
      local once = pake.prepare(table.concat(parts))
      if once then
        taken = taken + 1
        assert.equal(once, pake.prepare(once))
      end
    end
    assert.is_true(taken > 500)
  end)

  it("P2.4 stands random bytes", function()
    math.randomseed(18)
    for _ = 1, 10000 do
      local parts = {}
      for i = 1, math.random(20) do parts[i] = string.char(math.random(0, 255)) end
      local got, name = pake.prepare(table.concat(parts))
      assert.is_true(got ~= nil or name == "bad_params")
    end
  end)

  it("P2.4 no error text holds any of it", function()
    for _, bad in ipairs { "hunter2\0", "hunter2\xff", "hunter2\u{ad}", ("hunter2"):rep(200) } do
      assert.is_nil(refused(bad, #bad > 1024 and "too_large" or nil):find("hunter", 1, true))
    end
  end)
end)

describe("weak passwords", function()
  it("P2.8 are told", function()
    for _, weak in ipairs { "", "a", "1234567", "abcdefg", "\u{e9}\u{e9}\u{e9}", "aaaaaaaaaa", "abababababab",
      "12345678", "31415926",
      "abcdefgh", "hgfedcba", "qwertyuiop", "QWERTYUIOP", "asdfghjkl", "password", "Password1", "PASSWORD123!",
        "p@ssw0rd",
      "letmein1", "qwertz123", "iloveyou", "abc12345", "trustno1", "20240101", "11223344", "zyxwvutsrq" } do
      assert.is_string(pake.weakness(weak), weak)
    end
  end)
  it("P2.8 others are not", function()
    for _, good in ipairs { "correct horse battery staple", "Tr0ub4dor&3", "xkcd-936-comic", "kurze Nacht 17 Fische",
      "314159265358",
      "v8#Qp!x2", "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c} 17 \u{43a}\u{43e}\u{442}", "deoxyribonucleic",
        "abacus lamp river tin" } do
      assert.is_nil(pake.weakness(good), good)
    end
  end)
end)
