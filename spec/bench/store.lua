-- What the store costs. Usage, from the root after make build/support.so: lua5.4 spec/bench/store.lua
package.path = "./spec/?.lua;" .. package.path
package.cpath = "./build/?.so;" .. package.cpath
local fixture = require "store.fixture"
local tools = require "support.store_tools"

local f = fixture.new()
local s, d, me = f.s, fixture.id(1), fixture.fingerprint(0)
local text = ("the quick brown fox jumps over the lazy dog "):rep(5):sub(1, 200)
assert(s:discussion_create(fixture.discussion(1)))

local function report(name, runs)
  table.sort(runs)
  local function at(share) return runs[math.max(1, math.ceil(#runs * share))] * 1000 end
  print(("%-58s min %8.3f  p50 %8.3f  p99 %8.3f ms"):format(name, runs[1] * 1000, at(0.5), at(0.99)))
end

local function measure(name, count, call)
  local runs = {}
  for i = 1, count do
    local start = tools.now()
    call(i)
    runs[i] = tools.now() - start
  end
  report(name, runs)
end

local number, sequence = 0, 0
local function message(t)
  number = number + 1
  local m = fixture.message(number, { text = text })
  for k, v in pairs(t or {}) do m[k] = v end
  assert(s:message_insert(m))
end
local function payload(messages)
  sequence = sequence + 1
  assert(s:payload_append(fixture.payload(sequence, { payload = text:rep(messages) })))
  for i = 0, messages - 1 do message { state = "queued", epoch = 0, sequence = sequence, index = i } end
end

measure("commit: a setting", 500, function(i) assert(s:setting_put("n", i)) end)
measure("commit: a queued message", 500, function() message() end)
measure("commit: payload, head, 1 message", 500, function()
  assert(s:begin())
  payload(1)
  assert(s:commit())
end)
measure("commit: payload, head, 100 messages", 100, function()
  assert(s:begin())
  payload(100)
  assert(s:commit())
end)
measure("commit: payload, head, 1000 messages", 8, function()
  assert(s:begin())
  payload(1000)
  assert(s:commit())
end)
measure("commit: the sealed message of a payload of 100", 50, function(i)
  local key = { discussion = d, epoch = 0, sender = me, sequence = 500 + i }
  assert(s:payload_set_message(key, text:rep(101), "9:" .. ("A"):rep(64)))
end)
measure("commit: acknowledgement, 100 messages delivered", 50, function(i)
  assert(s:begin())
  assert(s:ack_put(d, 0, fixture.fingerprint(1), 500 + i))
  assert(s:message_set_states(d, 0, me, 500 + i, 500 + i, "delivered"))
  assert(s:commit())
end)
measure("read: own payloads not acknowledged, 100 of 1 message", 50, function()
  assert(#s:payload_each_after({ discussion = d, epoch = 0, sender = me, sequence = 1 }, 100) == 100)
end)
measure("read: the newest 100 of " .. number, 50, function() assert(#s:message_list(d, { limit = 100 }) == 100) end)
measure("read: the newest 1000 of " .. number, 50, function() assert(#s:message_list(d, { limit = 1000 }) == 1000) end)
measure("read: unread of " .. number, 50, function() s:message_unread(d) end)

while number < 20000 do
  assert(s:begin())
  payload(100)
  assert(s:commit())
end
local function search(name, query)
  local slices, start = {}, tools.now()
  local q, done = assert(s:search(query)), false
  while not done do
    local begin = tools.now()
    done = select(2, assert(q:slice(500, 1000)))
    slices[#slices + 1] = tools.now() - begin
  end
  q:free()
  print(("%-58s %8.1f ms in %d slices"):format(name, (tools.now() - start) * 1000, #slices))
  report("  a slice of 500 rows", slices)
end
search(("search: %d messages of 200 B, ASCII"):format(number), "absent")
for i = 1, 5000 do
  if i % 500 == 1 then assert(s:begin()) end
  message { text = ("съешь же ещё этих мягких булок "):rep(4):sub(1, 200) .. "é" }
  if i % 500 == 0 then assert(s:commit()) end
end
search("search: 5000 more, Cyrillic", "ABSENT é")

print(("%-58s %8.1f MB"):format(("size: %d messages"):format(number), s:size() / 1e6))
measure("open", 1, function() s = f.reopen() end)
measure("check", 1, function() assert(s:check()) end)
measure(("forget: %d messages, %d payloads"):format(number, sequence), 1, function() assert(s:discussion_forget(d)) end)
for n = 2, 1001 do assert(s:discussion_create(fixture.discussion(n))) end
measure("forget: an empty one of 1000 discussions", 100, function(i) assert(s:discussion_forget(fixture.id(i + 1))) end)
f.done()
