-- SPDX-License-Identifier: GPL-3.0-or-later
-- What writes and tries scripts: sotto new, sotto test, sotto run.
local command = require "support.command"
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"
local window = require "support.window"

local function path(name) return cores.root() .. "/" .. name end

-- with nothing of other tests in the way
local function sotto_test(...)
  local directory = path "temporary"
  assert(sys.make_private_directory(directory))
  local result = command.run({ "test", ... }, nil, cores.root(), { "env", "TMPDIR=" .. directory })
  assert.are.same({}, sys.list(directory))
  assert.are.same({}, system.processes(directory))
  return result
end

describe("sotto new", function()
  after_each(cores.clean)

  for _, kind in ipairs { "bot", "plugin", "policy" } do
    it("makes a " .. kind .. " whose own specs pass", function()
      local made = command.run { "new", kind, "hello" }
      assert.are.equal(0, made.status, made.err)
      assert.truthy(made.out:find("hello.lua and hello_spec.lua are made", 1, true))
      assert.is_nil(system.read(path "hello.lua"):find "NAME")
      local result = sotto_test "hello.lua"
      assert.are.equal(0, result.status, result.out .. result.err)
      assert.truthy(result.out:find "[1-9]%d* passed, 0 failed\n$", result.out)
    end)
  end

  it("overwrites nothing, and refuses other kinds and names", function()
    system.write(path "hello_spec.lua", "mine")
    local result = command.run { "new", "bot", "hello" }
    assert.are.equal(1, result.status)
    assert.truthy(result.err:find("hello_spec.lua is there already", 1, true), result.err)
    assert.is_nil(system.read(path "hello.lua"))
    for _, words in ipairs { {}, { "bot" }, { "cat", "tom" }, { "bot", "../x" }, { "bot", "A" }, { "bot", "a", "b" } } do
      assert.are.equal(2, command.run({ "new", table.unpack(words) }).status)
    end
  end)
end)

describe("sotto test", function()
  after_each(cores.clean)

  local SCRIPT = [[
local sotto = require "sotto"
local s = sotto.script { name = "one", version = "1", api = 1, needs = { "messages", "store", "timers" } }
s.store.loads = (s.store.loads or 0) + 1
s:on("message.received", function(m) m:reply(m.text .. " " .. s.store.loads) end)
s:every("1h", function() s.log(os.date("%H")) end)
]]

  it("tells what has failed and where, and its status is 1", function()
    system.write(path "one.lua", SCRIPT)
    system.write(path "one_spec.lua", [[
describe("one", function()
  it("answers", function()
    person("ada"):says "a"
    assert.equal("a 1", person("ada"):hears())
  end)
  it("begins anew each time", function()
    person("ada"):says "b"
    assert.equal("b 2", person("ada"):hears())
  end)
  it("says nothing", function()
    person("ada"):says "c"
    person("ada"):hears_nothing()
  end)
  it("keeps its store over a reload", function()
    world:reload()
    person("ada"):says "d"
    assert.equal("d 2", person("ada"):hears())
  end)
  it("has its own time", function()
    advance "3h"
    local hours = {}
    for hour in world:log():gmatch "%d+" do hours[#hours + 1] = tonumber(hour) end
    assert.equal(3, #hours)
    assert.equal((hours[1] + 2) % 24, hours[3])
  end)
  it("waits for who is away", function()
    local ada = person "ada"
    ada:leaves()
    you:call("messages.send", { discussion = ada.discussion, text = "later" })
    ada:returns()
    assert.equal("later", ada:hears())
  end)
end)
]])
    local result = sotto_test "one.lua"
    assert.are.equal(1, result.status, result.err)
    local out = result.out
    assert.truthy(out:find('FAIL one begins anew each time [^\n]*\n       one_spec.lua:8: expected "b 2", got "b 1"\n'), out)
    assert.truthy(out:find('FAIL one says nothing [^\n]*\n       one_spec.lua:12: ada has heard "c 1"\n'), out)
    assert.truthy(out:find("\n4 passed, 2 failed\n$"), out)
  end)

  it("takes several, folders and specs by their names; and refuses where there is none", function()
    assert(sys.make_private_directory(path "one/spec"))
    system.write(path "one/main.lua", SCRIPT)
    system.write(path "one/spec/first_spec.lua", 'it("a", function() assert(world.script.name == "one") end)')
    system.write(path "two.lua", (SCRIPT:gsub('"one"', '"two"')))
    system.write(path "two_spec.lua", 'it("b", function() assert.equal("two", world.script.name) end)')
    local result = sotto_test("one", "two_spec.lua")
    assert.are.equal(0, result.status, result.err)
    assert.truthy(result.out:find("2 passed, 0 failed", 1, true), result.out)
    system.write(path "bare.lua", SCRIPT)
    for words, pattern in pairs {
      ["bare.lua"] = "has no specs", ["nothing.lua"] = "there is no nothing.lua", ["x_spec.lua"] = "there is no x_spec.lua",
    } do
      local failed = sotto_test(words)
      assert.are.equal(1, failed.status)
      assert.truthy(failed.err:find(pattern, 1, true), failed.err)
    end
    system.write(path "bare_spec.lua", "describe('nothing', function() end)")
    assert.truthy(sotto_test("bare.lua").err:find "there is no spec in")
    system.write(path "bare_spec.lua", "x = = 1")
    assert.truthy(sotto_test("bare.lua").err:find "bare_spec.lua:1:")
  end)

  it("starts nobody any more when it is over", function()
    system.write(path "one.lua", SCRIPT)
    system.write(path "one_spec.lua", [[
it("goes on", function()
  local ada = person "ada"
  world:close()
  ada:returns()
end)
]])
    local result = sotto_test "one.lua"
    assert.are.equal(1, result.status)
    assert.truthy(result.out:find("FAIL goes on [^\n]*\n       it is over\n"), result.out .. result.err)
  end)

  it("leaves nothing where it is interrupted", function()
    system.write(path "one.lua", SCRIPT)
    system.write(path "one_spec.lua", 'it("waits", function() person("ada"):hears() end)')
    local directory, environment = path "temporary", command.environment()
    assert(sys.make_private_directory(directory))
    environment.TMPDIR = directory
    local shown = window.open {
      program = command.PROGRAM, environment = environment, directory = cores.root(), "test", "one.lua",
    }
    local function core_count()
      local count = 0
      for _, process in ipairs(system.processes(directory)) do
        count = process.program == "sottod" and count + 1 or count
      end
      return count
    end
    cores.ask("both cores", function() return core_count() == 2 end)
    shown:type "\3"
    shown:wait_end()
    assert.are.same({}, sys.list(directory))
    cores.wait("its processes are gone", function() return #system.processes(directory) == 0 end)
    window.close_all()
  end)
end)

describe("sotto run", function()
  local alice, bob, id

  setup(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
    system.write(path "run.lua", [[
local sotto = require "sotto"
local s = sotto.script { name = "runner", version = "1", api = 1, needs = { "messages" } }
print("runs with", ...)
s:on("message.received", function(m)
  print("heard " .. m.text)
  if m.text == "break" then error "broken" end
  m:reply("ran " .. m.text)
end)
]])
  end)
  teardown(cores.clean)

  local function say(text) alice:call("messages.send", { discussion = id, text = text }) end

  local function see(process, text)
    cores.wait(text, function()
      for _, lines in ipairs { process.out, process.err } do
        for _, line in ipairs(lines) do
          if line:find(text, 1, true) then return true end
        end
      end
      return process.ended
    end)
    assert.is_false(process.ended, table.concat(process.err, "\n"))
  end

  it("runs it until it is interrupted, and prints what it says", function()
    local process = command.start("--home", bob.home, "run", "--grant", path "run.lua", "a", "b c")
    see(process, "b c")
    say "one"
    assert.are.equal("ran one", alice:event("message.received").text)
    see(process, "heard one")
    say "break"
    see(process, "run.lua:6: broken")
    assert.is_true(bob:call("scripts.list")[1].temporary)
    process.handle:kill "SIGINT"
    assert.are.equal(0, command.wait_end(process))
    assert.are.same({}, bob:call "scripts.list")
  end)

  it("ends with its process, however that ends", function()
    local process = command.start("--home", bob.home, "run", "--grant", path "run.lua")
    see(process, "runs with")
    process.handle:kill "SIGKILL"
    command.wait_end(process)
    cores.ask("it is gone", function() return #bob:call "scripts.list" == 0 end)
  end)

  it("asks at the terminal for what it needs", function()
    local shown = window.open {
      program = command.PROGRAM, environment = command.environment(), "--home", bob.home, "run", path "run.lua",
    }
    shown:see "messages: read and send"
    shown:see("Grant that? [y/N]"):enter "y"
    shown:see "runs with"
    shown:type "\3"
    shown:wait_end()
    window.close_all()
  end)

  it("lets it have what another file has stored under its name, where the user says so", function()
    local text = [[
local s = require "sotto".script { name = "keeper", version = "1", api = 1, needs = { "store" } }
s.store.first = s.store.first or %q
print("has kept " .. s.store.first)
]]
    system.write(path "one.lua", text:format "one")
    system.write(path "two.lua", text:format "two")
    bob:call("scripts.load", { path = path "one.lua", grant = true })
    bob:call("scripts.unload", { name = "keeper" })
    local refused = command.run { "--home", bob.home, "run", "--grant", path "two.lua" }
    assert.are.equal(1, refused.status)
    assert.truthy(refused.err:find("load it with `inherit` to take that over", 1, true), refused.err)
    local process = command.start("--home", bob.home, "run", "--grant", "--inherit", path "two.lua")
    see(process, "has kept one")
    process.handle:kill "SIGINT"
    assert.are.equal(0, command.wait_end(process))
  end)

  it("says why it cannot", function()
    local function fails(status, pattern, ...)
      local result = command.run { "--home", bob.home, "run", ... }
      assert.are.equal(status, result.status, result.err)
      assert.truthy(result.err:find(pattern, 1, true), result.err)
    end
    fails(1, "--grant grants that", path "run.lua")
    fails(1, "No such file", path "nothing.lua")
    fails(2, "run takes a script")
    fails(2, "run knows no '--fast'", "--fast", path "run.lua")
    fails(1, "no discussion begins with", "--discussion", "00000000", path "run.lua")
    assert.are.same({}, bob:call "scripts.list")
  end)
end)
