-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a message and an opening cost, beside raw gpgme in the same run: `make bench`. Trust the ratios, and minima
-- more than medians: machines are shared.
package.path = "./lua/?.lua;./spec/?.lua;" .. package.path
package.cpath = "./build/?.so;" .. package.cpath
local loop = require "sotto.loop"
local pair = require "bench.pair"
local secret = require "sotto.secret"
local sys = require "sotto.sys"

local ROUNDS, PER_ROUND, IDLE_MS, OPENINGS = 5, 12, 25, 5
local TEXT = ("the quick brown fox jumps over the lazy dog "):rep(5):sub(1, 200)

local function at(runs, share)
  table.sort(runs)
  return runs[math.max(1, math.ceil(#runs * share))]
end

local function row(name, runs, base)
  local min, median = at(runs, 0), at(runs, 0.5)
  local ratio = base and ("   %4.2f × min  %4.2f × p50"):format(min / at(base, 0), median / at(base, 0.5)) or ""
  print(("  %-52s min %7.2f  p50 %7.2f ms%s"):format(name, min, median, ratio))
end

local function append(to, from)
  for _, value in ipairs(from) do to[#to + 1] = value end
end

-- in a process of its own: it has a loop of its own
local function raw_gpgme()
  local thread, runs = coroutine.running(), {}
  assert(loop.spawn {
    "spec/bench/raw.lua", tostring(PER_ROUND), tostring(#TEXT),
    program = "lua5.4", stdout = "pipe",
    on_stdout = function(line) runs[#runs + 1] = tonumber(line) end,
    on_exit = function() loop.after(50, function() assert(coroutine.resume(thread)) end) end,
  })
  coroutine.yield()
  assert(#runs == PER_ROUND, "raw gpgme could not be measured")
  return runs
end

local function message_latency(alice, bob, id)
  local runs = {}
  for i = 1, PER_ROUND do
    pair.pause(IDLE_MS)
    bob:forget_events()
    local began = sys.monotonic_ms()
    alice.connection:request("messages.send", { discussion = id, text = TEXT }, function() end)
    bob:wait("message.received")
    runs[i] = sys.monotonic_ms() - began
  end
  return runs
end

-- one opening with automatic accept; what passed until each step
local function open_once(alice, bob, steps)
  alice:forget_events()
  bob:forget_events()
  pair.pause(1500) -- the next key is made ahead, as it would be for people
  local word = secret.new("correct horse battery")
  local began = sys.monotonic_ms()
  local function mark(name)
    steps[name] = steps[name] or {}
    table.insert(steps[name], sys.monotonic_ms() - began)
  end
  local id = alice:call("discussions.open", { peer = bob.fingerprint, password = word }).id
  mark("answered")
  bob:wait("discussion.requested")
  mark("requested")
  bob.connection:request("discussions.accept", { discussion = id, password = word }, function() end)
  alice:wait("discussion.opened")
  mark("open at one side")
  if bob:call("discussions.show", { discussion = id }).state ~= "open" then bob:wait("discussion.opened") end
  mark("open at both")
  return id
end

local function close(alice, bob, id)
  alice:call("discussions.close", { discussion = id })
  bob:wait("discussion.closed")
end

local function measure(alice, bob)
  alice:call("peers.probe", { address = bob.address })
  pair.pause(500)
  local raw, message, steps = {}, {}, {}
  for _ = 1, OPENINGS - 1 do close(alice, bob, open_once(alice, bob, steps)) end
  local id = open_once(alice, bob, steps)
  pair.pause(500)
  message_latency(alice, bob, id) -- warm-up
  for _ = 1, ROUNDS do
    append(raw, raw_gpgme())
    append(message, message_latency(alice, bob, id))
  end
  print "One message of 200 bytes, between two idle cores:"
  row("raw gpgme, seal + open", raw)
  row("messages.send → message.received, socket to socket", message, raw)
  print "discussions.open, accepted at once, from the call on:"
  for _, name in ipairs { "answered", "requested", "open at one side", "open at both" } do
    row(name, steps[name], raw)
  end
  print [[
  of that gpg, one after the other: import, seal M3 · import, open M3 · seal M4 (beside it sign, verify, import) ·
  open M4 · verify and import · seal M7 · open M7]]
end

local function work()
  local alice, bob = pair.start("alice"), pair.start("bob")
  local ok, failure = xpcall(measure, debug.traceback, alice, bob)
  alice:stop()
  bob:stop()
  if not ok then error(failure, 0) end
end

local ok, failure = false, "interrupted"
local thread = coroutine.create(function()
  ok, failure = xpcall(work, debug.traceback)
  loop.stop()
end)
loop.defer(function() assert(coroutine.resume(thread)) end)
loop.run()
if not ok then
  print(failure)
  os.exit(1)
end
