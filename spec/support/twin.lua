-- SPDX-License-Identifier: GPL-3.0-or-later
-- A member of a discussion of many whose core is the spec itself: it has the key that a real core had when it ended, and says over its
-- links what no core of ours would (§5). The protocol is written anew from its text, as in support.peer; nothing of gpg is used.
local handshake = require "support.handshake"
local link_records = require "support.wire_links"
local join_records = require "support.wire_join"
local octets = require "support.octets"
local signing = require "support.signing"
local statements = require "support.wire_changes"
local stream = require "support.net_stream"
local sys = require "sotto.sys"
local system = require "support.system"
local tools = require "support.store_tools"
local waiting = require "support.waiting"
local wire = require "support.wire"

local RECORD, CHANGE = 1, 8
local SEED_LEN = 32

local lv, random = octets.lv, octets.random

local M = {}

---@class support.twin
---@field name string
---@field id string of the discussion
---@field fingerprint string of the general key
---@field epoch integer
---@field first string H_0
---@field roster_hash string H_e
---@field roster table R_e, and its bytes
---@field roster_bytes string
---@field seed string of the discussion key
---@field key string its fingerprint, 20 bytes
local Twin = {}
Twin.__index = Twin

---@class support.twin.link
---@field twin support.twin
---@field core support.person
---@field ended string|nil how the link ended
---@field frames string[] records that have come
---@field changes string[] frames CHANGE that have come
local Link = {}
Link.__index = Link

-- --- the key ---------------------------------------------------------------------------------------------------------------------

-- The secret value of an unprotected key in gpg-agent's file, in either of its two formats.
local function seed_in(text)
  if not text:find "Ed25519" then return nil end
  assert(not text:find "protected%-private%-key", "the key has a passphrase")
  local at = select(2, text:find("1:d32:", 1, true))
  if at then return text:sub(at + 1, at + SEED_LEN) end
  local hex = text:match "%(d #(%x[%x%s]*)#%)"
  return hex and octets.from_hex((hex:gsub("%s", "")))
end

local function seed_of(home)
  for _, name in ipairs(assert(sys.list(home .. "/private-keys-v1.d"))) do
    local seed = seed_in(system.read(home .. "/private-keys-v1.d/" .. name))
    if seed then return seed end
  end
  error("no ed25519 key in " .. home)
end

local function rows(who, text, ...) return tools.sql(who.home .. "/data/sotto.db", text:format(...)) end

local function row(...)
  local first = rows(...)[1]
  return table.unpack(first or error("nothing is stored of that", 2))
end

--- A member's twin, of a core that does not run.
---@param who support.person
---@param id string
---@param epoch? integer standard: the one that its core is in; an earlier one: it knows of no later one
---@return support.twin
function M.of(who, id, epoch)
  assert(not who:running(), who.name .. " still runs")
  local number, home, first, last = row(who, "SELECT number, home, h0, epoch FROM discussions WHERE id = '%s'", id)
  epoch = epoch or last
  local roster, hash = row(who, "SELECT roster, roster_hash FROM epochs WHERE discussion = %d AND epoch = %d", number, epoch)
  local key = row(who, "SELECT certificate_fingerprint FROM members WHERE discussion = %d AND epoch = %d AND fingerprint = '%s'",
    number, epoch, who.fingerprint)
  local decoded = assert(link_records.roster.decode(roster))
  return setmetatable({
    name = who.name .. "'s twin", id = id, fingerprint = who.fingerprint, epoch = epoch, first = first, roster_hash = hash,
    roster = decoded, roster_bytes = roster, seed = seed_of(("%s/data/homes/%s"):format(who.home, home)), key = octets.from_hex(key),
  }, Twin)
end

--- Somebody's general certificate, as a core has it from any discussion.
---@param who support.person whose core does not run
---@param fingerprint string
---@return string
function M.general(who, fingerprint) return (row(who, "SELECT general FROM members WHERE fingerprint = '%s'", fingerprint)) end

--- The discussion certificates of an epoch's members, in the roster's order.
---@param who support.person a member whose core does not run
---@param id string
---@param epoch integer
---@return string[]
function M.certificates(who, id, epoch)
  local list = {}
  for i, m in ipairs(rows(who, "SELECT certificate FROM members WHERE epoch = %d AND discussion = " ..
    "(SELECT number FROM discussions WHERE id = '%s') ORDER BY position", epoch, id)) do
    list[i] = m[1]
  end
  return list
end

--- What a chain begins with (P5.4).
---@param who support.person a member whose core does not run
---@param id string
---@return string record
function M.founding(who, id)
  local number, roster = row(who, "SELECT d.number, e.roster FROM discussions d JOIN epochs e ON e.discussion = d.number " ..
    "WHERE d.id = '%s' AND e.epoch = 0", id)
  local members = {}
  for i, m in ipairs(rows(who, "SELECT certificate, binding, general FROM members WHERE discussion = %d AND epoch = 0 " ..
    "ORDER BY position", number)) do
    members[i] = { certificate = m[1], binding = m[2], general = m[3] }
  end
  return assert(join_records.founding.encode { roster = roster, charter = "all", members = members })
end

--- A detached signature by the discussion key.
---@param text string
function Twin:sign(text) return signing.sign(self.seed, self.key, os.time(), text) end

-- --- what it says ----------------------------------------------------------------------------------------------------------------

--- An envelope of that type (P0.2).
---@param type string
---@param body string
---@param sign? fun(input: string): string standard: the discussion key
---@return string envelope
function Twin:envelope(type, body, sign)
  local input = assert(wire.signed_input(type, body, 1 << 20))
  return assert(link_records.envelope.encode {
    type = type, body = body, signature = sign and sign(input) or self:sign(input),
  })
end

--- A statement of this epoch.
---@param type string
---@param fields table with an `author` it is said in another's name
---@return string envelope, string name
function Twin:state(type, fields)
  fields.type, fields.roster, fields.author = type, self.roster_hash, fields.author or self.fingerprint
  local body = assert(statements[type].encode(fields))
  return self:envelope(type, body), wire.hash(body)
end

--- An op's bytes.
---@param fields table
---@param mark? string text of a field that nobody knows: another op that asks for the same
---@return string
function M.op(fields, mark)
  local bytes = assert(statements.op.encode(fields))
  return mark and (bytes:gsub("}$", (',"mark":"%s"}'):format(mark))) or bytes
end

--- What VOTE and COMMIT are about, where nobody has sent anything.
---@param op string
---@param next string R_{e+1}
function Twin:value(op, next)
  local cut = (("\0"):rep(8) .. ("\0"):rep(32)):rep(#self.roster.members)
  return wire.hash(lv("sotto/1 value", wire.hash(op), cut, next))
end

-- --- its links (P2.12) -----------------------------------------------------------------------------------------------------------

local function deliver(link, kind, payload)
  if kind == RECORD then
    link.frames[#link.frames + 1] = payload
  elseif kind == CHANGE then
    link.changes[#link.changes + 1] = payload
  end
  waiting.wake()
end

local function proof_input(twin, role, l1, answer, from, to)
  return assert(wire.signed_input("link", lv("sotto/1 link", role, twin.id, string.pack(">I4", twin.epoch), twin.roster_hash, l1,
    answer.nonce, answer.key, from, to, wire.hash "")))
end

-- Of the own roster's members, what the other has of them in the same epoch; of those that it tells nothing of, nothing.
local function own_rows(twin, seen)
  local list, told = {}, {}
  for _, r in ipairs(seen.members) do told[r.fingerprint] = r end
  for i, m in ipairs(twin.roster.members) do
    local r = told[m.fingerprint]
    list[i] = r and r.epoch == twin.epoch and r or { fingerprint = m.fingerprint, epoch = twin.epoch, sequence = 0 }
  end
  return list
end

--- A link with that core, which has proven itself and been proven to.
---@param core support.person
---@return support.twin.link
function Twin:link(core)
  local link = setmetatable({ twin = self, core = core, frames = {}, changes = {} }, Link)
  link.stream = assert(stream.link(core.address, {
    frame = function(_, kind, payload) deliver(link, kind, payload) end,
    ended = function(_, why)
      link.ended = why
      waiting.wake()
    end,
  }))
  local own, other = self.fingerprint, core.fingerprint
  local nonce, secret = random(32), random(32)
  local share = handshake.x25519(secret)
  local l1 = assert(link_records.link.encode {
    nonce = nonce, key = share, proof = handshake.keyed(self.first, "link" .. self.id .. nonce .. share .. own .. other),
  })
  assert(link.stream:send(RECORD, l1))
  local answer = assert(link_records["link-answer"].decode(link:record()))
  local shared = handshake.x25519(secret, answer.key)
  local function key(role) return handshake.keyed(shared, lv("sotto/1 link", role, self.first, l1, answer.nonce, answer.key)) end
  link.stream:set_cipher(key "A", key "B")
  local proof = assert(link_records["link-proof"].decode(link:record()))
  assert(proof.fingerprint == other, "another member answers")
  assert(link.stream:send(RECORD, assert(link_records["link-proof"].encode {
    fingerprint = own, epoch = self.epoch, roster_hash = self.roster_hash, rekeys = "",
    signature = self:sign(proof_input(self, "A", l1, answer, own, other)),
  })))
  link.stream:authenticate()
  local seen = assert(link_records.seen.decode(link:record()))
  assert(link.stream:send(RECORD, assert(link_records.seen.encode { members = own_rows(self, seen) })))
  return link
end

--- The next record; the spec fails where the core ends the link instead.
---@return string
function Link:record()
  waiting.wait(("%s: a record of %s\n%s"):format(self.twin.name, self.core.name, self.core:tail()), function()
    return self.frames[1] or self.ended
  end)
  return assert(table.remove(self.frames, 1), "the core has ended the link: " .. tostring(self.ended))
end

--- A frame CHANGE.
---@param ... string records, one after the other
function Link:say(...)
  for _, record in ipairs { ... } do assert(self.stream:send(CHANGE, record)) end
end

--- How many bytes it takes before it is full.
---@return integer
function Link:room() return self.stream:state().room end

--- Waits for the end of the link by the core.
function Link:wait_end()
  return waiting.wait(self.twin.name .. ": the link's end", function() return self.ended end)
end

function Link:close() self.stream:free() end

return M
