-- SPDX-License-Identifier: GPL-3.0-or-later
-- A discussion with its chain, and somebody who is invited, for specs of the joining machine: keys are names, a signature is a hash.
local joining = require "support.joining"
local roster = require "support.roster"
local wire = require "support.wire"
local base = require "support.base"
local codecs = require "wire.records".codecs

local M = {}

M.id = ("ab"):rep(16)
local hash = wire.hash

-- Somebody with a general key and a discussion key; `name` with another `key` is the same person again.
function M.person(name, key)
  local p = { name = name, key_name = key or name }
  p.fingerprint = base.hex(hash("general " .. name)):sub(1, 40):upper()
  p.general = "general certificate of " .. name
  p.certificate = "certificate of " .. p.key_name
  p.hash = hash(p.certificate)
  p.key_fingerprint = base.hex(hash("primary " .. p.certificate)):sub(1, 40):upper()
  p.key = base.hex(hash("key " .. p.certificate)):sub(1, 16):upper()
  return p
end

local function sign(with, body) return hash("signed by " .. with .. "\0" .. body) end
M.sign = sign

function M.envelope(type, body, certificate)
  local sig = sign(certificate, assert(wire.signed_input(type, body)))
  return ('{"v":1,"type":"%s","body":"%s","sig":"%s"}'):format(type, base.base64url(body), base.base64url(sig))
end

function M.binding(p, charter)
  return sign(p.general, wire.binding_input(M.id, hash(charter), p.hash, p.fingerprint))
end

-- --- a discussion, as its members know it ---------------------------------------------------------------------------------------

local Discussion = {}
Discussion.__index = Discussion

local function row(p) return { fingerprint = p.fingerprint, certificate = p.hash, key = p.key } end

function M.discussion(people, charter)
  charter = charter or "all"
  local rows = {}
  for i, p in ipairs(people) do rows[i] = row(p) end
  local first = assert(roster.begin(M.id, hash(charter), rows))
  local d = setmetatable({ charter = charter, epochs = {}, people = {}, first = hash(first) }, Discussion)
  for _, p in ipairs(people) do d.people[p.hash] = p end
  d:enter(first)
  local members = {}
  for i, m in ipairs(d.roster.members) do
    local p = d.people[m.certificate]
    members[i] = { certificate = p.certificate, binding = M.binding(p, charter), general = p.general }
  end
  d.founding = assert(codecs.founding.encode { roster = first, charter = charter, members = members })
  return d
end

function Discussion:enter(bytes)
  self.bytes, self.hash, self.roster = bytes, hash(bytes), assert(codecs.roster.decode(bytes))
  self.epochs[#self.epochs + 1] = { roster = bytes, hash = self.hash, proof = {} }
end

function Discussion:members()
  local list = {}
  for i, m in ipairs(self.roster.members) do list[i] = self.people[m.certificate] end
  return list
end

function Discussion:invite(over)
  local members = {}
  for i, p in ipairs(self:members()) do members[i] = { certificate = p.certificate } end
  local r = { discussion = M.id, time_ms = 1000, first = self.first, roster = self.bytes, charter = self.charter, members = members }
  for k, v in pairs(over or {}) do r[k] = v end
  return assert(codecs.invite.encode(r))
end

function Discussion:join(p, over)
  local r = { discussion = M.id, author = p.fingerprint, roster = self.hash, charter = hash(self.charter), certificate = p.certificate,
    binding = M.binding(p, self.charter), general = p.general,
    presence = { record = "here", certification = "certified", signature = ("\0"):rep(64) } }
  for k, v in pairs(over or {}) do r[k] = v end
  return M.envelope("join", assert(codecs.join.encode(r)), p.certificate)
end

local function value(op, cut, next)
  local heads = {}
  for i in ipairs(cut) do heads[i] = ("\0"):rep(8) .. ("\0"):rep(32) end
  return hash(base.lv_cat { "sotto/1 value", hash(op), table.concat(heads), next })
end

function Discussion:say(p, statement)
  statement.roster, statement.author = self.hash, p.fingerprint
  local body = assert(codecs[statement.type].encode(statement))
  return M.envelope(statement.type, body, p.certificate), hash(body)
end

-- What proves that the op was decided; rows: members of R_{e+1}; subject: a fingerprint that is not asked; change may touch the list
-- before it is kept.
function Discussion:decide(op, rows, subject, change)
  local members, proof, consents, cut = self:members(), {}, {}, {}
  for i, p in ipairs(members) do
    cut[i] = { sequence = 0 }
    if p.fingerprint ~= subject then
      local said = #proof == 0 and { type = "propose", op = op }
        or { type = "consent", op = hash(op), consents = true, by_policy = false, reason = "" }
      proof[#proof + 1], consents[#consents + 1] = self:say(p, said)
    end
  end
  local next = assert(codecs.roster.encode { discussion = M.id, epoch = self.roster.epoch + 1, previous = self.hash,
    charter = hash(self.charter), members = rows })
  proof[#proof + 1] = self:say(members[1], { type = "order", round = 0, op = hash(op), consents = consents,
    states = { ("\1"):rep(32) }, votes = {}, cut = cut, next = next })
  for _, p in ipairs(members) do
    proof[#proof + 1] = self:say(p, { type = "commit", round = 0, value = value(op, cut, next) })
  end
  if change then change(proof) end
  self.epochs[#self.epochs].proof = proof
  self:enter(next)
end

function Discussion:rows_with(p)
  local rows = {}
  for i, m in ipairs(self.roster.members) do rows[i] = { fingerprint = m.fingerprint, certificate = m.certificate, key = m.key } end
  if p then rows[#rows + 1] = row(p) end
  return rows
end

function Discussion:admit(p, join, change)
  self.people[p.hash] = p
  self:decide(assert(joining.op(join or self:join(p), p.key)), self:rows_with(p), nil, change)
end

function Discussion:remove(p)
  local rows = {}
  for _, r in ipairs(self:rows_with()) do if r.fingerprint ~= p.fingerprint then rows[#rows + 1] = r end end
  self:decide(assert(codecs.op.encode { kind = "remove", subjects = { { fingerprint = p.fingerprint } } }), rows, p.fingerprint)
end

-- All that a newcomer is sent: the beginning, then what proves the end of each epoch.
function Discussion:chain()
  local list = { self.founding }
  for _, e in ipairs(self.epochs) do for _, s in ipairs(e.proof) do list[#list + 1] = s end end
  return list
end

-- --- who is invited -------------------------------------------------------------------------------------------------------------

local Candidate = {}
Candidate.__index = Candidate

function M.candidate(p, sponsor)
  local c = setmetatable({ person = p, sponsor = sponsor, log = {}, sent = {}, imports = {}, waiting = {}, checks = 0 }, Candidate)
  c.machine = joining.new { own = p.fingerprint, sponsor = sponsor.fingerprint, discussion = M.id }
  c.everybody = {} -- fingerprint of a discussion key → certificate, as the home's keyring has it
  return c
end

-- Certificates are names of keys, so anyone's can be looked into.
local function names_of(certificate)
  return base.hex(hash("primary " .. certificate)):sub(1, 40):upper(), base.hex(hash("key " .. certificate)):sub(1, 16):upper()
end
local function owner(general) return base.hex(hash((general:gsub("^general certificate of ", "general ")))):sub(1, 40):upper() end

function Candidate:result(a, over)
  over.type, over.ticket, over.presence = "result", a.ticket, "here"
  over.code = over.code or "ok"
  return self:step(over)
end

function Candidate:import_ends(a)
  local fingerprint, id = names_of(a.certificate)
  self.everybody[fingerprint] = a.certificate
  self:result(a, { fingerprint = fingerprint, id = self.wrong_key == a.certificate and ("0"):rep(16) or id })
end

function Candidate:imports_go_on()
  self.holds_imports = false
  for _, a in ipairs(self.waiting) do self:import_ends(a) end
end

function Candidate:carry_out(a)
  self.log[#self.log + 1] = a
  self[a.type] = a
  if a.type == "import" then
    self.imports[#self.imports + 1] = a.certificate
    if self.holds_imports then table.insert(self.waiting, a) else self:import_ends(a) end
  elseif a.type == "sign_binding" then
    self:result(a, self.sign_fails and { code = self.sign_fails } or { bytes = sign(self.person.general, a.body) })
  elseif a.type == "sign_join" then
    self:result(a, { bytes = sign(self.person.certificate, a.body) })
  elseif a.type == "send" then
    self.sent[#self.sent + 1] = a.record
  elseif a.type == "vet" then
    self.checks = self.checks + 1
    local _, id = names_of(a.certificate)
    local holds = a.signature == sign(a.certificate, a.body) and (a.id == "" or a.id == id)
      and (a.signer == "" or a.signer == owner(a.certificate))
    self:result(a, { code = holds and "ok" or "crypto" })
  elseif a.type == "verify" then
    self.checks = self.checks + 1
    local certificate = self.everybody[a.signer]
    self:result(a, { code = certificate and a.signature == sign(certificate, a.body) and "ok" or "crypto" })
  end
end

-- Actions are carried out after the step, as the shell does; results come at once.
function Candidate:step(event)
  event.presence = event.presence or "here"
  local list = self.machine:step(event)
  for _, a in ipairs(list) do self:carry_out(a) end
  return list
end

function Candidate:invited(record) return self:step { type = "invite", invite = record } end
function Candidate:accepts()
  return self:step { type = "accept", certificate = self.person.certificate, general = self.person.general }
end
function Candidate:hears(list, from)
  for _, record in ipairs(list) do self:step { type = "chain", member = (from or self.sponsor).fingerprint, record = record } end
end
function Candidate:count(type)
  local n = 0
  for _, a in ipairs(self.log) do if a.type == type then n = n + 1 end end
  return n
end

return M
