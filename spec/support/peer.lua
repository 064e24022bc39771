-- SPDX-License-Identifier: GPL-3.0-or-later
-- A peer whose core is the spec itself: the protocol written anew from its text, on real sockets, with stock gpg for its
-- keys. It can be an honest member of a discussion with a real core, and do what no core of ours would.
local gnupg = require "support.gnupg"
local net = require "support.net"
local octets = require "support.octets"
local pake = require "support.pake"
local records = require "support.wire_handshake"
local session = require "support.peer_session"
local stream = require "support.net_stream"
local waiting = require "support.waiting"
local wire = require "support.wire"

local QUERY, ANSWER = 1, 2
local RECORD, CERTIFICATE, OPEN_FRAME, ANSWER_FRAME, READY_FRAME = 1, 2, 3, 4, 5
local PASSWORD, PINNED = 0, 1
local CHARTER = "all"

local lv, random = octets.lv, octets.random

local M = {}

---@class support.peer
---@field name string
---@field gpg table a home of the command line's, with all secret keys of this peer
---@field fingerprint string
---@field certificate string
---@field address string where it answers datagrams
---@field certificates table<string, string> of others, by fingerprint
local Peer = {}
Peer.__index = Peer

-- --- presence ------------------------------------------------------------------------------------

-- What is said of others is remembered, and a query is answered, as a core does.
local function heard(self, from, datagram)
  local found = wire.datagram_open(datagram)
  if not found then return end
  self.certificates[found.fingerprint] = found.certificate
  if found.kind == QUERY then self.udp:send(from, self:datagram(ANSWER)) end
  waiting.wake()
end

--- A record of this moment: its bytes, and the presence key's signature.
---@param certificate? string that it names; standard: the own one
function Peer:presence(certificate)
  local now = os.time() * 1000
  self.sequence = math.max(self.sequence + 1, now)
  local record = assert(records.presence.encode {
    fingerprint = self.fingerprint, key = self.presence_public, sequence = self.sequence, issued_ms = now,
    expires_ms = now + 3600000, since_ms = self.since, name = self.name, endpoints = { self.address },
    general = wire.hash(certificate or self.certificate),
  })
  return { record = record, certification = self.certification, signature = wire.presence_sign(record, self.presence_secret) }
end

--- A datagram that says who this is.
---@param kind integer
---@param change? table other fields of the datagram
function Peer:datagram(kind, change)
  local fields = self:presence(change and change.certificate)
  fields.kind, fields.certificate = kind, self.certificate
  for name, value in pairs(change or {}) do fields[name] = value end
  return assert(wire.datagram_encode(fields))
end

--- A question to the core, with whatever is to be in it.
---@param core support.person
---@param change? table
function Peer:query(core, change) self.udp:send(core.address, self:datagram(QUERY, change)) end

--- The core learns of this peer, and this peer of the core's certificate; afterwards the core has proven it.
---@param core support.person
function Peer:meet(core)
  core:call("peers.probe", { address = self.address })
  waiting.ask(self.name .. " to be proven to " .. core.name, function()
    for _, peer in ipairs(core:call "peers.list") do
      if peer.fingerprint == self.fingerprint then return peer.proven end
    end
  end)
  assert(self.certificates[core.fingerprint], "the core has not shown its certificate")
end

-- --- keys ----------------------------------------------------------------------------------------

--- Keys of its own, and a port of its own on the loopback.
---@param name string
---@return support.peer
function M.new(name)
  local self = setmetatable({ name = name, gpg = gnupg.home(), certificates = {}, sequence = 0, keys = 0 }, Peer)
  self.fingerprint, self.certificate = self.gpg:key(name)
  self.presence_public, self.presence_secret = wire.keypair(random(32))
  self.since = os.time() * 1000
  self.certification = self:sign(self.fingerprint,
    wire.certification_input(self.fingerprint, self.presence_public, self.since))
  self.udp = assert(net.udp("127.0.0.1:0", function(_, from, datagram) heard(self, from, datagram) end))
  self.address = self.udp:addr()
  return self
end

--- Everything ends.
function Peer:close()
  self.udp:free()
  self.gpg:close()
end

--- A further key pair: its fingerprint, certificate and the id of the subkey that encrypts.
function Peer:key()
  self.keys = self.keys + 1
  local fingerprint, certificate = self.gpg:key(("%s's key %d"):format(self.name, self.keys))
  return { fingerprint = fingerprint, certificate = certificate, id = self.gpg:subkeys(fingerprint)[1] }
end

--- The certificate goes into the home; the primary fingerprint and the id of the subkey that encrypts.
---@param certificate string
function Peer:import(certificate)
  self.gpg:must("--import", certificate)
  local listing = self.gpg:must("--with-colons --show-keys", certificate)
  return listing:match "\nfpr:::::::::(%x+):", listing:match "\nsub:[^:]*:[^:]*:[^:]*:(%x+):"
end

--- A detached signature.
function Peer:sign(fingerprint, text)
  return self.gpg:must(("--digest-algo SHA512 --detach-sign -u %s!"):format(fingerprint), text)
end

--- What gpg makes of these arguments, in the form that P3.1 asks for unless they say otherwise.
---@param signer string
---@param to string key id
---@param text string
function Peer:seal(signer, to, text)
  return self.gpg:must(("--digest-algo SHA512 --compress-algo none --set-filename '' -s -e -u %s! -r %s!"):format(signer, to),
    text)
end

--- The text of a sealed message, as stock gpg opens it; nil and what it says otherwise.
function Peer:open(message) return self.gpg:gpg("--decrypt", message) end

-- --- opening a discussion, as the one who asks ---------------------------------------------------

local Opening = {}
Opening.__index = Opening

---@class support.peer.opening_options
---@field password? string nil: mode pinned
---@field certificate? string sent in place of the general certificate, where the core asks for it
---@field discussion? {fingerprint: string, certificate: string, id: string} the discussion key
---@field change? table<string, fun(bytes: string): string> what really goes out as "M1", "M3", "M5" or "M7"

local function changed(self, name, bytes)
  local change = self.options.change and self.options.change[name]
  return change and change(bytes) or bytes
end

local function deliver(self, kind, payload, encrypted)
  -- a core that has no certificate of this peer asks once
  if kind == RECORD and not encrypted and wire.peek_type(payload) == "certificate-wanted" then
    self.link:send(CERTIFICATE, self.options.certificate or self.peer.certificate)
  else
    self.frames[#self.frames + 1] = { kind = kind, payload = payload }
  end
  waiting.wake()
end

--- The next frame; nil where the core has ended the link instead.
function Opening:frame(kind)
  waiting.wait(self.peer.name .. ": a frame of kind " .. kind, function() return self.frames[1] or self.ended end)
  local frame = table.remove(self.frames, 1)
  if not frame then return nil end
  if frame.kind ~= kind then return nil, frame.payload end
  return frame.payload
end

--- Connects, and sends M1; M2 is waited for. nil where the core ends it.
---@param core support.person
---@param options support.peer.opening_options
---@return table|nil opening, string|nil what came instead
function Peer:hello(core, options)
  local self_, key = setmetatable({ peer = self, core = core, options = options, frames = {} }, Opening), options.discussion
  self_.key = key or self:key()
  self_.link = assert(stream.link(core.address, {
    frame = function(_, kind, payload, encrypted) deliver(self_, kind, payload, encrypted) end,
    ended = function(_, why)
      self_.ended = why
      waiting.wake()
    end,
  }))
  self_.nonce = random(32)
  self_.m1 = changed(self_, "M1", assert(records.hello.encode {
    mode = options.password and PASSWORD or PINNED, fingerprint = self.fingerprint, to = core.fingerprint,
    nonce = self_.nonce, general = wire.hash(options.certificate or self.certificate),
    discussion = wire.hash(self_.key.certificate), charter = CHARTER, presence = self:presence(options.certificate),
  }))
  self_.id = wire.discussion_id(self.fingerprint, wire.hash(self_.key.certificate), self_.nonce)
  assert(self_.link:send(RECORD, self_.m1))
  self_.m2 = self_:frame(RECORD)
  local m2 = self_.m2 and records["hello-answer"].decode(self_.m2)
  if not m2 then return nil, self_.m2 end
  self_.sid = self_.nonce .. m2.nonce
  return self_
end

--- Sends M3: the request, which the core's person sees when it holds.
function Opening:request()
  local peer, core = self.peer, self.core
  local certificate = peer.certificates[core.fingerprint]
  local _, general = peer:import(certificate)
  local ci = lv("sotto/1", self.options.password and "password" or "pinned", "I", peer.fingerprint,
    wire.hash(peer.certificate), "R", core.fingerprint, wire.hash(certificate), wire.hash(lv(self.m1, self.m2)))
  self.pake = pake.side(0, math.random(1 << 40))
  self.share = assert(self.pake:start(self.options.password and assert(pake.prepare(self.options.password)) or "", ci, self.sid))
  local binding = wire.binding_input(self.id, wire.hash(CHARTER), wire.hash(self.key.certificate), peer.fingerprint)
  local open = assert(records.open.encode {
    hello = wire.hash(lv(self.m1, self.m2)), id = self.id, charter = wire.hash(CHARTER),
    certificate = self.key.certificate, binding = peer:sign(peer.fingerprint, binding), share = self.share,
  })
  local sealed = peer:seal(peer.fingerprint, general, open)
  self.m3 = changed(self, "M3",
    wire.open_join(wire.open_sign(self.m1, self.m2, sealed, peer.presence_secret), sealed))
  assert(self.link:send(OPEN_FRAME, self.m3))
end

--- M4 has come: M5 goes out. False where the core has ended it.
function Opening:confirm()
  self.m4 = self:frame(ANSWER_FRAME)
  if not self.m4 then return false end
  local answer = assert(records.answer.decode(assert(self.peer:open(self.m4))))
  assert(answer.open == wire.hash(self.m3), "M4 answers another M3")
  local tag = assert(self.pake:finish(answer.share,
    lv("disc", wire.hash(self.key.certificate), self.id, wire.hash(CHARTER)), lv("disc", answer.discussion)))
  local tx, rx = self.pake:keys(wire.hash(lv(self.m1, self.m2, self.m3, self.m4)))
  self.link:set_cipher(tx, rx)
  self.m5 = changed(self, "M5", assert(records.confirm.encode { mac = tag }))
  assert(self.link:send(RECORD, self.m5))
  return true
end

--- M6 and both M7: the discussion is open on this side. nil where the core has ended it.
---@param behind? fun(opened: support.peer.session) what goes out right behind M7, before the core's has come
---@return support.peer.session|nil
function Opening:finish(behind)
  self.m6 = self:frame(RECORD)
  local m6 = self.m6 and records["confirm-answer"].decode(self.m6)
  if not m6 then return nil end
  assert(self.pake:check(m6.mac), "the core's tag does not hold")
  local signer, id = self.peer:import(m6.certificate)
  local ready = assert(records.ready.encode {
    transcript = wire.hash(lv(self.m1, self.m2, self.m3, self.m4, self.m5, self.m6)), roster_hash = wire.hash(m6.roster),
  })
  local m7 = changed(self, "M7", self.peer:seal(self.key.fingerprint, id, ready))
  local opened = session.new {
    peer = self.peer, core = self.core, link = self.link, id = self.id, roster = m6.roster, key = self.key,
    other = { fingerprint = signer, id = id }, frames = self.frames,
  }
  assert(opened.link:send(READY_FRAME, m7))
  if behind then behind(opened) end
  local theirs = opened:frame()
  if not theirs then return nil end
  assert(theirs.kind == READY_FRAME and self.peer:open(theirs.payload) == ready, "the core's M7 says something else")
  return opened
end

--- All of it, up to an open discussion; the core's person accepts.
---@param core support.person
---@param options support.peer.opening_options
---@return support.peer.session
function Peer:open_discussion(core, options)
  local opening = assert(self:hello(core, options), "no M2")
  opening:request()
  core:event("discussion.requested", { id = opening.id })
  core:call("discussions.accept", { discussion = opening.id, password = options.password })
  assert(opening:confirm(), "no M4")
  local opened = assert(opening:finish(), "no M6 or M7")
  core:event("discussion.opened", { id = opening.id })
  return opened
end

return M
