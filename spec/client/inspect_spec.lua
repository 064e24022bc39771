-- SPDX-License-Identifier: GPL-3.0-or-later
local inspect = require "sotto.client.inspect"
local json = require "sotto.json"

describe("inspect", function()
  it("writes values as Lua would", function()
    for text, value in pairs {
      ["1"] = 1, ["1.5"] = 1.5, ["true"] = true, ['"a"'] = "a", ['"\\"\\\\"'] = '"\\', ["{}"] = {}, ["null"] = json.null,
      ["{ 1, 2 }"] = { 1, 2 }, ["{ a = 1, b = { 2 } }"] = { b = { 2 }, a = 1 }, ['{ 1, ["x y"] = 2 }'] = { 1, ["x y"] = 2 },
      ["{ [3] = 1, [true] = 2 }"] = { [3] = 1, [true] = 2 },
    } do
      assert.are.equal(text, inspect.value(value))
    end
    assert.are.equal("nil", inspect.value(nil))
    assert.are.equal("function (built in)", inspect.value(print))
    assert.are.equal("function (line 2)", inspect.value(assert(load("\nreturn function() end", "=chat"))()))
    assert.truthy(inspect.value(function() end):find("^function %(inspect_spec.lua %d+%)$"))
    assert.are.equal([["a\n\tb\r"]], inspect.value "a\n\tb\r")
  end)

  it("breaks what is long, one field a line", function()
    local text = inspect.value { name = ("n"):rep(60), other = ("o"):rep(60) }
    assert.are.equal(("{\n  name = %q,\n  other = %q,\n}"):format(("n"):rep(60), ("o"):rep(60)), text)
  end)

  it("makes foreign text harmless, also as a key", function()
    assert.are.equal('"a<U+001B>[2Jb\\nc<U+202E>"', inspect.value "a\27[2Jb\nc\u{202e}")
    assert.are.equal('{ ["<U+001B>"] = "<80>" }', inspect.value { ["\27"] = "\x80" })
    local named = setmetatable({}, { __name = "\27[2J" })
    assert.are.equal("{}", inspect.value(named))
    assert.truthy(inspect.value(setmetatable({}, { __tostring = error })))
  end)

  it("is bounded, whatever the value is", function()
    local itself = {}
    itself.itself = itself
    assert.are.equal("{ itself = <itself> }", inspect.value(itself))
    local deep = {}
    for _ = 1, 1000 do deep = { deep } end
    assert.truthy(#inspect.value(deep) < 200)
    local long = {}
    for i = 1, 100000 do long[i] = i end
    assert.truthy(#inspect.value(long) < 5000)
    assert.truthy(inspect.value(long):find "…")
    local many = {}
    for i = 1, 10000 do many["k" .. i] = i end
    assert.truthy(#inspect.value(many) < 5000)
    assert.truthy(#inspect.value(("x"):rep(1000000)) < 5000)
    assert.truthy(utf8.len(inspect.value(("日"):rep(1000000))))
    assert.truthy(inspect.value(("x"):rep(1000000)):find("(1000000 bytes)", 1, true))
    local wide = {}
    for i = 1, 150 do
      wide[i] = {}
      for j = 1, 150 do wide[i][j] = { i, j } end
    end
    assert.truthy(#inspect.value(wide) < 50000)
    assert.truthy(inspect.value { 1, 2, wide }:find("… (", 1, true))
  end)

  it("shows what a value says of itself, and runs nothing for it", function()
    assert.are.equal("the API", inspect.value(setmetatable({ 1 }, { __inspect = "the API" })))
    assert.are.equal("{ 1 }", inspect.value(setmetatable({ 1 }, { __inspect = error })))
    assert.are.equal("{ 1 }", inspect.value(setmetatable({ 1 }, { __metatable = false })))
  end)

  it("shows a shared table wherever it is, and looks past metatables", function()
    local shared = { 1 }
    assert.are.equal("{ { 1 }, { 1 } }", inspect.value { shared, shared })
    local tricky = setmetatable({ 1 }, {
      __index = function() error "no" end, __len = function() return math.huge end, __pairs = error,
    })
    assert.are.equal("{ 1 }", inspect.value(tricky))
  end)
end)
