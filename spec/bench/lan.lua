-- SPDX-License-Identifier: GPL-3.0-or-later
-- What finding each other on the LAN costs: `make bench-lan`, as root. Many cores in three network namespaces on a bridge: when
-- everybody sees everybody, what travels in a minute, what that costs each of them; and an idle core with and without it.
-- Usage: lua5.4 spec/bench/lan.lua [CORES]
package.path = "./lua/?.lua;./spec/?.lua;" .. package.path
package.cpath = "./build/?.so;" .. package.cpath
local capture = require "support.capture"
local cores = require "support.cores"
local lans = require "support.lans"
local loop = require "sotto.loop"
local people = require "support.lan_people"
local system = require "support.system"
local waiting = require "support.waiting"

local CORES, PLACES, MINUTE_MS, AT_ONCE = tonumber(arg[1]) or 50, 3, 60000, 4
local PATIENCE_MS = 20 * MINUTE_MS

local function pause(ms)
  local start = loop.now()
  waiting.wait("time", function() return loop.now() - start >= ms end, ms + MINUTE_MS)
end

-- processor time of a process alone, without what it started, in ms
local function cpu_ms(who) return tonumber(system.read(("/proc/%d/schedstat"):format(who:pid())):match "^%d+") / 1e6 end

local function rss_mb(who) return tonumber(system.read(("/proc/%d/status"):format(who:pid())):match "VmRSS:%s*(%d+)") / 1024 end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function idle()
  local lan = lans.new { v4 = true, v6 = true }
  local off = people.person("off", lan:place(), { discover = "off" })
  local alone = people.person("alone", lan:place())
  pause(5000) -- keys are made ahead
  local before = { cpu_ms(off), cpu_ms(alone) }
  pause(MINUTE_MS)
  print("An idle core, processor time in a minute:")
  print(("  discover off                          %6.1f ms"):format(cpu_ms(off) - before[1]))
  print(("  alone on a LAN of both families       %6.1f ms"):format(cpu_ms(alone) - before[2]))
  people.clean()
end

local function start_all(places)
  local all = {}
  for first = 1, CORES, AT_ONCE do
    local requests = {}
    for i = first, math.min(CORES, first + AT_ONCE - 1) do
      local place = places[(i - 1) % PLACES + 1]
      all[i] = cores.absent("core" .. i, { netns = place.netns, listen = "[::]:0", discover = false, arguments = {} }):start()
      requests[i] = all[i].control:request("identity.create", { name = "core" .. i })
    end
    for i, request in pairs(requests) do
      all[i].fingerprint = all[i].control:answer(request, "an identity", PATIENCE_MS).result.fingerprint
    end
  end
  return all
end

local function count_online(who)
  local count = 0
  for _, peer in ipairs(who:call "peers.list") do count = count + (peer.online and 1 or 0) end
  return count
end

local function wait_for_all(all)
  local start, seen = loop.now(), 0
  cores.ask(function() return ("everybody to see everybody: %d of %d pairs"):format(seen, CORES * (CORES - 1)) end, function()
    seen = 0
    for _, who in ipairs(all) do
      who.control:forget_events()
      seen = seen + count_online(who)
    end
    return seen == CORES * (CORES - 1)
  end, PATIENCE_MS)
  return loop.now() - start
end

local function sums(all)
  local sum = {}
  for _, who in ipairs(all) do
    for name, value in pairs(who:metrics()) do sum[name] = (sum[name] or 0) + value end
  end
  return sum
end

local function wait_for_proofs(all)
  cores.ask("the certifications to be checked", function()
    for _, who in ipairs(all) do
      for _, peer in ipairs(who:call "peers.list") do
        if not peer.proven then return false end
      end
    end
    return true
  end, PATIENCE_MS)
end

local function measure_minute(lan, all)
  local wire = assert(capture.open(lan.hub, "br0"))
  local cpu, seen = {}, { query = { 0, 0 }, answer = { 0, 0 }, announcement = { 0, 0 } }
  local before = sums(all)
  for i, who in ipairs(all) do cpu[i] = cpu_ms(who) end
  for _ = 1, 30 do
    pause(MINUTE_MS // 30)
    for _, datagram in ipairs(wire:take()) do
      local kind = seen[datagram.kind]
      if kind then kind[1], kind[2] = kind[1] + 1, kind[2] + datagram.length end
    end
  end
  for i, who in ipairs(all) do cpu[i] = cpu_ms(who) - cpu[i] end
  local after = sums(all)
  print(("A minute of %d cores in %d namespaces, both families, which know each other:"):format(CORES, PLACES))
  for _, kind in ipairs { "query", "announcement", "answer" } do
    print(("  on the bridge, %-14s          %6d datagrams  %8.1f KB"):format(kind, seen[kind][1], seen[kind][2] / 1024))
  end
  local function delta(name) return (after[name] or 0) - (before[name] or 0) end
  print(("  sent by all, on the wire or not        %6d datagrams  %8.1f KB"):format(delta "datagrams_sent",
    delta "datagram_bytes:sent" / 1024))
  local heard = delta "lan_datagrams_received" + delta "datagrams_received"
  print(("  heard by each                          %6d datagrams  %8.1f KB"):format(heard // CORES,
    (delta "lan_datagram_bytes:received" + delta "datagram_bytes:received") / 1024 / CORES))
  print(("  dropped in all: overflow %d, limits %d"):format(delta "lan_datagrams_dropped:overflow" +
    delta "datagrams_dropped:overflow", delta "lan_datagrams_dropped:limit_source" + delta "lan_datagrams_dropped:limit_host" +
    delta "lan_datagrams_dropped:limit_all" + delta "datagrams_dropped:limit_source" +
    delta "datagrams_dropped:limit_host" + delta "datagrams_dropped:limit_all"))
  local memory = {}
  for i, who in ipairs(all) do memory[i] = rss_mb(who) end
  print(("  processor time of each                 %6.1f ms (median), %.1f MB of memory"):format(median(cpu), median(memory)))
  wire:close()
end

local function work()
  idle()
  local lan, places = lans.new { v4 = true, v6 = true }, {}
  for i = 1, PLACES do places[i] = lan:place() end
  local start = loop.now()
  local all = start_all(places)
  print(("%d cores are started, with an identity each:         %6.1f s"):format(CORES, (loop.now() - start) / 1000))
  print(("  everybody sees everybody, after the last start       %6.1f s"):format(wait_for_all(all) / 1000))
  start = loop.now()
  wait_for_proofs(all)
  print(("  and has checked everybody's certification            %6.1f s later (%d by gpg)"):format((loop.now() - start) / 1000,
    CORES * (CORES - 1)))
  measure_minute(lan, all)
  wait_for_all(all)
end

local ok, failure = xpcall(work, debug.traceback)
local cleaned, problem = pcall(people.clean)
for _, text in ipairs { not ok and failure or nil, not cleaned and problem or nil } do print(text) end
os.exit(ok and cleaned)
