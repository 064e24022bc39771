-- SPDX-License-Identifier: GPL-3.0-or-later
local json = require "sotto.json"
local params = require "sotto.core.params"
local secret = require "sotto.secret"

local function method(...) return { name = "x.y", params = { ... } } end

local function accepts(param, value)
  param.name = "p"
  local checked, message = params.check(method(param), { p = value })
  assert.is_table(checked, message)
  return checked.p
end

local function refuses(param, value, name)
  param.name = "p"
  local checked, message, problem = params.check(method(param), { p = value })
  assert.is_nil(checked)
  assert.are.equal(name or "bad_params", problem.name)
  assert.are.equal("p", problem.param)
  assert.truthy(message:find("'p'", 1, true))
  assert.truthy(#problem.expected > 0)
end

describe("params", function()
  it("names the parameter that is unknown, and the first in order of several", function()
    local checked, message, problem = params.check(method(), { b = 1, a = 2 })
    assert.is_nil(checked)
    assert.are.equal("a", problem.param)
    assert.truthy(message:find("x.y has no parameter 'a'", 1, true))
  end)

  it("names the one that is missing, null counting as left out", function()
    local needed = method { name = "p", type = "string", required = true }
    for _, given in ipairs { {}, { p = json.null } } do
      local checked, message, problem = params.check(needed, given)
      assert.is_nil(checked)
      assert.are.equal("p", problem.param)
      assert.truthy(message:find("missing", 1, true))
    end
  end)

  it("fills in standard values", function()
    local checked = params.check(method { name = "p", type = "integer", standard = 7 }, { p = json.null })
    assert.are.same({ p = 7 }, checked)
  end)

  it("wants exactly one of two", function()
    local either = method({ name = "a", type = "boolean" }, { name = "b", type = "boolean" })
    either.one_of = { "a", "b" }
    assert.is_table(params.check(either, { a = false }))
    assert.is_nil(params.check(either, {}))
    assert.is_nil(params.check(either, { a = true, b = true }))
    assert.is_nil(params.check(either, { a = json.null }))
  end)

  it("checks strings by their bytes: too few is bad_params, too many too_large", function()
    local text = { type = "string", least = 1, most = 4 }
    accepts(text, "ab")
    accepts(text, "éé")
    refuses(text, "")
    refuses(text, "ééx", "too_large")
    for _, value in ipairs { 1, true, {}, json.array { "a" } } do refuses(text, value) end
  end)

  it("checks integers by type and range", function()
    local number = { type = "integer", least = 1, most = 1000 }
    accepts(number, 1)
    accepts(number, 1000)
    for _, value in ipairs { 0, 1001, 5.0, 5.5, "5", true, math.mininteger } do refuses(number, value) end
    accepts({ type = "integer", least = 0 }, math.maxinteger)
    refuses({ type = "integer", least = 0 }, -1)
  end)

  it("checks booleans, enums and lists", function()
    assert.is_false(accepts({ type = "boolean" }, false))
    refuses({ type = "boolean" }, 0)
    refuses({ type = "boolean" }, "false")
    accepts({ type = "enum", values = { "a", "b" } }, "b")
    refuses({ type = "enum", values = { "a", "b" } }, "c")
    local list = { type = "strings", least = 1, most = 2 }
    accepts(list, json.array { "a", "b" })
    refuses(list, json.array())
    refuses(list, json.array { "a", "b", "c" }, "too_large")
    refuses(list, json.array { "a", 1 })
    refuses(list, { a = "b" })
    refuses(list, "a")
  end)

  it("checks addresses", function()
    for _, good in ipairs { "127.0.0.1:4788", "[::1]:1", "[fe80::1%eth0]:65535", "host.example:80", "a:1" } do
      accepts({ type = "address" }, good)
    end
    for _, bad in ipairs {
      "", ":80", "host", "host:", "host:0", "host:65536", "::1:80", "[::1]", "a b:80", "host:80 ", "[]:80",
      "host:80\0", ("x"):rep(300) .. ":80", 80,
    } do
      refuses({ type = "address" }, bad)
    end
  end)

  it("checks paths", function()
    accepts({ type = "path" }, "/tmp/x")
    for _, bad in ipairs { "", "x", "./x", "~/x", "/a\0b", "/" .. ("x"):rep(4095), 1 } do
      refuses({ type = "path" }, bad)
    end
  end)

  it("checks references and message ids", function()
    for _, type in ipairs { "peer", "discussion" } do
      accepts({ type = type }, ("A"):rep(40))
      accepts({ type = type }, "bob")
      refuses({ type = type }, "")
      refuses({ type = type }, ("x"):rep(129))
      refuses({ type = type }, 1)
    end
    accepts({ type = "message" }, ("0a"):rep(16))
    for _, bad in ipairs { ("0A"):rep(16), ("0a"):rep(15), ("0a"):rep(17), ("0g"):rep(16), 1 } do
      refuses({ type = "message" }, bad)
    end
  end)

  it("P2.4 takes a secret as userdata only", function()
    local word = { type = "secret", least = 1 }
    accepts(word, secret.new "x")
    refuses(word, secret.new "")
    accepts({ type = "secret" }, secret.new "")
    local impostor = { is_empty = function() end }
    for _, bad in ipairs { "x", 1, true, {}, json.array(), io.stdout, impostor } do refuses(word, bad) end
  end)
end)
