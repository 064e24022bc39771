-- SPDX-License-Identifier: GPL-3.0-or-later
-- A script that is loaded, reloaded and unloaded again and again leaves nothing. `make bench-scripts` does it a thousand
-- times, and weighs the core.
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"

local CYCLES = 40

local TEXT = [[
local sotto = require "sotto"
local s = sotto.script { name = "cycle", version = "1.0", api = 1, needs = { "messages", "store", "timers" } }
local state = { count = 0 }
s:restore(function(kept) state = kept end)
s:save(function() return { count = state.count + 1 } end)
s:every("1h", function() end)
s:command("count", {}, function() return state.count end)
s:on("message.received", { match = "^ping" }, function(m) m:reply("pong " .. m.text) end)
]]

describe("a script", function()
  local alice, bob, id, path

  setup(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
    path = cores.root() .. "/cycle.lua"
    system.write(path, TEXT)
  end)
  teardown(cores.clean)

  local function load_script() return bob:call("scripts.load", { path = path, grant = true }) end

  local function descriptors() return #sys.list(("/proc/%d/fd"):format(bob:pid())) end

  local function settled()
    cores.wait("the hosts' end", function() return #bob:children "sotto-host" == 0 end)
    return descriptors()
  end

  it("that comes and goes leaves no process and no descriptor", function()
    -- whoever talks with nobody has no gpg that was started ahead
    local talker = bob
    finally(function() bob = talker end)
    bob = cores.person "carol"
    load_script()
    bob:call("scripts.unload", { name = "cycle" })
    local before = settled()
    for _ = 1, CYCLES do
      load_script()
      bob:call("scripts.reload", { name = "cycle" })
      bob:call("scripts.unload", { name = "cycle" })
    end
    cores.ask("no descriptor more", function() return settled() <= before end)
    assert.are.same({}, bob:call "scripts.list")
  end)

  it("that is reloaded again and again answers once, and carries its state along", function()
    load_script()
    for _ = 1, CYCLES do bob:call("scripts.reload", { name = "cycle" }) end
    assert.are.equal(tostring(CYCLES), bob:call("scripts.command", { name = "cycle", command = "count" }).reply)
    cores.wait("one host", function() return #bob:children "sotto-host" == 1 end)
    alice:send(id, "ping")
    alice:event("message.received", { text = "pong ping" })
    local last = bob:send(id, "the last word")
    alice:event("message.received", { id = last.id })
    assert.are.same({ "pong ping", "the last word" }, alice:texts(id, bob.fingerprint))
  end)
end)
