-- SPDX-License-Identifier: GPL-3.0-or-later
-- Cores of one discussion (messages_core.lua) with links that are cut. What is under way waits in a list, and whoever
-- drives the world picks from it; so a seed gives the same run every time. messages_values.lua is in here as well.
local cores = require "support.messages_core"
local values = require "support.messages_values"

local M = setmetatable({}, { __index = values })

local World = {}
World.__index = World

-- random: M.random(seed). faults: {crash, cut, and one per kind of operation, each 0 to 1}.
function M.new(n, random, faults)
  local world = setmetatable({
    n = n, random = random, faults = faults or {}, roster = M.roster(n), cores = {}, waiting = {}, links = {},
    payloads = {}, told = {}, tickets = {}, time = 1700000000000, immediate = true, ghosts = {}, count = {},
  }, World)
  for i = 1, n do
    world.payloads[i] = {}
    world.cores[i] = cores.new(world, i)
  end
  for i = 1, n do world.cores[i]:restore() end
  return world
end

function World:now()
  self.time = self.time + 1
  return self.time
end

function World:fails(_, what, codes)
  local p = self.faults[what] or 0
  if p > 0 and self.random.chance(p) then return codes[1 + self.random.below(#codes)] end
end

function World:crashes(core)
  local p = self.faults.crash or 0
  if p == 0 or not self.random.chance(p) then return false end
  core:crash()
  return true
end

function World:record_payload(sender, sequence, bytes)
  local known = self.payloads[sender][sequence]
  assert(not known or known == bytes, "a payload was built a second time")
  self.payloads[sender][sequence] = bytes
end

function World:submit(i, count, text)
  local core, messages = self.cores[i], {}
  for k = 1, count do
    core.sent = core.sent + 1
    messages[k] = M.message(i, core.sent, text)
  end
  local ticket = #self.tickets + 1
  self.tickets[ticket] = { core = i, messages = messages }
  core:tell { type = "submit", ticket = ticket, messages = messages }
  return ticket
end

function World:accepted(core, ticket)
  local t = self.tickets[ticket]
  assert(t.core == core.me and not t.state, "answered twice")
  t.state = "accepted"
  for _, m in ipairs(t.messages) do assert(core.disk.by_id[m.id], "accepted, and not on disk") end
end

function World:rejected(core, ticket, code)
  local t = self.tickets[ticket]
  assert(t.core == core.me and not t.state, "answered twice")
  t.state, t.code = "rejected", code
  for _, m in ipairs(t.messages) do assert(not core.disk.by_id[m.id], "rejected, and on disk") end
end

function World:closed(core) self.told[core.me] = "closed" end
function World:closed_delivered(core, member)
  self.delivered_close, core.disk.told = true, true
  assert(#self.cores[member].disk.chains[core.me] == #core.disk.own, "told, and it has not heard")
end

function World.closed_by(_, core)
  assert(core.disk.ended)
  core:say { type = "end" }
  if core.up then core:tell { type = "abandon" } end
end

function World.dropped(_, _, a)
  assert(not a.close_link, "a core of ours broke a rule: " .. a.reason)
end

function World:check_memory(core)
  if not core.up then return end
  local o, t = core.outbox:counters(), core.transcript:counters()
  assert(o.kept <= 64 + 8, "too many payloads in memory")
  assert(o.queued <= 10000)
  assert(t.held <= 16 * (self.n - 1))
end

-- Links: one between two cores; each direction keeps its order.
local function key(i, j) return i < j and i * 64 + j or j * 64 + i end

function World:link(i, j)
  local a, b = self.cores[i], self.cores[j]
  if self.links[key(i, j)] or not a.up or not b.up then return false end
  if a.disk.closing and b.disk.closing then
    -- a member link that says no more than that
    for _, side in ipairs { { a, b }, { b, a } } do
      local core, other = side[1], side[2]
      if core.up then core:tell { type = "ack", member = other.me, sequence = #other.disk.chains[core.me] } end
      if core.up then core:told(other.me) end
    end
    return false
  end
  self.links[key(i, j)] = { [i] = {}, [j] = {} } -- by receiver
  for _, side in ipairs { { a, j }, { b, i } } do
    local core, other = side[1], side[2]
    core.paused[other] = nil
    core:say { type = "link_up", member = other }
    if not self.links[key(i, j)] then return false end
    local chain = core.disk.chains[other]
    -- who has closed says nothing of what it has, and is told nothing: a farewell goes by acknowledgements
    local known = not core.disk.closing and not core.disk.ended
    self:send(core, other, { type = "seen", sequence = known and #chain or nil,
      hash = known and #chain > 0 and chain[#chain].hash or nil, says = known and core.disk.keys.told or nil })
  end
  return true
end

function World:send(core, to, frame)
  local link = self.links[key(core.me, to)]
  if not link then return end
  link[to][#link[to] + 1] = frame
end

-- The link takes no more for a while.
function World:congest(i, j)
  local core = self.cores[i]
  local flight = core.in_flight[j]
  if not flight or flight.congested then return end
  core:tell { type = "congested", member = j }
  flight.congested = true
  core:later(function()
    if core.in_flight[j] ~= flight then return end
    flight.congested = false
    core:tell { type = "writable", member = j }
  end)
end

-- Frames that were on their way are lost, or come much later (ghosts).
function World:cut(i, j)
  local link = self.links[key(i, j)]
  if not link then return end
  self.links[key(i, j)] = nil
  for _, side in ipairs { { i, j }, { j, i } } do
    local me, other = side[1], side[2]
    for _, frame in ipairs(link[me]) do
      if frame.type == "sealed" and self.faults.ghost and self.random.chance(self.faults.ghost) then
        self.ghosts[#self.ghosts + 1] = { from = other, to = me, frame = frame }
      end
    end
    if self.cores[me].up then self.cores[me]:link_lost(other) end
  end
end

function World:core_down(i)
  for j = 1, self.n do
    if j ~= i then self:cut(i, j) end
  end
end

-- The next frame of the k-th direction that is read and has one; without k, how many those are.
function World:next_frame(k)
  local count = 0
  for i, core in ipairs(self.cores) do
    for j = 1, core.up and self.n or 0 do
      local link = i ~= j and self.links[key(i, j)]
      if link and #link[i] > 0 and not core.paused[j] then
        count = count + 1
        if count == k then return core, j, table.remove(link[i], 1) end
      end
    end
  end
  return count
end

-- One thing, chosen by the seed: something that waited, or a frame. False: nothing is left to do.
function World:step()
  local waiting = self.waiting
  local all = #waiting + self:next_frame()
  if all == 0 then return false end
  local k = 1 + self.random.below(all)
  if k > #waiting then
    local core, from, frame = self:next_frame(k - #waiting)
    core:receive(from, frame)
    return true
  end
  local task = waiting[k]
  waiting[k] = waiting[#waiting]
  waiting[#waiting] = nil
  task()
  return true
end

function World:settle(limit)
  local steps = 0
  while self:step() do
    steps = steps + 1
    assert(steps < (limit or 200000), "it never comes to rest")
  end
end

-- Everyone is up and linked, and nothing fails any more.
function World:heal()
  self.faults, self.ghosts = {}, {}
  self:settle()
  for _ = 1, 3 do
    for i = 1, self.n do
      if not self.cores[i].up then self.cores[i]:restore() end
    end
    for i = 1, self.n do
      for j = i + 1, self.n do
        self:cut(i, j)
        self:link(i, j)
      end
    end
    self:settle()
  end
end

return M
