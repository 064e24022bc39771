-- SPDX-License-Identifier: GPL-3.0-or-later
-- A script that computes on and on has a share of one processor, whatever it computes; one that computes now and then does not feel it.
-- Only what holds on a busy machine, too, is asked: nothing here is about how fast something is.
local cores = require "support.cores"
local hostile = require "support.hostile"
local sys = require "sotto.sys"
local system = require "support.system"

local HEAD = [[
local sotto = require "sotto"
local s = sotto.script { name = "%s", version = "1.0", api = 1, needs = { "messages", "store", "timers" } }
]]
-- processor time that is watched, and by the clock at least so many times that
local WATCHED_MS, TIMES = 240, 2

describe("a script's share of a processor", function()
  local alice, bob, id

  setup(function()
    alice, bob = cores.pair { config = "scripts = { handler_ms = 60000 }" }
    id = cores.open_between(alice, bob)
  end)
  teardown(cores.clean)

  local function load_text(name, text)
    local path = ("%s/%s.lua"):format(cores.root(), name)
    system.write(path, text)
    return bob:call("scripts.load", { path = path, grant = true }).pid
  end

  local function session_nice(pid)
    local text = system.read_proc(pid, "autogroup")
    return text and text:match "nice (%-?%d+)"
  end

  for _, one in ipairs(hostile.list) do
    if one.name == "busy" or one.name == "pattern" or one.name == "collector" or one.name == "memory-held" then
      it(("is at most a half while it computes on and on (%s)"):format(one.name), function()
        finally(function() bob:try("scripts.unload", { name = one.name }) end)
        local pid = load_text(one.name, hostile.text(one))
        bob:event("message.received", { id = alice:send(id, "begin").id })
        local at_work = sys.cpu_ms(pid) + 40
        cores.wait("its work", function() return sys.cpu_ms(pid) >= at_work end)
        local cpu, since = sys.cpu_ms(pid), sys.monotonic_ms()
        cores.wait("more of it", function() return sys.cpu_ms(pid) - cpu >= WATCHED_MS end, 120000)
        local passed, used = sys.monotonic_ms() - since, sys.cpu_ms(pid) - cpu
        assert.is_true(passed >= TIMES * used, ("%.0f ms of processor time in %.0f ms"):format(used, passed))
        -- where sessions are weighed against each other, its own weighs little
        if session_nice(pid) then
          cores.wait("its session's step back", function() return session_nice(pid) == "10" end, 120000)
        end
      end)
    end
  end

  it("is small at the core, too: of calls that are too many it reads no more than forty a second", function()
    finally(function() bob:try("scripts.unload", { name = "caller" }) end)
    load_text("caller", HEAD:format "caller" .. [[
      s:command("call", {}, function(c)
        local refused = 0
        while refused < 40 do
          local ok, failure = pcall(sotto.discussions.list)
          if not ok and failure.name == "busy" then refused = refused + 1 end
        end
        return "all of them"
      end)
    ]])
    local began = sys.monotonic_ms()
    assert.are.equal("all of them", bob:call("scripts.command", { name = "caller", command = "call" }).reply)
    assert.is_true(sys.monotonic_ms() - began >= 900)
  end)

  it("is not felt by one that computes now and then", function()
    finally(function() bob:try("scripts.unload", { name = "light" }) end)
    local pid = load_text("light", HEAD:format "light" .. [[
      s:command("compute", {}, function()
        local start = os.clock()
        repeat until os.clock() - start > 0.015
      end)
    ]])
    local function sleeps() return tonumber(system.read_proc(pid, "status"):match "\nvoluntary_ctxt_switches:%s*(%d+)") end
    local function compute()
      bob:call("scripts.command", { name = "light", command = "compute" })
      local due = sys.monotonic_ms() + 300
      cores.wait("the next call", function() return sys.monotonic_ms() >= due end)
    end
    local calls, before = 10, sleeps()
    for _ = 1, calls do compute() end
    -- a wait for the next line after each
    assert.is_true(sleeps() - before <= 3 * calls)
    -- its start may have made its session step back, and the kernel hears one such word in 100 ms, whoever's that is
    cores.wait("its session's full weight", function()
      if (session_nice(pid) or "0") == "0" then return true end
      compute()
    end, 60000)
  end)
end)
