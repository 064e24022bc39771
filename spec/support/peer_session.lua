-- SPDX-License-Identifier: GPL-3.0-or-later
-- A discussion of support.peer with a real core: its link, what it says over it in good order, and anything else.
local handshake = require "support.handshake"
local link_records = require "support.wire_links"
local octets = require "support.octets"
local stream = require "support.net_stream"
local waiting = require "support.waiting"
local wire = require "support.wire"

local RECORD, SEALED = 1, 7
local TEXT = 0
local ACK = 0
local EPOCH = 0

local lv, random = octets.lv, octets.random

local M = {}

---@class support.peer.session
---@field peer support.peer
---@field core support.person
---@field id string of the discussion
---@field roster string R_0
---@field key {fingerprint: string, certificate: string, id: string} this side's
---@field other {fingerprint: string, id: string} the core's
---@field sequence integer of the last payload
---@field previous string its hash
---@field sealed string[] payloads of frames SEALED that have come
---@field answers table[] records of delivery that have come
---@field frames table[] others
---@field ended string|nil how the link ended
local Session = {}
Session.__index = Session

local function deliver(self, kind, payload)
  if kind == SEALED then
    self.sealed[#self.sealed + 1] = payload
  elseif kind == RECORD and link_records.delivery.decode(payload) then
    self.answers[#self.answers + 1] = link_records.delivery.decode(payload)
  else
    self.frames[#self.frames + 1] = { kind = kind, payload = payload }
  end
  waiting.wake()
end

local function callbacks(self)
  return {
    frame = function(_, kind, payload) deliver(self, kind, payload) end,
    ended = function(_, why)
      self.ended = why
      waiting.wake()
    end,
  }
end

---@param fields table
---@return support.peer.session
function M.new(fields)
  local self = setmetatable(fields, Session)
  self.sequence, self.previous = 0, wire.hash(self.roster)
  self.sealed, self.answers = {}, {}
  self.link = stream.hand_over(self.link, callbacks(self))
  self.link:authenticate()
  return self
end

--- The next frame that is neither a sealed message nor about one; nil where the core has ended the link instead.
---@return {kind: integer, payload: string}|nil
function Session:frame()
  waiting.wait(self.peer.name .. ": a frame", function() return self.frames[1] or self.ended end)
  return table.remove(self.frames, 1)
end

-- --- what is said --------------------------------------------------------------------------------

--- The bytes of the next payload, with one text.
---@param text string
---@param change? table other fields
function Session:payload(text, change)
  local now = os.time() * 1000
  local fields = {
    discussion = self.id, epoch = EPOCH, roster_hash = wire.hash(self.roster), sender = self.peer.fingerprint,
    sequence = self.sequence + 1, previous = self.previous, time_ms = now,
    items = { { type = TEXT, nonce = random(16), time_ms = now, text = text } },
  }
  for name, value in pairs(change or {}) do fields[name] = value end
  return assert(link_records.payload.encode(fields))
end

--- Sealed as P3.1 asks.
function Session:seal(payload) return self.peer:seal(self.key.fingerprint, self.other.id, payload) end

--- A frame SEALED, whatever the message is.
---@param message string
---@param change? {sender?: string, sequence?: integer}
function Session:send(message, change)
  local sender = change and change.sender or self.peer.fingerprint
  local sequence = change and change.sequence or self.sequence + 1
  assert(self.link:send(SEALED, assert(wire.sealed_encode(sender, EPOCH, sequence, message))))
end

--- The chain goes on from this payload.
function Session:advance(payload) self.sequence, self.previous = self.sequence + 1, wire.hash(payload) end

--- A text in good order: sent, received by the core's person, and acknowledged.
---@param text string
---@return string message, string payload
function Session:say(text)
  local payload = self:payload(text)
  local message = self:seal(payload)
  self:send(message)
  self:advance(payload)
  local received
  waiting.wait(function() return ("%s to receive %q\n%s"):format(self.core.name, text, self.core:tail()) end, function()
    received = received or self.core:take_event("message.received", { text = text, discussion = self.id })
    return received
  end)
  waiting.wait(self.peer.name .. ": an acknowledgement", function()
    for _, answer in ipairs(self.answers) do
      if answer.type == ACK and answer.sequence == self.sequence then return true end
    end
  end)
  return message, payload
end

--- The next sealed message of the core's, which is acknowledged: its OpenPGP message and its sequence.
---@return string message, integer sequence
function Session:heard()
  waiting.wait(self.peer.name .. ": a message", function() return self.sealed[1] end)
  local sender, epoch, sequence, message = assert(wire.sealed_decode(table.remove(self.sealed, 1)))
  assert(self.link:send(RECORD, assert(link_records.delivery.encode {
    type = ACK, discussion = self.id, epoch = epoch, sender = sender, sequence = sequence,
  })))
  return message, sequence
end

--- Waits for the end of the link by the core.
function Session:wait_end()
  return waiting.wait(self.peer.name .. ": the link's end", function() return self.ended end)
end

-- --- a further link (P2.12) ----------------------------------------------------------------------

local function link_body(self, role, l1, answer)
  local own, other = self.peer.fingerprint, self.core.fingerprint
  if role == "B" then own, other = other, own end
  return "sotto/1 link\0" .. lv("sotto/1 link", role, self.id, "\0\0\0\0", wire.hash(self.roster), l1, answer.nonce,
    answer.key, own, other, wire.hash "")
end

--- A new link in place of the one that has ended; the core has proven itself over it.
function Session:reconnect()
  local h0 = wire.hash(self.roster)
  local own, other = self.peer.fingerprint, self.core.fingerprint
  local nonce, secret = random(32), random(32)
  local share = handshake.x25519(secret)
  self.link:free()
  self.ended, self.frames, self.sealed, self.answers = nil, {}, {}, {}
  self.link = assert(stream.link(self.core.address, callbacks(self)))
  local function frame() return assert(self:frame(), "the core has ended the new link").payload end
  local l1 = assert(link_records.link.encode {
    nonce = nonce, key = share, proof = handshake.keyed(h0, "link" .. self.id .. nonce .. share .. own .. other),
  })
  assert(self.link:send(RECORD, l1))
  local answer = assert(link_records["link-answer"].decode(frame()))
  local shared = handshake.x25519(secret, answer.key)
  local function key(role) return handshake.keyed(shared, lv("sotto/1 link", role, h0, l1, answer.nonce, answer.key)) end
  self.link:set_cipher(key "A", key "B")
  local proof = assert(link_records["link-proof"].decode(frame()))
  assert(proof.fingerprint == other and proof.roster_hash == h0, "another member answers")
  assert(self.link:send(RECORD, assert(link_records["link-proof"].encode {
    fingerprint = own, epoch = EPOCH, roster_hash = h0, rekeys = "",
    signature = self.peer:sign(self.key.fingerprint, link_body(self, "A", l1, answer)),
  })))
  self.link:authenticate()
  local seen = assert(link_records.seen.decode(frame()))
  local rows = {}
  for i, row in ipairs(seen.members) do
    local mine = row.fingerprint == own
    rows[i] = { fingerprint = row.fingerprint, epoch = EPOCH, sequence = mine and self.sequence or row.sequence,
      hash = mine and self.sequence > 0 and self.previous or row.hash }
  end
  assert(self.link:send(RECORD, assert(link_records.seen.encode { members = rows })))
end

function Session:close() self.link:free() end

return M
