local wire = require "support.wire"
local R = require "wire.records"

local function refused(text, expected)
  local got, name, why = wire.json_check(text)
  assert.is_nil(got)
  assert.equal(expected or "bad_input", name)
  assert.is_true(#why > 0 and not why:find("[%c\x80-\xff]"))
  return why
end

describe("strict JSON", function()
  it("P0.1 takes objects, and gives them back compact, keys in their order", function()
    assert.equal("{}", wire.json_check "{}")
    assert.equal('{"b":[1,-2,true,false,null],"a":{"x":"y"}}',
      wire.json_check ' {\n"b" : [ 1,\t-2, true, false, null ] , "a":{ "x":"y"} }\r\n ')
    assert.equal('{"é":"\u{10ffff}\u{e000}/\\"\\\\"}', wire.json_check '{"\\u00e9":"\u{10ffff}\\ue000\\/\\"\\\\"}')
  end)

  it("P0.1 takes integers to 2^53-1 on both sides, and nothing else", function()
    for _, n in ipairs { "0", "-1", "9007199254740991", "-9007199254740991" } do
      assert.equal('{"n":' .. n .. "}", wire.json_check('{"n":' .. n .. "}"))
    end
    for _, n in ipairs { "9007199254740992", "-9007199254740992", "9223372036854775807", "-9223372036854775808",
      "9223372036854775808", "1" .. ("0"):rep(1000), "1.0", "1e0", "1E2", "0.1", "-0.0", "1e999", "01", "+1", ".5",
        "1.",
      "0x10", "Infinity", "NaN" } do
      refused('{"n":' .. n .. "}")
      refused('{"n":[{"m":' .. n .. "}]}")
    end
  end)

  it("P0.1 refuses duplicate keys on every level", function()
    for _, text in ipairs { '{"a":1,"a":1}', '{"a":1,"b":2,"a":3}', '{"x":[{"a":1,"a":2}]}', '{"a":1,"\\u0061":2}',
      '{"":1,"":1}' } do
      refused(text)
    end
  end)

  it("P0.1 refuses U+0000 in strings and keys", function()
    for _, text in ipairs { '{"a":"\\u0000"}', '{"a\\u0000":1}', '{"a":"\0"}', '{"a":1}\0',
      '\0{"a":1}' } do refused(text) end
  end)

  it("P0.1 refuses what is not UTF-8", function()
    for _, bytes in ipairs { "\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
      "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xfe" } do
      refused('{"a":"' .. bytes .. '"}')
      refused('{"' .. bytes .. '":1}')
    end
    for _, escape in ipairs { "\\ud800", "\\udc00", "\\ud800x", "\\ud800\\u0041", "\\u12", "\\x" } do
      refused('{"a":"' .. escape .. '"}')
    end
  end)

  it("P0.1 takes 8 levels and not 9", function()
    local function deep(n) return '{"a":' .. ("["):rep(n - 1) .. ("]"):rep(n - 1) .. "}" end
    assert.equal(deep(8), wire.json_check(deep(8)))
    refused(deep(9), "too_large")
    local function objects(n) return ('{"a":'):rep(n - 1) .. "{}" .. ("}"):rep(n - 1) end
    assert.equal(objects(8), wire.json_check(objects(8)))
    refused(objects(9), "too_large")
    refused('{"a":' .. ("["):rep(1000000), "too_large")
    -- brackets inside strings are none, and neither are those side by side
    assert.truthy((wire.json_check('{"a":"' .. ("["):rep(100) .. '\\"' .. ("{"):rep(100) .. '"}')))
    assert.truthy((wire.json_check('{"a":[' .. ("[],"):rep(100) .. "{}]}")))
    assert.truthy((wire.json_check('{"a\\\\":[[[[[[[]]]]]]]}')))
  end)

  it("P0.1 takes 20,000 values and not 20,001", function()
    -- the object and the array are two of them
    local function list(n) return '{"a":[' .. ("0,"):rep(n - 3) .. "0]}" end
    assert.truthy((wire.json_check(list(20000))))
    refused(list(20001), "too_large")
    local function empties(n, empty) return '{"a":[' .. (empty .. ","):rep(n - 3) .. empty .. "]}" end
    for _, empty in ipairs { "[]", "{}", "[ ]", "{\n}", '""', '",[{"', "null" } do
      assert.truthy((wire.json_check(empties(20000, empty))))
      refused(empties(20001, empty), "too_large")
    end
    local function keys(n)
      local out = {}
      for i = 1, n - 1 do out[i] = ('"k%d":{}'):format(i) end
      return "{" .. table.concat(out, ",") .. "}"
    end
    assert.truthy((wire.json_check(keys(20000))))
    refused(keys(20001), "too_large")
    local function nested(n) -- pairs of an array and its element
      return '{"a":[' .. ("[0],"):rep((n - 2) // 2 - 1) .. "[0]]}"
    end
    assert.truthy((wire.json_check(nested(20000))))
    refused(nested(20002), "too_large")
  end)

  it("P0.1 wants one object and nothing after it", function()
    for _, text in ipairs { "", " ", "[]", "[{}]", '"a"', "1", "null", "true", "{}{}", "{} x", "{},", "{", "}",
      '{"a":}', '{"a" 1}',
      "{a:1}", "{'a':1}", '{"a":1,}', '{,"a":1}', '{"a":[1,]}', '{"a":[1 2]}', '{"a":1]', "// c\n{}", "\u{feff}{}",
        '{"a":tru}',
      '{"a":"x\ny"}', '{"a":"\t"}', '{"a":"' } do
      refused(text)
    end
    assert.truthy((wire.json_check "{} \n"))
  end)

  it("never quotes the input in its error", function()
    for _, text in ipairs { '{"a":hunter2}', '{"hunter2":1,"hunter2":2}', '{"a":"hunter2\xff"}', '{"a":1}hunter2',
      "hunter2", '"hunter2"' } do
      assert.is_nil(refused(text):find("hunter2", 1, true))
    end
  end)

  it("writes as jansson does, every character and every shape", function()
    local parts = {}
    for c = 1, 0x2ff do parts[#parts + 1] = ("\\u%04x"):format(c) end
    for _, c in ipairs { 0x800, 0xd7ff, 0xe000, 0xffff } do parts[#parts + 1] = ("\\u%04x"):format(c) end
    for _, value in ipairs { '"' .. table.concat(parts) .. '"', "{}", "[]", "[{},[[]],[{}]]", "-9007199254740991", "0",
      "true", "false", "null", '""', '["a","",{"b":[1,2]}]', '"\u{1f600}/\\/"' } do
      local text, reference = wire.json_check('{"k":' .. value .. ',"\\u0001\\"":1}')
      assert.truthy(text)
      assert.equal(reference, text)
    end
  end)

  it("stops at the cap of the buffer it encodes into", function()
    local text = '{"a":[1,2,3,"' .. ("x"):rep(1000) .. '"]}'
    assert.equal(text, wire.json_check(text, #text))
    for _, cap in ipairs { 0, 1, 10, #text - 1 } do
      local got, name = wire.json_check(text, cap)
      assert.is_nil(got)
      assert.equal("too_large", name)
    end
  end)

  it("P0.5 stands 10,000 mutations", function()
    local samples = { '{"v":1,"type":"x","a":[1,[2,{"b":"c"}],"\\u00e9\\n"],"z":{"q":null,"r":-5}}',
      '{"a":' .. ("["):rep(7) .. ("]"):rep(7) .. "}", '{"' .. ("k"):rep(40) .. '":"' .. ("\u{20ac}"):rep(20) .. '"}' }
    local good = 0
    R.mutations(samples, 10000, 3, function(s)
      local text, reference = wire.json_check(s)
      if text then
        good = good + 1
        assert.equal(reference, text)
        assert.equal(text, wire.json_check(text))
      end
    end)
    assert.is_true(good > 100)
  end)
end)

describe("text", function()
  it("is valid exactly where it is UTF-8 without U+0000, surrogates and long forms", function()
    for _, good in ipairs { "", "a", "\x7f", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}",
      "\u{10000}", "\u{10ffff}",
      "a\u{e9}\u{20ac}\u{1f600}z", "\1\n" } do
      assert.is_true(wire.text_valid(good))
    end
    for _, bad in ipairs { "\0", "a\0", "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2a", "\xe0\x9f\xbf",
      "\xe2\x82", "\xed\xa0\x80",
      "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff",
        "a\xe2\x82" } do
      assert.is_false(wire.text_valid(bad))
    end
  end)
  it("agrees with the parser on every sequence of one to three bytes that can begin a character", function()
    math.randomseed(5)
    for _ = 1, 20000 do
      local s = ""
      for _ = 1, math.random(4) do s = s .. string.char(math.random(0x20, 0xff)) end
      if not s:find('["\\]') then
        assert.equal(wire.json_check('{"a":"' .. s .. '"}') ~= nil, wire.text_valid(s))
      end
    end
  end)
end)
