-- SPDX-License-Identifier: GPL-3.0-or-later
-- What scripts cost a core, and what those that mean harm cost the people on it: `make bench-scripts`. Parts: cycles bots
-- latency; words after it choose some, and names of hostile scripts the rows of the last: PARTS="latency busy pcall".
-- MESSAGES=n, CYCLES=n, BOTS=n change the amounts.
package.path = "./lua/?.lua;./spec/?.lua;" .. package.path
package.cpath = "./build/?.so;" .. package.cpath
local figures = require "bench.figures"
local hostile = require "support.hostile"
local pair = require "bench.pair"
local sys = require "sotto.sys"
local system = require "support.system"

local function number(name, standard) return math.tointeger(tonumber(os.getenv(name))) or standard end
local MESSAGES, CYCLES, BOTS = number("MESSAGES", 1000), number("CYCLES", 1000), number("BOTS", 50)
local BLOCK, IDLE_MS, EVENTS = 50, 20000, 300
local WARM_UP = 4096 // 3 + 100

local ECHO = [[
local sotto = require "sotto"
local s = sotto.script { name = "%s", version = "1.0", api = 1, needs = { "messages" } }
s:on("message.received", { match = "^ping " }, function(m) m:reply("pong " .. m.text) end)
s:on("message.sent", { match = "^mark " }, function(m) s.log(m.text) end)
]]

-- the measure of the others
local HARMLESS = { name = "(harmless)", body = "", ends = "either" }

local chosen = {}
for _, word in ipairs(arg) do chosen[word] = true end
local function wanted(part) return not next(chosen) or chosen[part] end

local function print_row(name, text, ...) print(("  %-52s " .. text):format(name, ...)) end

local function load_text(person, name, text)
  local path = ("%s/%s.lua"):format(person.home, name)
  system.write(path, text)
  return person:call("scripts.load", { path = path, grant = true })
end

local function field(pid, file, name)
  return tonumber((system.read_proc(pid, file) or ""):match(name .. ":%s*(%d+)")) or 0
end

local function children(pid)
  local found = {}
  for _, name in ipairs(sys.list "/proc") do
    if tonumber(name) and field(name, "status", "PPid") == pid then found[#found + 1] = tonumber(name) end
  end
  return found
end

local function descriptors(pid) return #sys.list(("/proc/%d/fd"):format(pid)) end

-- --- load, unload and reload ---------------------------------------------------------------------------------------

local function state_of(core)
  return {
    descriptors = descriptors(core), processes = #children(core), kilobytes = field(core, "smaps_rollup", "Private_Dirty"),
  }
end

local function pongs(a, b, id, text)
  local count, done = 0, false
  a.on["message.received"] = function(event)
    if event.message.text == "pong ping " .. text then count = count + 1 end
    if event.message.text == "end " .. text then done = true end
  end
  a:call("messages.send", { discussion = id, text = "ping " .. text })
  repeat pair.pause(20) until count > 0
  -- a second answer would have come before this
  b:call("messages.send", { discussion = id, text = "end " .. text })
  repeat pair.pause(20) until done
  a.on["message.received"] = nil
  return count
end

local function cycle(b)
  load_text(b, "cycle", ECHO:format "cycle")
  b:call("scripts.reload", { name = "cycle" })
  b:call("scripts.unload", { name = "cycle" })
  b:forget_events()
end

local function cycles(a, b, id)
  local core = b.process.pid
  -- the core keeps so many events for who comes late, whatever they are about
  for _ = 1, WARM_UP do cycle(b) end
  pair.pause(500)
  local before = state_of(core)
  for _ = 1, CYCLES do cycle(b) end
  load_text(b, "cycle", ECHO:format "cycle")
  b:call("scripts.reload", { name = "cycle" })
  local answers = pongs(a, b, id, "once")
  b:call("scripts.unload", { name = "cycle" })
  pair.pause(500)
  local after = state_of(core)
  print(("load, reload, unload: %d times, after %d that fill the ring of events"):format(CYCLES, WARM_UP))
  print_row("answers to one message, at the end", "%d", answers)
  print_row("descriptors of the core, before and after", "%d %d", before.descriptors, after.descriptors)
  print_row("its children", "%d %d", before.processes, after.processes)
  print_row("its own memory, kB", "%d %d", before.kilobytes, after.kilobytes)
end

-- --- many bots -----------------------------------------------------------------------------------------------------

local function sum(list, of)
  local total = 0
  for _, one in ipairs(list) do total = total + of(one) end
  return total
end

local function idle_share(pids)
  local before, start = sum(pids, function(pid) return sys.cpu_ms(pid) end), sys.monotonic_ms()
  pair.pause(IDLE_MS)
  local spent = sum(pids, function(pid) return sys.cpu_ms(pid) end) - before
  return 100 * spent / (sys.monotonic_ms() - start)
end

-- from the client's word of an event to what the script says to it, by way of the core: more than the event's own way
local function event_times(b, id)
  local times, begun, thread = {}, {}, nil
  b.on["message.sent"] = function(event) begun[event.message.text] = sys.monotonic_ms() end
  b.on["script.log"] = function(event)
    local text = event.log.text
    if not begun[text] then return end
    times[#times + 1] = sys.monotonic_ms() - begun[text]
    begun[text] = nil
    if thread then
      local waiting = thread
      thread = nil
      assert(coroutine.resume(waiting))
    end
  end
  for i = 1, EVENTS do
    b:call("messages.send", { discussion = id, text = "mark " .. i })
    thread = coroutine.running()
    coroutine.yield()
  end
  b.on["message.sent"], b.on["script.log"] = nil, nil
  return times
end

local function bots(_, b, id)
  local core = b.process.pid
  local alone = idle_share { core }
  load_text(b, "bot0", ECHO:format "bot0")
  local times = event_times(b, id)
  local pids = {}
  for i = 1, BOTS - 1 do load_text(b, "bot" .. i, ((ECHO:format("bot" .. i)):gsub("s:on%(\"message.sent.-\n", ""))) end
  for _, one in ipairs(b:call("scripts.list", { health = false })) do pids[#pids + 1] = one.pid end
  local pss = {}
  for i, pid in ipairs(pids) do pss[i] = field(pid, "smaps_rollup", "Pss") / 1024 end
  table.sort(pss)
  local with = { core, table.unpack(pids) }
  local share = idle_share(with)
  print(("%d bots on one core"):format(#pids))
  print_row("PSS of a bot, MB: median, largest", "%.2f %.2f", pss[#pss // 2 + 1], pss[#pss])
  print_row("idle: processor time of all bots and the core, %", "%.2f", share)
  print_row("idle: of the core without bots, %", "%.2f", alone)
  print_row("event to a script and its word back, ms: p50, p99", "%.2f %.2f", figures.at(times, 0.5),
    figures.at(times, 0.99))
  for _, one in ipairs(b:call("scripts.list", { health = false })) do b:call("scripts.unload", { name = one.name }) end
end

-- --- latency beside a script that means harm -----------------------------------------------------------------------

local function message_times(a, b, id, count, times)
  local thread, awaited = coroutine.running(), nil
  b.on["message.received"] = function(event)
    if event.message.text ~= awaited then return end
    awaited = nil
    assert(coroutine.resume(thread))
  end
  for _ = 1, count do
    local text = "m" .. sys.random_hex(8)
    local start = sys.monotonic_ms()
    a.connection:request("messages.send", { discussion = id, text = text }, function(_, failure)
      if failure then error(failure, 0) end
    end)
    awaited = text
    coroutine.yield()
    times[#times + 1] = sys.monotonic_ms() - start
    pair.pause(1)
  end
  b.on["message.received"] = nil
end

-- fresh for every block, so that it is at work; its fate is what the core reports
local function measure_one(a, b, id, one)
  local without, with, fate = {}, {}, "at work until it was unloaded"
  b.on["script.changed"] = function() end
  b.on["script.log"] = function(event)
    if event.log.level == "error" then fate = "an error: " .. event.log.text:match "[^\n]*":sub(1, 60) end
  end
  b.on["script.failed"] = function(event) fate = "stopped: " .. event.script.reason:match "[^\n]*" end
  while #with < MESSAGES do
    message_times(a, b, id, BLOCK, without)
    load_text(b, one.name:match "%a[%a-]*%a", hostile.text(one))
    -- its start is a person's doing, and no harm of its own
    message_times(a, b, id, 1, {})
    message_times(a, b, id, BLOCK, with)
    b:call("scripts.unload", { name = one.name:match "%a[%a-]*%a" })
  end
  return without, with, fate
end

local function ratio(with, without, share) return figures.at(with, share) / figures.at(without, share) end

-- the harmless one, and those that were named, or all
local function rows()
  local list, all = { HARMLESS }, true
  for _, one in ipairs(hostile.list) do
    if chosen[one.name] then all, list[#list + 1] = false, one end
  end
  return all and { HARMLESS, table.unpack(hostile.list) } or list
end

local function latency(a, b, id)
  print(("one message from person to person, ms; %d without and %d with the script, in turns of %d"):format(MESSAGES,
    MESSAGES, BLOCK))
  print(("  %-13s %7s %7s %6s %7s %7s %6s  %s"):format("script", "p50", "with", "times", "p99", "with", "times", "fate"))
  for _, one in ipairs(rows()) do
    local without, with, fate = measure_one(a, b, id, one)
    print(("  %-13s %7.1f %7.1f %6.2f %7.1f %7.1f %6.2f  %s"):format(one.name, figures.at(without, 0.5),
      figures.at(with, 0.5), ratio(with, without, 0.5), figures.at(without, 0.99),
      figures.at(with, 0.99), ratio(with, without, 0.99), fate))
    io.stdout:flush()
  end
end

-- --- all of it -----------------------------------------------------------------------------------------------------

local PARTS = { { "cycles", cycles }, { "bots", bots }, { "latency", latency } }

local function open(a, b)
  a:call("peers.probe", { address = b.address })
  pair.pause(500)
  local id = a:call("discussions.open", { peer = b.fingerprint, password = "correct horse battery" }).id
  b:wait "discussion.requested"
  b:call("discussions.accept", { discussion = id, password = "correct horse battery" })
  a:wait "discussion.opened"
  b:wait "discussion.opened"
  return id
end

local function measure(a, b)
  local id = open(a, b)
  print(figures.machine() .. "\n")
  for _, part in ipairs(PARTS) do
    if wanted(part[1]) then
      part[2](a, b, id)
      io.stdout:flush()
    end
  end
end

local function work()
  local a, b = pair.start "alice", pair.start "bob"
  local ok, failure = xpcall(measure, debug.traceback, a, b)
  a:stop()
  b:stop()
  if not ok then error(failure, 0) end
end

pair.run(work)
