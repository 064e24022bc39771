-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a discussion of many costs: `make bench-many` (MEMBERS=n, 32). Cores on loopback, one person's after the other admitted with
-- the consent of all: how long each admission takes; then messages of one to all others, next to what gpg needs for them; memory.
-- Usage: lua5.4 spec/bench/many.lua [MEMBERS]
package.path = "./lua/?.lua;./spec/?.lua;" .. package.path
package.cpath = "./build/?.so;" .. package.cpath
local figures = require "bench.figures"
local pair = require "bench.pair"
local secret = require "sotto.secret"
local sys = require "sotto.sys"

local MEMBERS, MESSAGES, ROUNDS = tonumber(arg[1]) or 32, 20, 20
local TEXT = ("the quick brown fox jumps over the lazy dog "):rep(5):sub(1, 200)
local PROCESSORS = 0
for line in io.lines "/proc/cpuinfo" do PROCESSORS = PROCESSORS + (line:find "^processor" and 1 or 0) end

local function operations(who)
  local text = who:call("system.metrics").text
  return math.tointeger(tonumber(text:match 'gpg_operations_total{[^}]*"done"[^}]*} (%d+)'))
end

local function members_of(who, id) return #who:call("discussions.show", { discussion = id }).members end

-- whatever others propose is consented to, at once
local function consents(who)
  who.on["proposal.opened"] = function(event)
    local answer = { proposal = event.proposal.id, answer = "consent" }
    who.connection:request("proposals.answer", answer, function() end)
  end
end

local function open_two(from, who)
  from:call("peers.probe", { address = who.address })
  local word = secret.new "for the benchmark"
  local id = from:call("discussions.open", { peer = who.fingerprint, password = word }).id
  who:wait "discussion.requested"
  who.connection:request("discussions.accept", { discussion = id, password = word }, function() end)
  repeat pair.pause(5) until who:call("discussions.show", { discussion = id }).state == "open"
    and from:call("discussions.show", { discussion = id }).state == "open"
  from:forget_events()
  who:forget_events()
  return id
end

-- from the newcomer's word until everybody sees it among the members; in seconds
local function admit(all, who, id)
  open_two(all[1], who)
  all[1]:call("proposals.create", { discussion = id, op = "admit", peer = who.fingerprint })
  who:wait "discussion.requested"
  local began = sys.monotonic_ms()
  who:call("discussions.accept", { discussion = id })
  all[#all + 1] = who
  for _, one in ipairs(all) do
    while members_of(one, id) ~= #all do pair.pause(10) end
  end
  while who:call("discussions.show", { discussion = id }).state ~= "open" do pair.pause(10) end
  for _, one in ipairs(all) do one:forget_events() end
  return (sys.monotonic_ms() - began) / 1000
end

local function linked(all, id)
  for _, one in ipairs(all) do
    local whole
    repeat
      whole = true
      for _, m in ipairs(one:call("discussions.show", { discussion = id }).members) do whole = whole and m.present end
      if not whole then pair.pause(20) end
    until whole
  end
end

-- one message at a time: from the call until all others have it
local function talk(all, id)
  local runs, thread, missing = {}, coroutine.running(), 0
  local waits = false
  for i = 2, #all do
    all[i].on["message.received"] = function()
      missing = missing - 1
      if missing == 0 and waits then
        waits = false
        assert(coroutine.resume(thread))
      end
    end
  end
  local before = operations(all[1])
  for i = 1, MESSAGES do
    missing = #all - 1
    local began = sys.monotonic_ms()
    all[1]:call("messages.send", { discussion = id, text = TEXT })
    waits = missing > 0
    if waits then coroutine.yield() end
    runs[i] = sys.monotonic_ms() - began
    pair.pause(200)
  end
  return runs, operations(all[1]) - before
end

local function gpg_alone()
  local raw = require("support.openpgp_bench").raw_seal_open(ROUNDS, #TEXT)
  return figures.at(raw.seal, 0.5), figures.at(raw.open, 0.5)
end

local function print_memory(all)
  local rss, pss = {}, {}
  for i, one in ipairs(all) do
    local cost = figures.cost(one.pid, false)
    rss[i], pss[i] = cost.rss, cost.pss
  end
  print(("  memory of a core, MB: RSS %.1f, PSS %.1f (medians; largest %.1f, %.1f)"):format(figures.at(rss, 0.5),
    figures.at(pss, 0.5), figures.at(rss, 1), figures.at(pss, 1)))
end

local seal, open = gpg_alone()
pair.run(function()
  local all, admissions = {}, {}
  for i = 1, 2 do
    all[i] = pair.start("member" .. i)
    consents(all[i])
  end
  local id = open_two(all[1], all[2])
  for i = 3, MEMBERS do
    local who = pair.start("member" .. i)
    consents(who)
    admissions[i] = admit(all, who, id)
    if i == 3 or i % 8 == 0 or i == MEMBERS then print(("  admission of the %d. member: %.1f s"):format(i, admissions[i])) end
  end
  linked(all, id)
  pair.pause(2000)
  local runs, used = talk(all, id)
  local floor = seal + open * math.max(1, (#all - 1) / PROCESSORS)
  local p50 = figures.at(runs, 0.5)
  print(("%d members, %d messages of 200 bytes, one at a time"):format(#all, MESSAGES))
  print(("  from the call until all others have it, ms: least %.0f, median %.0f, longest %.0f"):format(figures.at(runs, 0), p50,
    figures.at(runs, 1)))
  print(("  gpg alone: one seal %.1f ms, %d opens on %d processors, of %.1f ms each: %.0f ms; ratio %.2f"):format(seal, #all - 1,
    PROCESSORS, open, floor, p50 / floor))
  print(("  operations of gpg at the sender, a message: %.2f"):format(used / MESSAGES))
  print_memory(all)
  local last = pair.start("member" .. #all + 1)
  consents(last)
  print(("  admission of the %d. member: %.1f s"):format(#all + 1, admit(all, last, id)))
  for _, one in ipairs(all) do one:stop() end
end)
