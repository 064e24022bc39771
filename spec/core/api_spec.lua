-- SPDX-License-Identifier: GPL-3.0-or-later
local api = require "sotto.core.api"
local errors = require "sotto.core.errors"
local json = require "sotto.json"
local params = require "sotto.core.params"
local sys = require "sotto.sys"
local system = require "support.system"

-- what front ends and scripts were promised
local CONTRACT = {
  system = "info methods metrics doctor stop",
  identity = "show create candidates adopt unlock lock passphrase",
  peers = "list show probe import export forget",
  discussions = "open accept refuse list show close leave forget export",
  messages = "send list search release discard",
  proposals = "create list show answer explain",
  scripts = "list load unload reload log",
  events = "subscribe unsubscribe",
}

local EVENTS = {
  peer = "seen lost", passphrase = "needed", epoch = "changed", script = "failed log", events = "lagged",
  discussion = "requested opened suspended resumed closed refused frozen",
  message = "received sent delivered confirmed held void complaint failed",
  proposal = "opened answered committed refused void",
}

local SECRETS = { password = true, passphrase = true, old = true, new = true }

local function each_method(f)
  for name, method in pairs(api.methods) do f(method, name) end
end

describe("the API table", function()
  it("has every method of the contract", function()
    for noun, verbs in pairs(CONTRACT) do
      for verb in verbs:gmatch("%S+") do assert.is_table(api.methods[noun .. "." .. verb], noun .. "." .. verb) end
    end
  end)

  it("documents every method and parameter", function()
    each_method(function(method, name)
      assert.are.equal(name, method.noun .. "." .. method.verb)
      assert.truthy(method.text:match("^%u.*%.$"), name .. " has no sentence")
      assert.is_true(#method.text <= 100, name .. ": the text is for one line")
      assert.truthy(#method.result > 0, name)
      assert.truthy(method.returns:match("^[a-z]+%[?%]?$"), name)
      assert.truthy(method.capability:match("^[a-z]+$"), name)
      assert.is_true(math.type(method.since) == "integer" and method.since <= api.version, name)
      for _, param in ipairs(method.params) do
        assert.truthy(param.name:match("^[a-z_]+$"), name)
        assert.truthy(#param.text > 0, name .. " " .. param.name)
      end
    end)
  end)

  it("uses known types, errors and bounds only", function()
    each_method(function(method, name)
      for _, problem in ipairs(method.errors) do
        assert.is_number(errors.codes[problem], name .. ": " .. problem)
        assert.is_true(problem ~= "bad_params" and problem ~= "internal", name)
      end
      local seen = {}
      for _, param in ipairs(method.params) do
        assert.is_true(params.is_type(param.type), name .. " " .. param.name)
        assert.is_nil(seen[param.name], name .. " " .. param.name .. " stands twice")
        seen[param.name] = true
        assert.is_false((param.required and param.standard ~= nil) or false, name .. " " .. param.name)
        if param.least and param.most then assert.is_true(param.least <= param.most) end
        if param.type == "string" then assert.is_number(param.most, name .. " " .. param.name .. " has no limit") end
        if param.type == "strings" then assert.is_number(param.most, name .. " " .. param.name .. " has no limit") end
      end
      for _, one in ipairs(method.one_of or {}) do assert.is_true(seen[one], name) end
    end)
  end)

  it("P2.4 types as secret whatever is one, and nothing else under such a name", function()
    each_method(function(method, name)
      for _, param in ipairs(method.params) do
        assert.are.equal(SECRETS[param.name] or false, param.type == "secret", name .. " " .. param.name)
      end
    end)
    assert.are.same({ "new", "old", "passphrase", "password" }, api.secret_names())
  end)

  it("gives standard values that pass its own checks", function()
    each_method(function(method, name)
      local given = {}
      for _, param in ipairs(method.params) do
        if param.standard ~= nil then given[param.name] = param.standard end
      end
      local lenient = { name = name, params = {} }
      for i, param in ipairs(method.params) do
        lenient.params[i] = setmetatable({ required = false }, { __index = param })
      end
      assert.is_table(params.check(lenient, given), name)
    end)
  end)

  it("names every event by its noun", function()
    local seen = {}
    for _, event in ipairs(api.events) do
      assert.truthy(event.type:match("^[a-z]+%.?[a-z]*$"), event.type)
      assert.is_nil(seen[event.type])
      seen[event.type] = true
      assert.truthy(event.text:match("^%u.*%.$"), event.type)
      assert.is_string(event.noun)
    end
    for noun, happenings in pairs(EVENTS) do
      for happening in happenings:gmatch("%S+") do assert.is_true(seen[noun .. "." .. happening], noun .. "." .. happening) end
    end
    assert.is_true(seen.warning)
  end)

  it("has every event that the engine tells: scripts are told of no others", function()
    local seen, told = {}, 0
    for _, event in ipairs(api.events) do seen[event.type] = true end
    for _, name in ipairs(assert(sys.list "engine/shell")) do
      if name:find "%.c$" then
        for line in assert(system.read("engine/shell/" .. name)):gmatch "[^\n]*emit%([^\n]*" do
          for type in line:gmatch '"(%l+%.%l+)"' do
            assert.is_true(seen[type], type)
            told = told + 1
          end
        end
        for type in system.read("engine/shell/" .. name):gmatch 'LIFECYCLE_TELL_%u+, "([%l.]+)"' do
          assert.is_true(seen[type], type)
          told = told + 1
        end
      end
    end
    assert.is_true(told >= 20, told)
  end)

  it("describes itself as JSON, without losing the order of parameters", function()
    local text = assert(json.encode(api.describe()))
    local back = json.decode(text)
    local count = 0
    for _, method in ipairs(back.methods) do
      count = count + 1
      assert.is_true(json.is_array(method.params))
      for i, param in ipairs(method.params) do
        assert.are.equal(api.methods[method.name].params[i].name, param.name)
      end
    end
    each_method(function() count = count - 1 end)
    assert.are.equal(0, count)
  end)
end)
