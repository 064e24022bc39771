-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a message, an opening and doing nothing cost, beside raw gpgme and c-toxcore in the same run, interleaved: `make bench`.
-- Trust the ratios, and minima more than medians: machines are shared. docs/benchmarks.md says what each row is.
-- Words after it choose parts: open idle talk speed; and alone: without the others.
package.path = "./lua/?.lua;./spec/?.lua;" .. package.path
package.cpath = "./build/?.so;" .. package.cpath
local figures = require "bench.figures"
local loop = require "sotto.loop"
local pair = require "bench.pair"
local secret = require "sotto.secret"
local sys = require "sotto.sys"
local tox = require "bench.tox"

local ROUNDS, PER_ROUND, PAUSE_MS = 5, 12, 25
local OPENINGS, TOX_OPENINGS = 5, 2
local IDLE_MS = 5000
local SPEED_ROUNDS, MANY, FEW, BATCH = 3, 20000, 2000, 1000
local TEXT = ("the quick brown fox jumps over the lazy dog "):rep(5):sub(1, 200)

local started = { name = "seal + open, gpg started for each, ms", text = "%.1f" }
local ahead = { name = "seal + open, gpg started ahead, ms", text = "%.1f" }
local message = { name = "message of 200 B, ms", text = "%.1f" }
local echo = { name = "echo: there and back, ms", text = "%.1f" }
local opening = { name = "open a discussion, ms", text = "%.0f" }
local many = { name = "messages a second, 1000 in a call", text = "%.0f", more_is_better = true }
local single = { name = "messages a second, a call for each", text = "%.0f", more_is_better = true }
local memory = { name = "idle: RSS of a core, MB", text = "%.1f" }
local shared = { name = "idle: PSS of a core, MB", text = "%.1f" }
local all = { name = "idle: PSS with its gpg processes, MB", text = "%.1f" }
local idle = { name = "idle: processor time, %", text = "%.2f" }
local rows = { started, ahead, message, echo, opening, many, single, memory, shared, all, idle }

local chosen = {}
for _, word in ipairs(arg) do chosen[word] = true end
local alone = chosen.alone
chosen.alone = nil
local function wanted(part) return not next(chosen) or chosen[part] end

local function add(row, column, runs)
  row[column] = row[column] or {}
  figures.append(row[column], runs)
end

-- --- gpg without a core around it: in a process of its own, in homes like the core's -----------------

-- seal + open of `bytes`, a number of times
local function gpg_alone(way, times, bytes)
  local thread, runs = coroutine.running(), {}
  assert(loop.spawn {
    "spec/bench/raw.lua", way, tostring(times), tostring(bytes),
    program = "lua5.4", stdout = "pipe",
    on_stdout = function(line) runs[#runs + 1] = tonumber(line) end,
    on_exit = function() loop.after(50, function() assert(coroutine.resume(thread)) end) end,
  })
  coroutine.yield()
  assert(#runs == times, "gpg alone could not be measured")
  return runs
end

local function raw_gpgme(times, bytes) return alone and {} or gpg_alone("raw", times, bytes) end

local function raw_round()
  local runs, twice, speed = raw_gpgme(PER_ROUND, #TEXT), {}, {}
  for i = 2, #runs, 2 do twice[#twice + 1] = runs[i] + runs[i - 1] end
  for i, ms in ipairs(runs) do speed[i] = 1000 / ms end
  for _, row in ipairs { started, ahead, message } do add(row, "raw gpgme", runs) end
  add(started, "sotto", gpg_alone("layer", PER_ROUND, #TEXT))
  add(ahead, "sotto", gpg_alone("ahead", PER_ROUND, #TEXT))
  add(echo, "raw gpgme", twice)
  add(single, "raw gpgme", speed)
end

-- --- sotto -------------------------------------------------------------------------------------------

local function send(person, id, text)
  person.connection:request("messages.send", { discussion = id, text = text }, function(_, failure)
    if failure then error(person.name .. ": " .. failure, 0) end
  end)
end

-- from the call on alice's socket to the event on bob's; with `back`, to that of bob's answer on alice's
local function message_round(alice, bob, id, back)
  local runs = {}
  if back then
    bob.on["message.received"] = function(event) send(bob, id, event.message.text) end
  end
  for i = 1, PER_ROUND do
    pair.pause(PAUSE_MS)
    alice:forget_events()
    bob:forget_events()
    local began = sys.monotonic_ms()
    send(alice, id, TEXT);
    (back and alice or bob):wait "message.received"
    runs[i] = sys.monotonic_ms() - began
  end
  bob.on["message.received"] = nil
  return runs
end

-- one opening, accepted at once: from the call until both sides say so
local function open_once(alice, bob)
  alice:forget_events()
  bob:forget_events()
  pair.pause(1500) -- the next key is made ahead, as it would be for people
  local word = secret.new "correct horse battery"
  local began = sys.monotonic_ms()
  local id = alice:call("discussions.open", { peer = bob.fingerprint, password = word }).id
  bob:wait "discussion.requested"
  bob.connection:request("discussions.accept", { discussion = id, password = word }, function() end)
  alice:wait "discussion.opened"
  if bob:call("discussions.show", { discussion = id }).state ~= "open" then bob:wait "discussion.opened" end
  add(opening, "sotto", { sys.monotonic_ms() - began })
  return id
end

local function close(alice, bob, id)
  alice:call("discussions.close", { discussion = id })
  bob:wait "discussion.closed"
end

-- Texts are handed over with `window` calls under way, until the last one is delivered.
local function throughput(alice, id, count, batch, window)
  local thread, sent, busy, last, delivered = coroutine.running(), 0, 0, nil, nil
  local function over() return last and delivered == last end
  local function note(messages)
    if over() then return end
    delivered = messages[#messages].id
    if over() then assert(coroutine.resume(thread)) end
  end
  alice.on["message.delivered"] = function(event) note(event.messages) end
  -- too many events at once: what came of them is asked for
  local function ask()
    if over() then return end
    alice.connection:request("messages.list", { discussion = id, limit = 1 }, function(list)
      if list[1].id == last and list[1].state == "delivered" then return note(list) end
      loop.after(5, ask)
    end)
  end
  alice.on["events.lagged"] = ask
  alice:call("events.subscribe", { types = { "message.delivered" }, batch = true })
  local texts = {}
  for i = 1, batch do texts[i] = TEXT end
  local began = sys.monotonic_ms()
  local more
  function more()
    while sent < count and busy < window do
      sent, busy = sent + batch, busy + 1
      local call = batch > 1 and { discussion = id, texts = texts } or { discussion = id, text = TEXT }
      alice.connection:request("messages.send", call, function(result, failure, name)
        busy = busy - 1
        if name == "busy" then -- its queue is full: in a moment once more
          sent = sent - batch
          return loop.after(2, more)
        end
        if failure then error(failure, 0) end
        if sent == count and busy == 0 then last = batch > 1 and result[batch].id or result.id end
        more()
        if over() then assert(coroutine.resume(thread)) end
      end)
    end
  end
  more()
  coroutine.yield()
  local ms = sys.monotonic_ms() - began
  alice.on = {}
  alice:call("events.subscribe", {})
  return { count / ms * 1000 }
end

-- --- the run -------------------------------------------------------------------------------------------

local function talk_rounds(alice, bob, id, clients)
  message_round(alice, bob, id, false) -- warm-up
  for _ = 1, ROUNDS do
    raw_round()
    add(message, "sotto", message_round(alice, bob, id, false))
    add(message, "c-toxcore", clients:run("message", PER_ROUND, #TEXT, PAUSE_MS))
    add(echo, "sotto", message_round(alice, bob, id, true))
    add(echo, "c-toxcore", clients:run("echo", PER_ROUND, #TEXT, PAUSE_MS))
    clients:run("poll", 1)
    add(message, "c-toxcore, 1 ms", clients:run("message", PER_ROUND, #TEXT, PAUSE_MS))
    add(echo, "c-toxcore, 1 ms", clients:run("echo", PER_ROUND, #TEXT, PAUSE_MS))
    clients:run("poll", 0)
  end
end

local function idle_round(alice, bob, clients)
  local function costs(with_children)
    local found = {}
    for _, pid in ipairs { alice.pid, bob.pid, clients.pids[1], clients.pids[2] } do
      found[#found + 1] = figures.cost(pid, with_children)
    end
    return found
  end
  pair.pause(1000)
  local before = costs(true)
  pair.pause(IDLE_MS)
  local after, own = costs(true), costs(false)
  for i, column in ipairs { "sotto", "sotto", "c-toxcore", "c-toxcore" } do
    -- of toxcore's second process only: the first has the second below it
    if after[i] and i ~= 3 then
      add(memory, column, { own[i].rss })
      add(shared, column, { own[i].pss })
      add(all, column, { after[i].pss })
      add(idle, column, { (after[i].cpu - before[i].cpu) / IDLE_MS * 1000 * 100 })
    end
  end
end

local function speed_rounds(alice, id, clients)
  local function tox_speed(count)
    local runs = clients:run("throughput", count, #TEXT)
    for i, ms in ipairs(runs) do runs[i] = count / ms * 1000 end
    return runs
  end
  for _ = 1, SPEED_ROUNDS do
    local batches = raw_gpgme(3, BATCH * #TEXT)
    for i, ms in ipairs(batches) do batches[i] = BATCH / ms * 1000 end
    add(many, "raw gpgme", batches)
    add(many, "sotto", throughput(alice, id, MANY, BATCH, 8))
    local own = tox_speed(MANY)
    clients:run("poll", 1)
    local fast = tox_speed(MANY)
    clients:run("poll", 0)
    add(single, "sotto", throughput(alice, id, FEW, 1, 128))
    for _, row in ipairs { many, single } do
      add(row, "c-toxcore", own)
      add(row, "c-toxcore, 1 ms", fast)
    end
  end
end

local function longest_turn(person)
  local text = person:call("system.metrics").text
  return ("%s %.1f ms (%.1f of them computing)"):format(person.name,
    tonumber(text:match 'longest_turn_seconds{since="minute"} (%S+)') * 1000,
    tonumber(text:match 'longest_turn_computing_seconds{since="minute"} (%S+)') * 1000)
end

local function measure(alice, bob, clients)
  local machine, turns = figures.machine(), nil
  alice:call("peers.probe", { address = bob.address })
  pair.pause(500)
  for i = 1, wanted "open" and OPENINGS - 1 or 0 do
    close(alice, bob, open_once(alice, bob))
    if i <= TOX_OPENINGS - 1 then add(opening, "c-toxcore", clients:run "open") end
  end
  local id = open_once(alice, bob)
  add(opening, "c-toxcore", clients:run "open")
  if wanted "idle" then idle_round(alice, bob, clients) end
  if wanted "talk" then
    talk_rounds(alice, bob, id, clients)
    turns = longest_turn(alice) .. ", " .. longest_turn(bob)
  end
  if wanted "speed" then speed_rounds(alice, id, clients) end
  print(machine .. "\n")
  figures.print(rows)
  if turns then print("\nLongest turn of the loop while they talked: " .. turns) end
end

-- in the place of the Tox clients
local nobody = { pids = {}, run = function() return {} end, stop = function() end }

local function work()
  local clients = alone and nobody or tox.start "build/bench/tox"
  local alice, bob = pair.start "alice", pair.start "bob"
  local ok, failure = xpcall(measure, debug.traceback, alice, bob, clients)
  alice:stop()
  bob:stop()
  clients:stop()
  if not ok then error(failure, 0) end
end

pair.run(work)
