-- SPDX-License-Identifier: GPL-3.0-or-later
-- What goes over the wires of a LAN, and what a core makes of what hostile machines send there.
-- SOTTO_SPEC_FLOOD_SECONDS: how long the flood lasts (make bench-lan takes ten).
local capture = require "support.capture"
local cores = require "support.cores"
local gnupg = require "support.gnupg"
local json = require "sotto.json"
local lans = require "support.lans"
local loop = require "sotto.loop"
local people = require "support.lan_people"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"

local FILE = "spec/scenario/lan_wire_spec.lua"
local FLOOD_SECONDS = tonumber(os.getenv "SOTTO_SPEC_FLOOD_SECONDS") or 3
local RATE = 10000 -- of each kind, a second
-- a sanitizer keeps what is freed
local GROWTH_MAX_KB = 24 * 1024 * (os.getenv "ASAN_OPTIONS" and 8 or 1)

local person, seen, is_online = people.person, people.seen, people.is_online

lans.describe(FILE, "the wires of a LAN", function()
  after_each(people.clean)

  it("P1.2 P1.3 no answer is longer than its query, and none goes to everybody: on the wire", function()
    local lan = lans.new { v4 = true, v6 = true }
    local wire = assert(capture.open(lan.hub, "br0"))
    local all = {}
    local function take()
      for _, datagram in ipairs(wire:take()) do all[#all + 1] = datagram end
    end
    local everybody = {}
    for i = 1, 4 do
      everybody[i] = person("person" .. i, lan:place(), { config = "limits = { presence_lifetime = 12 }" })
      take()
    end
    for i = 1, 4 do
      for j = 1, 4 do
        if i ~= j then cores.ask("everybody to see everybody", function() return is_online(everybody[i], everybody[j]) end) end
      end
    end
    -- and some rounds of those who know each other
    cores.ask("the fourth question by each path", function()
      take()
      return everybody[1]:metrics()["lan_sent:queries"] >= 12
    end, 90000)
    take()
    assert.are.equal(0, wire:lost())
    wire:close()
    local asked, answered, counts = {}, {}, { query = 0, answer = 0, announcement = 0 }
    for _, datagram in ipairs(all) do
      local from, to = datagram.from:gsub("%%%d+", ""), datagram.to:gsub("%%%d+", "")
      if datagram.kind then counts[datagram.kind] = counts[datagram.kind] + 1 end
      if datagram.kind == "query" then
        asked[from] = datagram.length
      elseif datagram.kind == "answer" then
        assert.is_truthy(asked[to], "an answer to nobody's query")
        assert.is_true(datagram.length <= asked[to], ("%d bytes for %d"):format(datagram.length, asked[to]))
        assert.is_nil(to:find "^%[ff" or to:find "%.255%.255:", "an answer to everybody")
        local before = answered[from .. ">" .. to]
        assert.is_true(not before or datagram.at - before >= 4500, "two answers to one within five seconds")
        answered[from .. ">" .. to] = datagram.at
      elseif datagram.kind == "announcement" then
        assert.is_truthy(to:find "^%[ff12::73:6f74:746f%]:4788" or to == "10.77.255.255:4788", to)
      end
    end
    assert.is_true(counts.query >= 16 and counts.answer >= 12 and counts.announcement >= 4,
      ("%d, %d, %d"):format(counts.query, counts.answer, counts.announcement))
  end)

  -- --- a flood -----------------------------------------------------------------------------------

  -- A process of its own, as it would be on a machine of its own; what it printed when it has ended.
  local function start_flood(place, to)
    local settings = { ms = FLOOD_SECONDS * 1000, rate = RATE, to = to, from = {} }
    for host = 1, 16 do
      place:ip(("addr add 10.77.9.%d/16 dev eth0"):format(host))
      for port = 1, 16 do table.insert(settings.from, ("10.77.9.%d:%d"):format(host, 5000 + port)) end
    end
    local path = cores.root() .. "/flood.json"
    system.write(path, json.encode(settings))
    local process = { out = {} }
    local function take(line) process.out[#process.out + 1] = line end
    process.handle = assert(loop.spawn {
      program = "ip", "netns", "exec", place.netns, "lua5.4", "spec/support/flood.lua", path, cores.root() .. "/certificate",
      stdout = "pipe", stderr = "pipe", on_stdout = take, on_stderr = take,
      on_exit = function(status)
        process.status = status or -1
        waiting.wake()
      end,
    })
    return process
  end

  local function memory_kb(who)
    return tonumber(system.read(("/proc/%d/status"):format(who:pid())):match "VmRSS:%s*(%d+)")
  end

  -- The longest turn's computing, as the core says it; 0 where it does not.
  local function longest_turn_ms(who)
    local text = who:call("system.metrics").text
    return (tonumber(text:match 'longest_turn_computing_seconds{since="minute"} ([%d.]+)') or 0) * 1000
  end

  -- A word every tenth of a second, each way in turn, until that is over; how long each took there and back, in order.
  local function converse(id, pair, is_over)
    local times = {}
    repeat
      local from, to = pair[#times % 2 + 1], pair[(#times + 1) % 2 + 1]
      local start = loop.now()
      local sent = from:send(id, "word " .. #times)
      to:event("message.received", { id = sent.id })
      from:event("message.delivered", { id = sent.id })
      times[#times + 1] = loop.now() - start
      cores.ask("the next word's time", function() return loop.now() - start >= 100 end)
    until is_over(#times)
    table.sort(times)
    return times
  end

  local function describe_times(times)
    return ("%d words, there and back in %d ms (median), %d at most"):format(#times, times[(#times + 1) // 2], times[#times])
  end

  local function dropped(who, before)
    local found, sum = {}, 0
    for name, value in pairs(who:metrics()) do
      local reason = name:match "^l?a?n?_?datagrams_dropped:(.*)$"
      local count = reason and value - (before[name] or 0) or 0
      if count > 0 then
        found[#found + 1] = ("%s %d"):format(name, count)
        sum = sum + count
      end
    end
    table.sort(found)
    return table.concat(found, ", "), sum
  end

  it("P1.8 a flood of junk and of strangers changes nothing for two who talk", function()
    local lan = lans.new { v4 = true, v6 = true }
    local alice, bob = person("alice", lan:place()), person("bob", lan:place())
    local attacker = lan:place()
    seen(alice, bob)
    seen(bob, alice)
    local id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
    local home <close> = setmetatable({ of = gnupg.home() }, { __close = function(self) self.of:close() end })
    assert(home.of:gpg "--quick-generate-key 'A Stranger' future-default default never")
    system.write(cores.root() .. "/certificate", assert(home.of:gpg "--export"))
    local before, memory = alice:metrics(), memory_kb(alice)
    local quiet = converse(id, { alice, bob }, function(said) return said == 10 end)
    alice.control.counts = {}
    local start = loop.now()
    local process = start_flood(attacker, { "10.77.255.255:4788", "10.77.0.2:" .. alice.address:match "%d+$" })
    local loud = converse(id, { alice, bob }, function() return process.status end)
    assert.are.equal(0, process.status, table.concat(process.out, "\n"))
    local sent = tonumber(process.out[1]:match "^sent (%d+)")
    local grown, reasons, sum = memory_kb(alice) - memory, dropped(alice, before)
    local after = alice:metrics()
    local taken = after["datagrams_taken:direct"] + after["datagrams_taken:lan"] - before["datagrams_taken:direct"] -
      before["datagrams_taken:lan"]
    print(("  a flood of %d s: %s\n  before it %s\n  in it %s\n  %d KB more memory, %d records looked into, longest turn " ..
      "%.1f ms\n  dropped: %s"):format(FLOOD_SECONDS, process.out[1], describe_times(quiet), describe_times(loud), grown, taken,
      longest_turn_ms(alice), reasons))
    -- every word arrived, or converse would still wait; and who is there is still there
    assert.is_true(is_online(alice, bob))
    assert.are.equal("open", alice:discussion(id).state)
    -- it was a flood, and nearly all of it was dropped
    assert.is_true(sent >= RATE * FLOOD_SECONDS / 2, process.out[1])
    -- strangers' and known ones' buckets, each full before it began
    assert.is_true(taken <= 2 * (400 + 334 * (loop.now() - start) / 1000), taken)
    assert.is_true(sum > 0 and grown < GROWTH_MAX_KB, grown)
    for _, reason in ipairs { "malformed", "unasked", "signature" } do
      assert.truthy(reasons:find(reason, 1, true), reasons)
    end
    assert.truthy(reasons:find "limit_" or reasons:find "overflow", reasons)
    -- strangers are as many as there may be, and front ends have heard of a few
    assert.is_true(#alice:call "peers.list" <= 4096)
    local told, seconds = alice.control.counts["peer.seen"] or 0, (loop.now() - start) / 1000
    assert.is_true(told <= 20 + 20 * seconds + 1, ("%d in %.1f s"):format(told, seconds))
    -- newcomers are seen all the same, once it is over
    local carol = person("carol", lan:place())
    seen(alice, carol)
    seen(carol, alice)
    assert.is_true(sys.exists("/proc/" .. alice:pid()))
  end)
end)
