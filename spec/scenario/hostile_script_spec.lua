-- SPDX-License-Identifier: GPL-3.0-or-later
-- Scripts that mean harm: each is stopped or gets an error, that is reported, and people go on talking.
local cores = require "support.cores"
local hostile = require "support.hostile"
local sys = require "sotto.sys"
local system = require "support.system"

local alice, bob, id

-- short limits: what is shown is that they hold
local CONFIG = "scripts = { handler_ms = 300, memory = 16 * 1024 * 1024, lines_per_second = 200 }"

local function load_text(name, text)
  local path = ("%s/%s.lua"):format(cores.root(), name)
  system.write(path, text)
  return bob:call("scripts.load", { path = path, grant = true })
end

-- what was said about it: why its process was stopped, and the errors of its handlers
local function report(name)
  local lines = {}
  for _, line in ipairs(bob:call("scripts.log", { name = name }).lines) do
    if line.level == "error" then lines[#lines + 1] = line.text end
  end
  return lines[1] and table.concat(lines, "\n")
end

local STOPPED = { "a handler ran for more than", "no sign of life", "floods the core" }

local function was_stopped(name, pid)
  local told = report(name)
  for _, part in ipairs(STOPPED) do
    if told and told:find(part, 1, true) then return not sys.alive(pid) end
  end
end

describe("a script that means harm", function()
  setup(function()
    alice, bob = cores.pair { config = CONFIG }
    id = cores.open_between(alice, bob)
  end)
  teardown(cores.clean)

  for _, one in ipairs(hostile.list) do
    local told = one.ends == "error" and "gets an error" or "is stopped"
    it(("(%s) %s, and people go on talking"):format(one.name, told), function()
      finally(function() bob:try("scripts.unload", { name = one.name }) end)
      local pid = load_text(one.name, hostile.text(one)).pid
      local sent = alice:send(id, "begin")
      bob:event("message.received", { id = sent.id })
      cores.talk(id, alice, bob)
      cores.ask(one.name .. " is reported", function()
        local said = report(one.name)
        if one.ends ~= "error" and was_stopped(one.name, pid) then return true end
        return one.ends ~= "stopped" and said and said:find(one.reason or ".") ~= nil
      end, 60000)
      cores.talk(id, alice, bob)
      if one.ends == "error" then assert.are.equal(pid, bob:script(one.name, { health = false }).pid) end
      bob:call("scripts.unload", { name = one.name })
      cores.wait("its end", function() return not sys.alive(pid) end)
    end)
  end

  it("and fails again and again is disabled, which the doctor tells, until a person reloads it", function()
    finally(function() bob:try("scripts.unload", { name = "again" }) end)
    load_text("again", [[
      local sotto = require "sotto"
      local s = sotto.script { name = "again", version = "1.0", api = 1, needs = { "timers" } }
      s:after("10ms", function() while true do end end)
    ]])
    local failed
    repeat failed = bob:event("script.failed", { name = "again" }, 60000) until failed.state == "disabled"
    assert.are.equal("disabled", failed.state)
    assert.is_nil(failed.pid)
    local found
    for _, one in ipairs(bob:call "system.doctor") do found = found or one.check == "scripts" and one end
    assert.are.equal("fail", found.status)
    assert.truthy(found.text:find "again has failed again and again")
    assert.are.equal("running", bob:call("scripts.reload", { name = "again" }).state)
  end)

  it("or whose process is killed in a call starts again, and hears what comes after", function()
    finally(function() bob:try("scripts.unload", { name = "killed" }) end)
    local pid = load_text("killed", [[
      local sotto = require "sotto"
      local s = sotto.script { name = "killed", version = "1.0", api = 1, needs = { "messages" } }
      s:command("wait", {}, function() sotto.sleep "60s" end)
      s:on("message.received", { match = "^ping" }, function(m) m:reply("pong " .. m.text) end)
    ]]).pid
    local request = bob.control:request("scripts.command", { name = "killed", command = "wait" })
    alice:send(id, "ping 1")
    assert.are.equal("pong ping 1", alice:event("message.received", { text = "pong ping 1" }).text)
    sys.kill(pid, "SIGKILL")
    assert.are.equal("canceled", bob.control:answer(request).error.data.name)
    bob:event("script.failed", { name = "killed" })
    cores.ask("it runs again", function() return bob:script("killed", { health = false }).state == "running" end)
    alice:send(id, "ping 2")
    alice:event("message.received", { text = "pong ping 2" })
    -- at most once
    local pongs = 0
    for _, text in ipairs(alice:texts(id, bob.fingerprint)) do
      if text == "pong ping 1" then pongs = pongs + 1 end
    end
    assert.are.equal(1, pongs)
  end)

  it("has a process that the kernel holds: no calls beyond a list, no new privileges, few descriptors, the lowest priority", function()
    finally(function() bob:try("scripts.unload", { name = "held" }) end)
    local pid = load_text("held", [[
      local sotto = require "sotto"
      sotto.script { name = "held", version = "1.0", api = 1 }
    ]]).pid
    local status, limits = system.read_proc(pid, "status"), system.read_proc(pid, "limits")
    assert.are.equal("1", status:match "NoNewPrivs:%s*(%d)")
    if not (os.getenv "SOTTO_SPEC_BUILD" or ""):find "asan" then
      assert.are.equal("2", status:match "Seccomp:%s*(%d)")
      assert.are.equal(tostring((16 + 48) << 20), limits:match "Max data size%s+(%d+)")
    end
    assert.are.equal("32", limits:match "Max open files%s+(%d+)")
    assert.are.equal("0", limits:match "Max core file size%s+(%d+)")
    -- the 19th field; the name in parentheses has no spaces
    local fields = {}
    for field in system.read_proc(pid, "stat"):gmatch "%S+" do fields[#fields + 1] = field end
    assert.are.equal("19", fields[19])
    assert.is_true(#sys.list(("/proc/%d/fd"):format(pid)) <= 8)
  end)
end)
