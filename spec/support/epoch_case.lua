-- SPDX-License-Identifier: GPL-3.0-or-later
-- Members of one epoch for specs: an epoch machine each, a disk that always works, and links that bring everything at once, unless
-- they are cut. What a member signs, keeps and is told is in its log.
local epoch = require "support.epoch"
local roster = require "support.roster"
local changes = require "support.wire_changes"
local envelope = require("support.wire_links").envelope
local hash = require "support.handshake".hash

local M = {}
local ID = ("d1"):rep(16)

function M.fingerprint(i) return ("%040X"):format(0xA000 + i) end

function M.member(i)
  return { fingerprint = M.fingerprint(i), certificate = hash("certificate " .. i), key = ("%016X"):format(0xB000 + i) }
end

function M.op(o) return assert(changes.op.encode(o)) end
function M.admit(i)
  local m = M.member(i)
  return M.op { kind = "admit", fingerprint = m.fingerprint, certificate = m.certificate, key = m.key, join = "join", subjects = {} }
end
function M.remove(...)
  local subjects = {}
  for _, i in ipairs { ... } do subjects[#subjects + 1] = { fingerprint = M.fingerprint(i) } end
  return M.op { kind = "remove", subjects = subjects }
end
function M.charter(text) return M.op { kind = "charter", charter = text, subjects = {} } end
M.name = hash

-- A statement as its author would sign it.
function M.sign(type, body) return assert(envelope.encode { type = type, body = body, signature = "signature" }) end
function M.read(bytes)
  local e = assert(envelope.decode(bytes))
  return assert(changes[e.type].decode(e.body)), hash(e.body)
end

local Case = {}
Case.__index = Case

-- n members, all there. own = 0 in :machine follows only.
function M.new(n, charter)
  local members = {}
  for i = 1, n do members[i] = M.member(i) end
  local c = setmetatable({ n = n, charter = charter or "all", machines = {}, logs = {}, cut = {}, queue = {}, disks = {} }, Case)
  c.roster = assert(roster.begin(ID, hash(c.charter), members))
  c.hash = hash(c.roster)
  for i = 1, n do
    c.disks[i], c.logs[i] = {}, {}
    c.machines[i] = c:machine(i)
  end
  for i = 1, n do c:step(i, { type = "start" }) end
  return c
end

function Case:machine(i)
  return epoch.new { own = i > 0 and M.fingerprint(i) or nil, roster = self.roster, charter = self.charter, round_ms = 1000 }
end

-- A statement by member i, made by hand.
function Case:statement(i, type, fields)
  local s = { type = type, roster = self.hash, author = M.fingerprint(i) }
  for k, v in pairs(fields) do s[k] = v end
  return M.sign(type, assert(changes[type].encode(s)))
end

function Case:heads(sequence, of)
  local list = {}
  for i = 1, self.n do
    local s = type(sequence) == "table" and sequence[i] or sequence
    list[i] = s == 0 and { sequence = 0 } or { sequence = s, hash = hash(("%s of %d"):format(s, of or i)) }
  end
  return list
end

-- What a member does about an action; what it sends waits in the queue.
function Case:carry_out(i, a)
  self.logs[i][#self.logs[i] + 1] = a
  if a.type == "sign" then
    if self.asleep == i then return end
    local signed = M.sign(a.kind, a.body)
    for _, kept in ipairs(a.keep) do table.insert(self.disks[i], kept) end
    table.insert(self.disks[i], signed)
    self:step(i, { type = "signed", envelope = signed })
  elseif a.type == "keep" then
    table.insert(self.disks[i], a.envelope)
  elseif a.type == "want_heads" then
    self:step(i, { type = "heads", heads = self:heads(self.said and self.said[i] or 0) })
  elseif a.type == "send" then
    for to = 1, self.n do
      if to ~= i and (not a.member or a.member == to) then self.queue[#self.queue + 1] = { from = i, to = to, envelope = a.envelope } end
    end
  end
end

function Case:step(i, event)
  for _, a in ipairs(self.machines[i]:step(event)) do self:carry_out(i, a) end
  return self
end

-- Brings what is on its way, and what that makes, until nothing is. What a cut member sends, or is sent, is lost; and what does not
-- pass, where that is asked: passes(statement, from, to).
function Case:settle(passes)
  while #self.queue > 0 do
    local m = table.remove(self.queue, 1)
    local arrives = not self.cut[m.from] and not self.cut[m.to] and (not passes or passes(M.read(m.envelope), m.from, m.to))
    if arrives then self:step(m.to, { type = "statement", envelope = m.envelope }) end
  end
  return self
end

function Case:propose(i, op) return self:step(i, { type = "propose", ticket = 7, op = op }):settle() end
function Case:answer(i, op, consents, reason)
  return self:step(i, { type = "answer", ticket = 8, op = hash(op), consents = consents, reason = reason or "" }):settle()
end
function Case:link(a, b)
  self:step(a, { type = "link_up", member = b }):step(b, { type = "link_up", member = a })
  return self:settle()
end
function Case:deadline(...)
  for _, i in ipairs { ... } do self:step(i, { type = "deadline" }) end
  return self:settle()
end

-- It crashes, and is back with what is on its disk.
function Case:restart(i)
  self.machines[i] = self:machine(i)
  for _, kept in ipairs(self.disks[i]) do self.machines[i]:step { type = "restore", envelope = kept } end
  self.logs[i] = {}
  return self:step(i, { type = "start" })
end

-- The last action of that type in a member's log, and how many there are.
function Case:last(i, type, kind)
  local found, count = nil, 0
  for _, a in ipairs(self.logs[i]) do
    if a.type == type and (not kind or a.kind == kind) then found, count = a, count + 1 end
  end
  return found, count
end

-- What a member signed, as "status 0", in order.
function Case:signed(i)
  local list = {}
  for _, a in ipairs(self.logs[i]) do
    if a.type == "sign" then
      local s = assert(changes[a.kind].decode(a.body))
      list[#list + 1] = s.round and a.kind ~= "leave" and ("%s %d"):format(a.kind, s.round) or a.kind
    end
  end
  return table.concat(list, ", ")
end

return M
