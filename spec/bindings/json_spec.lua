-- SPDX-License-Identifier: GPL-3.0-or-later
local json = require "sotto.json"
local secret = require "sotto.secret"

local function refused(name, value, message, code)
  assert.is_nil(value)
  assert.are.equal(name, code)
  assert.is_string(message)
  return message
end

describe("json.decode", function()
  it("keeps integers, reals, strings and booleans what they are", function()
    local value = json.decode('{"i":9007199254740993,"m":-9223372036854775808,"r":1.0,"s":"\\u00e9\\n","t":true}')
    assert.are.equal(9007199254740993, value.i)
    assert.are.equal(math.mininteger, value.m)
    assert.are.equal("float", math.type(value.r))
    assert.are.equal("é\n", value.s)
    assert.is_true(value.t)
  end)

  it("tells an empty array from an empty object", function()
    local value = json.decode('{"a":[],"o":{}}')
    assert.is_true(json.is_array(value.a))
    assert.is_false(json.is_array(value.o))
    assert.are.equal('{"a":[],"o":{}}', json.encode(value))
  end)

  it("gives null a value of its own, and leaves it out of objects on request", function()
    local value = json.decode('{"n":null,"a":[null]}')
    assert.are.equal(json.null, value.n)
    assert.are.equal("null", tostring(value.n))
    value = json.decode('{"n":null,"a":[null]}', { nulls = false })
    assert.is_nil(value.n)
    assert.are.equal(json.null, value.a[1])
  end)

  it("takes any value at the top", function()
    assert.are.equal(3, json.decode("3"))
    assert.are.equal("x", json.decode('"x"'))
    assert.are.equal(json.null, json.decode(" null "))
  end)

  for what, text in pairs {
    ["nothing"] = "",
    ["a cut object"] = '{"a":',
    ["text after the end"] = "{} {}",
    ["two equal keys"] = '{"a":1,"a":1}',
    ["invalid UTF-8"] = '"\xff"',
    ["a lone surrogate"] = '"\\ud800"',
    ["U+0000"] = '"a\\u0000b"',
    ["a raw control character"] = '"a\nb"',
    ["an integer of 30 digits"] = ("9"):rep(30),
    ["a trailing comma"] = "[1,]",
    ["a word"] = "nan",
    ["depth beyond the parser's"] = ("["):rep(5000) .. ("]"):rep(5000),
  } do
    it("refuses " .. what, function() refused("bad_input", json.decode(text)) end)
  end

  it("never quotes the text in its message", function()
    for _, text in ipairs { '{"password":"hunter2', '{"password":hunter2}', '"hunter2" hunter2', '"hunter2\\u0000"' } do
      local message = refused("bad_input", json.decode(text))
      assert.is_nil(message:find("hunter", 1, true))
    end
  end)

  it("takes 64 levels and refuses 65", function()
    assert.is_table(json.decode(("["):rep(63) .. "1" .. ("]"):rep(63)))
    refused("too_large", json.decode(("["):rep(65) .. ("]"):rep(65)))
  end)

  describe("strict (P0.1)", function()
    local strict = { strict = true }

    it("takes 8 levels and refuses 9", function()
      local function nested(levels) return ('{"a":'):rep(levels - 1) .. "{}" .. ("}"):rep(levels - 1) end
      assert.is_table(json.decode(nested(8), strict))
      refused("too_large", json.decode(nested(9), strict))
    end)

    it("takes 20,000 values and refuses one more", function()
      local function many(values) return '{"a":[' .. ("1,"):rep(values - 3) .. "1]}" end
      assert.is_table(json.decode(many(20000), strict))
      refused("too_large", json.decode(many(20001), strict))
    end)

    it("takes integers up to 2^53-1, and no reals", function()
      assert.is_table(json.decode('{"a":9007199254740991,"b":-9007199254740991}', strict))
      refused("bad_input", json.decode('{"a":9007199254740992}', strict))
      refused("bad_input", json.decode('{"a":-9223372036854775808}', strict))
      refused("bad_input", json.decode('{"a":1.0}', strict))
    end)

    it("takes nothing but an object", function()
      refused("bad_input", json.decode("[]", strict))
      refused("bad_input", json.decode("1", strict))
    end)
  end)
end)

describe("json.encode", function()
  it("writes keys in order of their bytes", function()
    assert.are.equal('{"":0,"B":1,"a":2,"aa":3,"é":4}', json.encode { a = 2, B = 1, aa = 3, ["é"] = 4, [""] = 0 })
  end)

  it("escapes what JSON wants escaped, and leaves the rest", function()
    assert.are.equal([["\"\\\n\r\t\u0001\u001f/]] .. "\127é😀\"", json.encode("\"\\\n\r\t\1\31/\127é😀"))
  end)

  it("writes a real so that it reads back as the same real", function()
    assert.are.equal("1.0", json.encode(1.0))
    assert.are.equal("0.1", json.encode(0.1))
    for _, number in ipairs { 1 / 3, 1e300, -1e-300, 123456789.123456789, 2 ^ 63 } do
      local back = json.decode(json.encode(number))
      assert.are.equal(number, back)
      assert.are.equal("float", math.type(back))
    end
  end)

  it("embeds text that is JSON already", function()
    assert.are.equal('{"a":[{"b":1},2]}', json.encode { a = { json.raw '{"b":1}', 2 } })
  end)

  local loop = {}
  loop.inner = { loop }
  local deep = {}
  for _ = 1, 64 do deep = { deep } end
  for what, case in pairs {
    ["a function"] = { print, "bad_params" },
    ["a function within"] = { { a = { print } }, "bad_params" },
    ["a coroutine"] = { coroutine.create(print), "bad_params" },
    ["infinity"] = { math.huge, "bad_params" },
    ["not a number"] = { 0 / 0, "bad_params" },
    ["U+0000"] = { "a\0b", "bad_params" },
    ["a string that is no UTF-8"] = { "a\xc3", "bad_params" },
    ["an overlong form"] = { "\xc0\xaf", "bad_params" },
    ["a surrogate"] = { "\xed\xa0\x80", "bad_params" },
    ["a key that is no UTF-8"] = { { ["\xff"] = 1 }, "bad_params" },
    ["a mixture of array and object"] = { { 1, a = 2 }, "bad_params" },
    ["an array with holes"] = { { 1, nil, 3 }, "bad_params" },
    ["a key that is a number"] = { { [2] = 1 }, "bad_params" },
    ["a marked array with a key"] = { json.array { a = 1 }, "bad_params" },
    ["a table within itself"] = { loop, "too_large" },
    ["65 levels"] = { deep, "too_large" },
    ["a userdata"] = { io.stdout, "bad_params" },
    ["a secret"] = { { password = secret.new "hush" }, "bad_params" },
  } do
    it("refuses " .. what, function() refused(case[2], json.encode(case[1])) end)
  end

  it("leaves the same table usable after a refusal", function()
    local value = { a = { b = print } }
    refused("bad_params", json.encode(value))
    value.a.b = 1
    assert.are.equal('{"a":{"b":1}}', json.encode(value))
  end)

  it("calls no metamethod", function()
    local called = false
    local trap = setmetatable({ 1 }, {
      __index = function() called = true end, __len = function() called = true return 5 end,
      __pairs = function() called = true end,
    })
    assert.are.equal("[1]", json.encode(trap))
    assert.is_false(called)
  end)

  it("holds under a collector that runs all the time", function()
    collectgarbage("setpause", 1)
    collectgarbage("setstepmul", 1000)
    for round = 1, 200 do
      local value = { list = {}, text = ("x"):rep(round), nested = { { round }, json.array() } }
      for i = 1, 20 do value.list[i] = { key = "k" .. i .. round, number = i / 7, null = json.null } end
      local text = assert(json.encode(value))
      assert.are.equal(text, json.encode(assert(json.decode(text))))
    end
    collectgarbage("setpause", 200)
    collectgarbage("setstepmul", 100)
  end)
end)
