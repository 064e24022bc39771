-- SPDX-License-Identifier: GPL-3.0-or-later
-- A core without gpg, disk and sockets: an outbox and a transcript, and a disk that commits or does not. Whatever breaks
-- a rule raises.
local keys = require "support.messages_keys"
local outbox = require "support.outbox"
local transcript = require "support.transcript"
local values = require "support.messages_values"
local wire = require "support.wire"

local Core = {}
Core.__index = Core

local function new_disk(n, me)
  local disk = { rows = {}, by_id = {}, own = {}, chains = {}, acked = {}, closed = {}, keys = keys.disk(me) }
  for i = 1, n do disk.chains[i] = {} end
  return disk
end

function Core.new(world, me)
  return setmetatable({
    world = world, me = me, disk = new_disk(world.n, me), life = 0, delivered = {}, paused = {}, sent = 0,
  }, Core)
end

function Core:restore()
  local disk, heads, queued = self.disk, {}, {}
  for i, chain in ipairs(disk.chains) do
    if #chain > 0 then heads[i] = { sequence = #chain, hash = chain[#chain].hash } end
  end
  for _, row in ipairs(disk.rows) do
    if row.sender == self.me and row.state == "queued" and not row.sequence then queued[#queued + 1] = row end
  end
  local roster = self.world.roster
  self.up = true
  self.life = self.life + 1
  self.under_way = { seal = 0, open = 0, load = 0, store = 0, ack = 0, failed = 0, commit = 0, take = 0, import = 0 }
  self.links, self.in_flight, self.gives_up = {}, {}, false
  self.transcript = transcript.new {
    own = roster.members[self.me], roster = roster, roster_hash = values.roster_hash, heads = heads,
    closed = disk.closed, keys = keys.known(self),
  }
  self.delayed = nil
  keys.restore(self)
  self.outbox = outbox.new {
    own = roster.members[self.me], roster = roster, roster_hash = values.roster_hash, transcript = self.transcript,
    built = #disk.own, head = #disk.own > 0 and disk.own[#disk.own].hash or nil, acknowledged = disk.acked,
    closing = disk.closing, keyless = disk.keyless, queued = queued,
  }
  if disk.closing or disk.ended then self:say { type = "end" } end
  self:tell { type = "start" }
  if disk.ended then self:tell { type = "abandon" } end
end

function Core:crash()
  self.up = false
  self.life = self.life + 1
  self.outbox:free()
  self.transcript:free()
  self.outbox, self.transcript = nil, nil
  self.world:core_down(self.me)
end

-- Some time, unless the core has crashed by then.
function Core:later(run)
  local life, waiting = self.life, self.world.waiting
  waiting[#waiting + 1] = function()
    if self.life == life then run() end
  end
end

-- At once, as the shell does what does not wait; or later. Either must do.
function Core:answer(run)
  if self.world.immediate then run() else self:later(run) end
end

function Core:tell(event) self:carry_out(self.outbox, event, self.outbox_actions) end
function Core:say(event) self:carry_out(self.transcript, event, self.transcript_actions) end

function Core:carry_out(machine, event, table)
  event.now = self.world:now()
  for _, action in ipairs(machine:step(event)) do
    local life, count = self.life, self.world.count
    if self.world:crashes(self) then return end
    count[action.reason or action.type] = (count[action.reason or action.type] or 0) + 1
    table[action.type](self, action)
    if self.life ~= life or self.world:crashes(self) then return end
  end
  self.world:check_memory(self)
end

function Core:begin(what, max)
  self.under_way[what] = self.under_way[what] + 1
  assert(self.under_way[what] <= max, "too many under way: " .. what)
end
function Core:done(what) self.under_way[what] = self.under_way[what] - 1 end

-- Own messages -------------------------------------------------------------------------------------------------------

Core.outbox_actions = {}
local own = Core.outbox_actions

function own.commit(core, a)
  local disk, world = core.disk, core.world
  core:begin("commit", 1)
  local code = world:fails(core, "commit", { "io", "locked" })
  if not code then
    for i, p in ipairs(a.payloads) do
      assert(p.sequence == #disk.own + 1, "a sequence that is not the next")
      assert(i == 1 or a.closes, "several payloads at once")
      assert(wire.hash(p.bytes) == p.hash)
      world:record_payload(core.me, p.sequence, p.bytes)
      disk.own[p.sequence] = { hash = p.hash, bytes = p.bytes }
    end
    for _, r in ipairs(a.rows) do
      local row = disk.by_id[r.id]
      assert((row == nil) == r.fresh, "a row that is there, or is not")
      if not row then
        row = { id = r.id, sender = core.me, nonce = r.nonce, time = r.time, text = r.text, state = "queued" }
        disk.by_id[r.id] = row
        disk.rows[#disk.rows + 1] = row
      end
      assert(not row.sequence, "a message that has a place gets another")
      row.sequence, row.index = r.sequence, r.index
    end
    disk.closing = disk.closing or a.closes
    if a.rekey then keys.told(core, a.payloads[1].sequence, a.rekey) end
  end
  core:answer(function()
    core:done "commit"
    core:tell { type = "committed", code = code }
  end)
end

function own.accepted(core, a) core.world:accepted(core, a.ticket) end
function own.rejected(core, a) core.world:rejected(core, a.ticket, a.code) end

function own.seal(core, a)
  core:begin("seal", 1)
  local on_disk = core.disk.own[a.sequence]
  assert(on_disk and on_disk.bytes == a.payload, "sealed what is not on disk")
  assert(not core.disk.keyless, "sealed without a key")
  local function seal()
    local ids = keys.recipients(core) -- those of its beginning
    core:later(function()
      core:done "seal"
      local code = core.world:fails(core, "seal", { "timeout", "locked", "busy" })
      core:tell { type = "sealed", code = code,
        message = not code and values.seal(core.world.roster, core.me, a.payload, ids) or nil }
    end)
  end
  if core.said > 0 then core.delayed = seal else seal() end
end

function own.store_sealed(core, a)
  core:begin("store", 1)
  local code = core.world:fails(core, "store", { "io" })
  if not code then core.disk.own[a.sequence].message = a.message end
  core:answer(function()
    core:done "store"
    core:tell { type = "stored", code = code }
  end)
end

function own.load(core, a)
  core:begin("load", 1)
  assert(a.count >= 1 and a.count <= 8, "loads " .. a.count)
  local code = core.world:fails(core, "load", { "io", "locked" })
  local rows = {}
  for s = a.after + 1, math.min(a.after + a.count, #core.disk.own) do
    local p = core.disk.own[s]
    rows[#rows + 1] = { sequence = s, payload = p.bytes, message = p.message }
  end
  core:answer(function()
    core:done "load"
    core:tell { type = "loaded", code = code, rows = not code and rows or nil }
  end)
end

function own.transmit(core, a)
  local sender, epoch, sequence, message = wire.sealed_decode(a.frame)
  local payload = message:match "\n(.*)$"
  assert(sender == values.fingerprint(core.me) and epoch == 0 and sequence == a.sequence)
  assert(payload == core.disk.own[sequence].bytes, "transmits other bytes than those on disk")
  local flight = core.in_flight[a.member]
  assert(flight, "transmits without a link")
  assert(a.sequence == flight.next, "transmits out of order")
  assert(not flight.congested, "transmits to a congested link")
  flight.next = flight.next + 1
  assert(flight.next - 1 - flight.have <= 8, "more than 8 in flight")
  core.world:send(core, a.member, { type = "sealed", frame = a.frame })
end

function own.store_ack(core, a)
  local disk = core.disk
  core:begin("ack", 1)
  local code = core.world:fails(core, "ack", { "io" })
  assert(a.sequence > (disk.acked[a.member] or 0), "an acknowledgement that is known")
  if not code then
    disk.acked[a.member] = a.sequence
    for _, row in ipairs(disk.rows) do
      local s = row.sender == core.me and row.sequence
      if s and a.first_sent > 0 and s >= a.first_sent and s <= a.last_sent then
        assert(row.state == "queued")
        row.state = "sent"
      end
      if s and a.first_delivered > 0 and s >= a.first_delivered and s <= a.last_delivered then
        assert(row.state == "sent")
        row.state = "delivered"
      end
    end
  end
  core:answer(function()
    core:done "ack"
    core:tell { type = "ack_stored", code = code }
    core:settle()
  end)
end

function own.retry_in(core, a)
  assert(a.ms >= 100 and a.ms <= 30000)
  core:later(function() core:tell { type = "retry" } end)
end

function own.ack_in(core, a)
  assert(a.ms == 30000 and core.world.n > 2)
  core:later(function() core:tell { type = "ack_due" } end)
end

function own.drained() error "nobody froze it" end

function own.closed(core) core.world:closed(core) end

function own.failed(core, a)
  core:begin("failed", 1)
  local code = core.world:fails(core, "failed", { "io" })
  for _, row in ipairs(core.disk.rows) do
    local s = row.sequence
    if not code and row.sender == core.me and row.state == "queued" and
      (not s or (a.first > 0 and s >= a.first and s <= a.last)) then
      row.state = "failed"
    end
  end
  core:answer(function()
    core:done "failed"
    core:tell { type = "failed_stored", code = code }
    core:settle()
  end)
end

function own.key_may_die(core)
  if not core.disk.ended and not core.gives_up then
    for s = 1, #core.disk.own do
      local everyone = true
      for i = 1, core.world.n do
        if i ~= core.me and (core.disk.acked[i] or 0) < s then everyone = false end
      end
      assert(everyone or core.disk.own[s].message, "the key dies before all is sealed")
    end
  end
  core.disk.keyless = true
end

function own.closed_delivered(core, a) core.world:closed_delivered(core, a.member) end
function own.rolled_back() error "rolled back" end
function own.undeliverable(core, a) core.world.undeliverable = { core.me, a.member, a.sequence } end

-- What the others say ------------------------------------------------------------------------------------------------

Core.transcript_actions = {}
local others = Core.transcript_actions

function others.open(core, a)
  core:begin("open", 4)
  core:later(function()
    core:done "open"
    local code = core.world:fails(core, "open", { "timeout", "locked", "not_found", "crypto" })
    local payload, why = values.open(core.world.roster, core.me, a.sender, a.message)
    local ids
    if payload then
      ids, why = keys.open(core, a.sender, a.message)
    end
    if code or why then payload = nil end
    core:say { type = "opened", ticket = a.ticket, code = code or why, payload = payload, session_key = "9:KEY",
      recipients = ids }
  end)
end

function others.rekey(core, a)
  core:begin("import", 1)
  core:later(function()
    core:done "import"
    local code = core.world:fails(core, "import", { "timeout", "locked", "busy", "io" })
    core:say { type = "rekeyed", ticket = a.ticket, code = code, key = math.tointeger(tonumber(a.certificate)) }
  end)
end

local function world_has_three(core) return core.world.n > 2 end

function others.commit(core, a)
  local disk, world, skipped = core.disk, core.world, {}
  local chain = disk.chains[a.sender]
  core:begin("take", 1)
  local code = world:fails(core, "take", { "io", "locked" })
  if not code then
    assert(a.sequence == #chain + 1, "accepts out of order")
    assert(a.payload == world.payloads[a.sender][a.sequence], "accepts what was not said")
    assert(a.session_key == "9:KEY")
    assert(not disk.closed[a.sender], "accepts after CLOSE")
    chain[a.sequence] = { hash = a.hash }
    for i, m in ipairs(a.messages) do
      if disk.by_id[m.id] then
        skipped[i] = true
      else
        local row = { id = m.id, sender = a.sender, sequence = a.sequence, index = m.index, text = m.text,
          state = "received" }
        disk.by_id[m.id] = row
        disk.rows[#disk.rows + 1] = row
      end
    end
    if a.closes then
      disk.closed[a.sender], disk.ended = true, true
    end
    if a.rekey then keys.learned(core, a.sender, a.sequence, a.key) end
  end
  core:answer(function()
    local life = core.life
    core:done "take"
    core:say { type = "committed", code = code, skipped = skipped }
    if core.life == life and not code and a.speaks and world.n > 2 then core:tell { type = "heard" } end
    if core.life == life then keys.bury(core) end
  end)
end

-- The author's own link, and sealed anew it could not be opened either.
function others.complain(core, a)
  assert(a.by == core.me and world_has_three(core), "complains where nobody else is there")
  core:tell { type = "complain", member = a.sender, sequence = a.sequence, hash = a.hash }
end

function others.complaint(core, a)
  assert(a.by ~= a.sender and a.by ~= core.me)
end

function others.dispute() error "a dispute among honest members" end

function others.deliver(core, a)
  for _, m in ipairs(a.messages) do
    assert(core.disk.by_id[m.id], "delivers what is not on disk")
    assert(not core.delivered[m.id], "delivered twice")
    core.delivered[m.id] = true
  end
end

function others.ack(core, a)
  assert(#core.disk.chains[a.sender] >= a.sequence, "acknowledges what is not on disk")
  core.world:send(core, a.member, { type = "ack", sender = a.sender, sequence = a.sequence })
end

function others.cannot_open(core, a)
  core.world:send(core, a.member, { type = "cannot_open", sender = a.sender, sequence = a.sequence })
end

function others.closed(core, a) core.world:send(core, a.member, { type = "closed" }) end

function others.drop(core, a) core.world:dropped(core, a) end
function others.pause(core, a) core.paused[a.member] = true end
function others.resume(core, a) core.paused[a.member] = nil end
function others.closed_by(core, a) core.world:closed_by(core, a.member) end
function others.equivocation() error "equivocation" end

function others.retry_in(core, a)
  assert(a.ms >= 100 and a.ms <= 30000)
  core:later(function() core:say { type = "retry" } end)
end

-- Links --------------------------------------------------------------------------------------------------------------

-- A frame has come over a link.
function Core:receive(from, frame)
  if frame.type == "seen" then
    keys.heard(self, from, frame.says)
    self.in_flight[from] = { have = frame.sequence or self.disk.acked[from] or 0, congested = false }
    self.in_flight[from].next = self.in_flight[from].have + 1
    self:tell { type = "link_up", member = from, sequence = frame.sequence, hash = frame.hash }
  elseif frame.type == "sealed" then
    self:say { type = "received", member = from, frame = frame.frame }
  elseif frame.type == "closed" then
    self:told(from)
  elseif frame.sender == self.me then
    local flight = self.in_flight[from]
    if frame.type == "ack" and flight and frame.sequence > flight.have then
      flight.have = frame.sequence
      flight.next = math.max(flight.next, frame.sequence + 1)
    elseif frame.type == "cannot_open" and flight and frame.sequence == flight.have + 1 and
      frame.sequence < flight.next then
      flight.next = frame.sequence
    end
    self:tell { type = frame.type, member = from, sequence = frame.sequence }
  end
end

-- The other has ended it, too: with what it has not, it will never have.
function Core:told(other)
  if not self.disk.closing or self.disk.told then return end
  self.gives_up = true
  if self.outbox:owes(other) then self:tell { type = "abandon" } end
  self:settle()
end

function Core:settle()
  if self.up and self.gives_up and self.outbox:is_settled() then self.disk.told = true end
end

-- As this person says: nothing of the others is taken any more.
function Core:close()
  self:tell { type = "close" }
  if self.up then self:say { type = "end" } end
end

function Core:link_lost(other)
  self.in_flight[other] = nil
  self.paused[other] = nil
  self:tell { type = "link_down", member = other }
  if self.up then self:say { type = "link_down", member = other } end
end

return Core
