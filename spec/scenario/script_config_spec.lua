-- SPDX-License-Identifier: GPL-3.0-or-later
-- Scripts that config.lua names, and how a person grants what they need.
local command = require "support.command"
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"
local window = require "support.window"

local bob

local TEXT = [[
local sotto = require "sotto"
local s = sotto.script { name = "%s", version = "1.0", api = 1, needs = { %s } }
s:command("hear", {}, function() return "%s " .. table.concat(arg, ",") end)
]]

local function write(name, needs, word)
  system.write(bob.home .. "/plugins/" .. name .. ".lua", TEXT:format(name, needs, word or "heard"))
end

local function becomes(name, state)
  return cores.ask(("%s is %s"):format(name, state), function()
    local found = bob:script(name)
    return found and found.state == state and found
  end)
end

local function hear(name) return bob:call("scripts.command", { name = name, command = "hear" }).reply end

describe("a configured script", function()
  before_each(function()
    bob = cores.person "bob"
    bob:stop()
    assert(sys.make_private_directory(bob.home .. "/plugins"))
  end)
  after_each(cores.clean)

  it("is loaded at the start, with the grants and arguments that config.lua says", function()
    write("one", '"messages", "store"')
    bob:configure 'plugins = { { path = "one", grant = { "messages", "store" }, arguments = { "a", "b" } } }'
    bob:start()
    local one = becomes("one", "running")
    assert.are.same({ "messages", "store" }, one.needs)
    assert.is_true(one.configured)
    assert.are.equal("heard a,b", hear "one")
    -- and again, as it was
    bob:restart()
    becomes("one", "running")
    assert.are.equal(1, #bob:call "scripts.list")
  end)

  it("of the folder is loaded without being named, and is granted nothing", function()
    write("free", "")
    write("greedy", '"messages"')
    bob:start()
    becomes("free", "running")
    local greedy = becomes("greedy", "waiting")
    assert.truthy(greedy.reason:find "not granted: messages: read and send")
    bob:call("scripts.reload", { name = "greedy", grant = true })
    becomes("greedy", "running")
    -- the grant is the person's, and lasts
    bob:restart()
    becomes("greedy", "running")
  end)

  it("waits where its text has changed, and is gone once config.lua names it no longer", function()
    local path = bob.home .. "/one.lua"
    system.write(path, TEXT:format("one", '"messages"', "first"))
    bob:configure(('plugins = { { path = %q, grant = true } }'):format(path))
    bob:start()
    becomes("one", "running")
    bob:stop()
    system.write(path, TEXT:format("one", '"messages"', "second"))
    bob:start()
    assert.truthy(becomes("one", "waiting").reason:find "have changed")
    bob:call("scripts.reload", { name = "one" })
    assert.are.equal("second ", hear "one")
    bob:stop()
    bob:configure ""
    bob:start()
    write("marker", "")
    bob:restart()
    becomes("marker", "running")
    assert.is_nil(bob:script "one")
  end)

  it("loses what config.lua grants no longer", function()
    write("one", '"messages"')
    bob:configure 'plugins = { { path = "one", grant = { "messages" } } }'
    bob:start()
    becomes("one", "running")
    bob:stop()
    bob:configure ""
    bob:start()
    assert.truthy(becomes("one", "waiting").reason:find "not granted")
  end)

  it("that a person loads before the core has looked is there once", function()
    write("one", "")
    bob:start()
    local path = bob.home .. "/elsewhere.lua"
    system.write(path, TEXT:format("elsewhere", "", "heard"))
    bob:call("scripts.load", { path = path, grant = true })
    becomes("one", "running")
    local names = {}
    for _, found in ipairs(bob:call "scripts.list") do names[#names + 1] = found.name end
    table.sort(names)
    assert.are.same({ "elsewhere", "one" }, names)
  end)

  it("that is not there is reported", function()
    bob:configure 'plugins = { "nowhere" }'
    bob:start()
    assert.truthy(becomes("nowhere", "waiting").reason:find "no script 'nowhere'")
  end)
end)

describe("sotto scripts load", function()
  local file

  before_each(function()
    bob = cores.person "bob"
    file = cores.root() .. "/greedy.lua"
    system.write(file, TEXT:format("greedy", '"messages", "store"', "heard"))
  end)
  after_each(function()
    window.close_all()
    cores.clean()
  end)

  it("without a terminal names what is missing and the option that grants it", function()
    local result = command.of(bob.home)("scripts", "load", file)
    assert.are.equal(1, result.status)
    assert.truthy(result.err:find "^sotto: not granted: messages: read and send.*store: keep data.*%-%-grant true")
    result = command.of(bob.home)("scripts", "load", file, "--grant", "true")
    assert.are.equal(0, result.status, result.err)
    becomes("greedy", "running")
  end)

  it("asks on a terminal, one capability after the other, and grants all or nothing", function()
    local function open()
      return window.open {
        program = command.PROGRAM, "--home", bob.home, "scripts", "load", file, environment = command.environment(),
      }
    end
    local shown = open()
    shown:see "messages: read and send messages"
    shown:enter "y"
    shown:see "store: keep data of its own"
    shown:enter ""
    shown:see "sotto: not granted"
    shown:wait_end()
    assert.are.same({}, bob:call "scripts.list")
    shown = open()
    shown:see "messages: read and send messages"
    shown:enter "yes"
    shown:see "store: keep data of its own"
    shown:enter "y"
    shown:see "running"
    shown:wait_end()
    assert.are.same({ "messages", "store" }, becomes("greedy", "running").needs)
  end)
end)
