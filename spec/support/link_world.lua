-- SPDX-License-Identifier: GPL-3.0-or-later
-- Members of a discussion and links between them, for the member link machine. Fakes and link are those of
-- handshake_world.
local world = require "support.handshake_world"
local handshake = require "support.handshake"
local member_link = require "support.member_link"
local roster = require "support.roster"

local M = { SEALED = 7, RECORD = 1 }

-- A discussion of n members at that epoch; members in roster order.
function M.discussion(n, options)
  options = options or {}
  local d = { id = ("d15c"):rep(8), world = options.world or world.new(options.seed or 1), members = {} }
  local rows = {}
  for k = 1, n do
    local p = d.world:person("member " .. k)
    p.key = d.world:key(p.name)
    rows[k] = { fingerprint = p.fingerprint, certificate = handshake.hash(p.key.certificate), key = p.key.key }
    d.members[k] = p
  end
  table.sort(d.members, function(a, b) return a.fingerprint < b.fingerprint end)
  d.roster = assert(roster.begin(d.id, handshake.hash("all"), rows))
  d.first = handshake.hash(d.roster)
  if options.epoch then
    d.roster = d.roster:gsub('"epoch":0',
      ('"epoch":%d,"previous":"%s"'):format(options.epoch, world.base64url(d.first)))
  end
  d.epoch = options.epoch or 0
  return d
end

-- What a member has: per member a sequence; hashes are made of member and sequence.
function M.rows(d, sequences)
  local rows = {}
  for k, p in ipairs(d.members) do
    local sequence = sequences and sequences[k] or 0
    rows[k] = {
      fingerprint = p.fingerprint, epoch = d.epoch, sequence = sequence,
      hash = sequence > 0 and handshake.hash(p.fingerprint .. sequence) or nil,
    }
  end
  return rows
end

local Party = {}
Party.__index = Party

-- fields: discussion, link, side (1 or 2), own, other (indices of members), closed, farewell (list of payloads), ended,
-- held, rows, roster, first, presence (of that person, or nil)
function M.party(fields)
  local p = setmetatable(fields, Party)
  local d = p.discussion
  p.world = d.world
  p.role = p.side == 1 and "the side that dials" or "the side that answers"
  p.person, p.peer = d.members[p.own], d.members[p.other]
  p.pending, p.sent, p.did, p.delivered, p.acked = {}, {}, {}, {}, {}
  p.rows = p.rows or M.rows(d)
  p.link_state = { sent = 0, received = 0 }
  p.machine = member_link.new {
    side = p.side == 1 and "dials" or "answers", seed = d.world.random:next(), first = p.first or d.first,
    roster = p.roster or d.roster, own = p.person.fingerprint, other = p.peer.fingerprint,
    other_key = p.other_key or p.peer.key.fingerprint, closed = p.closed, ended = p.ended, held = p.held,
    idle_ms = p.idle_ms, rekeys = p.rekeys,
  }
  return p
end

function Party:step(event)
  if self.dead then return {} end
  if self.fails == event.type then event = { type = event.type, code = "io" } end
  local actions = self.machine:step(event)
  for _, action in ipairs(actions) do
    -- dropped where a result that came back at once has ended the machine
    if self.dead or self.outcome then break end
    self:carry_out(action)
  end
  return actions
end

function Party:start()
  self.started = true
  if self.side == 1 then self:step { type = "start" } end
end

function Party:later(event)
  if self.immediate then return self:step(event) end
  table.insert(self.pending, function() self:step(event) end)
end

function Party:crash()
  self.dead, self.pending = true, {}
  self.link:lose()
end

function Party:ack(n)
  return ('{"v":1,"type":"ack","discussion":"%s","epoch":%d,"sender":"%s","sequence":%d}'):format(self.discussion.id,
    self.discussion.epoch, self.peer.fingerprint, n)
end

local carry = {}

function Party:carry_out(a)
  self.actions = (self.actions or 0) + 1
  if self.crash_at and self.actions >= self.crash_at then return self:crash() end
  table.insert(self.did, a.type)
  if self.watch then self.watch(self, a) end
  local f = carry[a.type]
  if f then f(self, a, self.world) end
end

function carry.send(self, a)
  table.insert(self.sent, a)
  local frame = { kind = a.kind, payload = a.payload, encrypted = a.encrypted }
  if a.encrypted then
    assert(self.tx, "a frame under keys that are not there")
    frame.key, frame.number = self.tx, self.link_state.sent
    self.link_state.sent = self.link_state.sent + 1
  else
    assert(not self.tx, "a frame in clear after the keys")
  end
  self.link:send(self.side, frame)
end

function carry.set_cipher(self, a) self.tx, self.rx = a.tx, a.rx end
function carry.deadline(self, a) self.deadline = a.ms end
function carry.close_link(self) self.link:close(self.side) end

function carry.sign(self, a, w)
  assert(not (self.closed or self.ended), "a signature with a key that is destroyed")
  self:later { type = "signed", bytes = w:sign(self.forge_signer or self.person.key.fingerprint, a.body) }
end

function carry.verify(self, a, w)
  self:later { type = "verified", code = w:verify(a.signature, a.signer, a.body) and "ok" or "crypto" }
end

function carry.want_seen(self)
  local p = self.presence
  self:later {
    type = "seen", rows = self.rows, presence_record = p and p.presence_record,
    presence_signature = p and p.presence_signature, presence_certification = p and p.presence_certification,
  }
end

function carry.send_farewell(self)
  for _, payload in ipairs(self.farewell) do
    carry.send(self, { type = "send", kind = M.SEALED, payload = payload, encrypted = true })
  end
  if #self.farewell == 0 then self:later { type = "farewell_done" } end
end

function carry.deliver(self, a)
  table.insert(self.delivered, a.payload)
  self:later { type = "ack", record = self:ack(#self.delivered) }
end

function carry.acked(self, a)
  table.insert(self.acked, a.payload)
  if tonumber(a.payload:match('"sequence":(%d+)')) == #self.farewell then self:later { type = "farewell_done" } end
end

function carry.linked(self, a) self.outcome, self.seen, self.other_epoch = "linked", a, a.other_epoch end

function carry.ended(self, a)
  self.outcome, self.detail, self.sequence = a.ending, a.detail, a.sequence
end

Party.times = function(self, action)
  local n = 0
  for _, did in ipairs(self.did) do
    if did == action then n = n + 1 end
  end
  return n
end

function Party:place(action)
  for n, did in ipairs(self.did) do
    if did == action then return n end
  end
end

-- After LINKED the machine is gone: what comes then is not for it.
function Party:receive()
  local frame = table.remove(self.link.queues[3 - self.side], 1)
  if not frame or self.dead then return end
  if frame.kind == "end" then return self:step { type = "link_ended" } end
  if self.deaf then return end
  if not self.rx then
    return self:step { type = "frame", kind = frame.encrypted and 6 or frame.kind, payload = frame.payload }
  end
  if frame.key == self.rx and frame.number == self.link_state.received and not frame.damaged then
    self.link_state.received = self.link_state.received + 1
    return self:step { type = "frame", kind = frame.kind, payload = frame.payload, encrypted = true }
  end
  self.deaf = true
  return self:step { type = "unreadable" }
end

-- Two members on one link: a dials b. options: a, b (indices, 1 and 2), and tables `dials`, `answers` of more fields
function M.pair(d, options)
  options = options or {}
  local link = world.link()
  local a = { discussion = d, link = link, side = 1, own = options.a or 1, other = options.b or 2 }
  local b = { discussion = d, link = link, side = 2, own = options.b or 2, other = options.a or 1 }
  for k, v in pairs(options.dials or {}) do a[k] = v end
  for k, v in pairs(options.answers or {}) do b[k] = v end
  return M.party(a), M.party(b), link
end

-- The same, run to its end.
function M.meet(d, options)
  local a, b, link = M.pair(d, options)
  M.run { a, b }
  return a, b, link
end

-- What a party has sent, in clear or under keys.
function M.payloads(party, encrypted)
  local list = {}
  for _, s in ipairs(party.sent) do
    if s.encrypted == encrypted then list[#list + 1] = s.payload end
  end
  return list
end

M.run, M.run_until, M.choices = world.run, world.run_until, world.choices

return M
