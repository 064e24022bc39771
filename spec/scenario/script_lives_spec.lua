-- SPDX-License-Identifier: GPL-3.0-or-later
-- The ends and new beginnings of scripts: that each script has one process, and that nothing is left of one that goes.
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"

local alice, bob, id, path

local HEAD = [[
local sotto = require "sotto"
local s = sotto.script { name = "%s", version = "1.0", api = 1, needs = { "messages", "store" } }
]]

-- what sleeps here sleeps longer than it is let: each ends by what the spec does, or by the core's own limit
local SLOW = HEAD:format "echo" .. 'print "begun"\nsotto.sleep("50s")'

local COUNT = HEAD:format "echo" .. [[
s:on("message.received", function(m) s.store[m.text] = (s.store[m.text] or 0) + 1 end)
s:command("count", {}, function(_, text) return s.store[text] or 0 end)
local slow
s:save(function() if slow then print "saving"; sotto.sleep("50s") end end)
s:command("slow", {}, function() slow = true end)
]]

local function load_script(options)
  options = options or {}
  options.path, options.grant = options.path or path, options.grant ~= false
  return bob:call("scripts.load", options)
end

-- another script, by which one sees that something has had its time
local function load_marker(options)
  options = options or {}
  options.path = cores.root() .. "/marker.lua"
  system.write(options.path, HEAD:format "marker")
  return load_script(options)
end

local function command(name, ...)
  return bob:call("scripts.command", { name = "echo", command = name, arguments = ... and { ... } }).reply
end

local function becomes(name, state)
  return cores.ask(("%s is %s"):format(name, state), function()
    local found = bob:script(name)
    return found and found.state == state and found
  end)
end

local function hosts() return bob:children "sotto-host" end

local function says(text) bob:event("script.log", function(_, event) return event.log.text == text end) end

local function no_host_is_left() cores.ask("no host is left", function() return #hosts() == 0 end) end

describe("a script's start", function()
  setup(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
    path = cores.root() .. "/echo.lua"
  end)
  teardown(cores.clean)
  before_each(function() bob.control:forget_events() end)
  after_each(function()
    for _, one in ipairs(bob:call "scripts.list") do bob:call("scripts.unload", { name = one.name }) end
  end)

  it("ends with the client that it was for, also in its main chunk", function()
    system.write(path, SLOW)
    local other = bob:connect()
    other:request("scripts.load", { path = path, grant = true, temporary = true })
    says "begun"
    other:close()
    no_host_is_left()
    assert.are.same({}, bob:call "scripts.list")
  end)

  it("ends where it is unloaded in its main chunk, and whoever loads it hears of that", function()
    system.write(path, SLOW)
    local other = bob:connect()
    local request = other:request("scripts.load", { path = path, grant = true })
    says "begun"
    assert.are.equal("busy", (bob:fails("scripts.reload", { name = "echo" })))
    bob:call("scripts.unload", { name = "echo" })
    assert.are.equal("canceled", other:answer(request).error.data.name)
    other:close()
    no_host_is_left()
  end)

  it("is given up where its main chunk does not end in time, and nothing starts it again", function()
    system.write(path, SLOW)
    local name, message = bob:fails("scripts.load", { path = path, grant = true })
    assert.are.equal("timeout", name, message)
    assert.are.same({}, bob:call "scripts.list")
    no_host_is_left()
    assert.is_nil(bob:take_event "script.failed")
  end)

  it("is the only one, also where the old process ends while it is asked what to save", function()
    system.write(path, COUNT)
    local loaded = load_script()
    command "slow"
    local other = bob:connect()
    local request = other:request("scripts.reload", { name = "echo" })
    says "saving"
    sys.kill(loaded.pid, "SIGKILL")
    assert.are.equal("running", other:answer(request).result.state)
    other:close()
    -- a failed script's rest has passed once one that has failed later runs again
    sys.kill(load_marker().pid, "SIGKILL")
    becomes("marker", "failed")
    becomes("marker", "running")
    bob:call("scripts.unload", { name = "marker" })
    assert.are.equal(1, #hosts())
    assert.are.equal("running", bob:script "echo".state)
  end)

  it("that follows a crash goes on after the last event that it was told of", function()
    system.write(path, COUNT)
    load_script()
    bob:call("scripts.reload", { name = "echo" })
    alice:call("messages.send", { discussion = id, text = "one" })
    cores.ask("it is told", function() return command("count", "one") == "1" end)
    sys.kill(bob:script "echo".pid, "SIGKILL")
    becomes("echo", "failed")
    alice:call("messages.send", { discussion = id, text = "two" })
    bob:event("message.received", { text = "two" })
    becomes("echo", "running")
    cores.ask("it is told", function() return command("count", "two") == "1" end)
    assert.are.equal("1", command("count", "one"))
  end)

  it("under another name is that of the same script, and comes once with the next core", function()
    system.write(path, COUNT)
    load_script()
    system.write(path, (COUNT:gsub('"echo"', '"another"')))
    bob:call("scripts.reload", { name = "echo" })
    bob:restart()
    becomes("another", "running")
    bob:call("scripts.unload", { name = "another" })
    bob:restart()
    load_marker()
    assert.is_nil(bob:script "echo")
    assert.is_nil(bob:script "another")
  end)

  it("of another file under its name does not get to what it has stored, unless the user says so", function()
    local function text(value)
      return HEAD:format "keeper" .. ("s.store.last = s.store.last or %q\n"):format(value) ..
        's:command("last", {}, function() return s.store.last end)\n'
    end
    local function last() return bob:call("scripts.command", { name = "keeper", command = "last" }).reply end
    local other = cores.root() .. "/other.lua"
    system.write(path, text "first")
    system.write(other, text "second")
    load_script()
    assert.are.equal("first", last())
    assert.are.equal("wrong_state", (bob:fails("scripts.erase", { name = "keeper" })))
    bob:call("scripts.unload", { name = "keeper" })
    -- the same file has its data again, also in the next core
    bob:restart()
    load_script()
    assert.are.equal("first", last())
    bob:call("scripts.unload", { name = "keeper" })
    local kind, message = bob:fails("scripts.load", { path = other, grant = true })
    assert.are.equal("refused", kind)
    assert.truthy(message:find(path, 1, true), message)
    load_script { path = other, inherit = true }
    assert.are.equal("first", last())
    bob:call("scripts.unload", { name = "keeper" })
    -- now it is the other's
    assert.are.equal("refused", (bob:fails("scripts.load", { path = path, grant = true })))
    bob:call("scripts.erase", { name = "keeper" })
    load_script { path = other }
    assert.are.equal("second", last())
  end)

  it("is watched: what does not parse is told with its line, and the old text runs on", function()
    local function says_error(pattern)
      bob:event("script.log", function(_, event)
        return event.log.name == "echo" and event.log.level == "error" and event.log.text:find(pattern) ~= nil
      end)
    end
    system.write(path, COUNT)
    load_script { watch = true }
    system.write(path, COUNT .. "local x = (\n")
    says_error "^echo%.lua:%d+: .*the old text keeps running"
    assert.are.equal("0", command("count", "nothing"))
    system.write(path, COUNT .. "-- in order again")
    bob:event("script.log", function(_, event) return event.log.name == "echo" and event.log.text == "reloaded" end)
  end)

  it("waits for the user where its text has changed while the core was away, also where it is watched", function()
    system.write(path, COUNT)
    load_script { watch = true }
    bob:stop()
    system.write(path, COUNT .. "-- changed")
    bob:start()
    becomes("echo", "waiting")
    -- the next look at the files has passed once another is reloaded
    local marker = load_marker { watch = true }.path
    system.write(marker, HEAD:format "marker" .. "-- changed")
    bob:event("script.log", function(_, event) return event.log.name == "marker" and event.log.text == "reloaded" end)
    assert.are.equal("waiting", bob:script "echo".state)
    bob:call("scripts.reload", { name = "echo" })
    system.write(path, COUNT .. "-- changed again")
    bob:event("script.log", function(_, event) return event.log.name == "echo" and event.log.text == "reloaded" end)
  end)
end)
