-- SPDX-License-Identifier: GPL-3.0-or-later
-- People, fake gpg, disks and a link for the handshake machine. The fakes bind what the real thing binds: a sealed
-- message opens only for its recipients and names its signer, a signature holds only for its body and key, a frame
-- under keys opens once, in order and under the same key. What a wire changes is found out as gpg or the cipher would.
local handshake = require "support.handshake"

local SEALED = 7

local M = {}

-- --- randomness of the world's own: specs repeat from their seed -------------------------------------------

local Random = {}
Random.__index = Random

function M.random(seed)
  local r = setmetatable({ state = (seed * 2862933555777941757 + 3037000493) }, Random)
  for _ = 1, 4 do r:next() end
  return r
end

function Random:next()
  self.state = self.state * 6364136223846793005 + 1442695040888963407
  return (self.state >> 33)
end

function Random:below(n) return self:next() % n end
function Random:chance(p) return self:below(1000) < p * 1000 end

-- --- base64url, as records carry binary values -------------------------------------------------------------

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

function M.base64url(s)
  local out = {}
  for i = 1, #s, 3 do
    local a, b, c = s:byte(i, i + 2)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    for j = 0, (c and 3 or b and 2 or 1) do
      local k = (n >> (18 - 6 * j)) & 63
      out[#out + 1] = alphabet:sub(k + 1, k + 1)
    end
  end
  return table.concat(out)
end

function M.unbase64url(s)
  local out, n, bits = {}, 0, 0
  for c in s:gmatch(".") do
    n, bits = (n << 6 | alphabet:find(c, 1, true) - 1) & 0xffffff, bits + 6
    if bits >= 8 then
      bits = bits - 8
      out[#out + 1] = string.char(n >> bits & 255)
    end
  end
  return table.concat(out)
end

function M.hex(s) return (s:gsub(".", function(c) return ("%02X"):format(c:byte()) end)) end

-- --- people and keys ---------------------------------------------------------------------------------------

local World = {}
World.__index = World

function M.new(seed)
  return setmetatable({
    random = M.random(seed), seed = seed, count = 0, boxes = {}, signatures = {}, certificates = {},
  }, World)
end

function World:token(label)
  self.count = self.count + 1
  local h = handshake.hash(("%s %d %d"):format(label, self.seed, self.count))
  return label .. ":" .. M.hex(h)
end

-- A general certificate of that fingerprint. Genuine ones are registered; so are forged ones, under the fingerprint
-- that gpg would find in them.
function World:general(fingerprint)
  local certificate = self:token("general certificate of " .. fingerprint)
  self.certificates[certificate] = fingerprint
  return certificate
end

function World:person(name)
  local fingerprint = M.hex(handshake.hash(("person %s %d"):format(name, self.seed))):sub(1, 40)
  local p = { name = name, fingerprint = fingerprint, general = self:general(fingerprint) }
  p.presence_public, p.presence_secret = handshake.pair(("presence %s %d"):format(name, self.seed))
  self:announce(p)
  return p
end

-- The presence record, certified by the general key.
function World:announce(p)
  p.presence_record, p.presence_signature =
    handshake.presence(p.fingerprint, handshake.hash(p.general), p.presence_public, p.presence_secret)
  p.presence_certification = self:sign(p.general, nil)
  self.signatures[p.presence_certification].key = p.presence_public
end

-- A discussion key: its certificate tells primary fingerprint and encryption subkey's id.
function World:key(label)
  local fingerprint = M.hex(handshake.hash(self:token("discussion " .. label))):sub(1, 40)
  return {
    certificate = ("discussion certificate %s"):format(fingerprint), fingerprint = fingerprint,
    key = fingerprint:sub(25, 40),
  }
end

-- --- fake gpg ----------------------------------------------------------------------------------------------

function World:seal(signer, recipients, plaintext)
  local box = self:token("sealed")
  self.boxes[box] = { signer = signer, recipients = table.concat(recipients, " "), plaintext = plaintext }
  return box
end

-- Error name and plaintext. As gpg does, it delivers what it has decrypted also where the signature is not the one.
function World:open(box, signer, recipients)
  local b = self.boxes[box]
  if not b or b.recipients ~= table.concat(recipients, " ") then return "crypto" end
  return b.signer == signer and "ok" or "crypto", b.plaintext
end

function World:sign(signer, body)
  local signature = self:token("signature")
  self.signatures[signature] = { signer = signer, body = body }
  return signature
end

function World:verify(signature, signer, body)
  local s = self.signatures[signature]
  return s ~= nil and s.signer == signer and s.body == body
end

-- --- a link: two queues ------------------------------------------------------------------------------------

local Link = {}
Link.__index = Link

function M.link() return setmetatable({ queues = { {}, {} }, ended = { false, false }, up = true }, Link) end

-- `tamper(side, frame)` may change a frame on its way, or return false to swallow it.
function Link:send(side, frame)
  if self.tamper then frame = self.tamper(side, frame) end
  if frame and self.up and not self.ended[side] then table.insert(self.queues[side], frame) end
end

-- In good order: what was sent before still arrives.
function Link:close(side)
  if self.up and not self.ended[side] then
    table.insert(self.queues[side], { kind = "end" })
    self.ended[side] = true
  end
end

function Link:lose()
  if not self.up then return end
  self.up = false
  self.queues = { { { kind = "end" } }, { { kind = "end" } } }
end

-- --- a party: one machine with all that carries out its actions --------------------------------------------

local Party = {}
Party.__index = Party

-- fields: world, link, side (1 or 2), person, role, other (person), mode, charter, password, key, answer (what its
-- person does with a request: "accept", a reason, or nothing), pinned, knows (has the other's certificate), refuse,
-- fails (a result that is always a failure), immediate (results come from inside the carrying out)
function M.party(fields)
  local p = setmetatable(fields, Party)
  p.disk = { spent = 0, restored = 0 }
  p.pending, p.sent, p.did, p.received = {}, {}, {}, 0
  p.key = p.key or p.world:key(p.person.name)
  p.home = { [p.key.key] = true }
  p.link_state = { sent = 0, received = 0 }
  local me = p.person
  p.machine = handshake.new {
    role = p.role, seed = p.machine_seed or p.world.random:next(), own = me.fingerprint, general = me.general,
    other = p.other and p.other.fingerprint, other_general = p.knows and p.other.general or nil,
    mode = p.mode, charter = p.charter or "all", password = p.role == "initiator" and p.password or nil, key = p.key,
    presence_record = me.presence_record, presence_signature = me.presence_signature,
    presence_certification = me.presence_certification, presence_key = me.presence_secret,
    idle_ms = p.idle_ms, person_ms = p.person_ms,
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
  self:step { type = "start" }
end

-- A result that comes when the schedule says so. `effect` (on disk) happens now or then.
function Party:later(event, effect)
  local done
  if effect and self.world.random:chance(0.5) then
    done = effect()
    effect = nil
  end
  local function hand_back()
    if effect then done = effect() end
    self:step(type(event) == "function" and event(done) or event)
  end
  if self.immediate then hand_back() else table.insert(self.pending, hand_back) end
end

function Party:crash()
  self.dead = true
  self.pending = {}
  self.link:lose()
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
function carry.hold_link(self) self.holding = true end

function carry.look_up(self, a)
  local other = self.other
  local known = self.knows and other.fingerprint == a.other and other.general or nil
  self:later { type = "looked_up", refuse = self.refuse, held = self.held, pinned = self.pinned, general = known }
end

function carry.check_certificate(self, a, w)
  self:later { type = "certificate_checked", code = w.certificates[a.certificate] == a.other and "ok" or "crypto" }
end

function carry.prove(self, a, w)
  local s = w.signatures[a.certification]
  -- the fake certification names the key it is for, which the real one's body does
  local good = s and s.signer == a.certificate and w.certificates[a.certificate] == a.other
    and a.body:find(a.other, 1, true) and a.body:find(s.key, 1, true)
  self:later { type = "proved", code = good and "ok" or "crypto" }
end

function carry.request(self, a)
  self.request = a
  local function decide()
    if self.answer == "accept" then
      self.accepted = true
      self:step { type = "accept", password = self.password, key = self.key }
    elseif self.answer then
      self:step { type = "end", reason = self.answer }
    end
  end
  if self.immediate then decide() else table.insert(self.pending, decide) end
end

function carry.seal_general(self, a, w)
  local plaintext = self.forge_plaintext and self.forge_plaintext(a.plaintext) or a.plaintext
  local recipient = w.certificates[a.certificate] == a.other and a.certificate or "nobody"
  local signer = self.forge_signer or self.person.general
  self:later { type = "general_sealed", bytes = w:seal(signer, { recipient }, plaintext) }
end

function carry.open_general(self, a, w)
  assert(w.certificates[a.certificate] == a.other)
  local code, plaintext = w:open(a.message, a.certificate, { self.person.general })
  self:later { type = "general_opened", code = code, bytes = plaintext }
end

function carry.sign_binding(self, a, w)
  local body = self.forge_binding and self.forge_binding(a.body) or a.body
  self:later { type = "binding_signed", bytes = w:sign(self.person.general, body) }
end

function carry.verify_binding(self, a, w)
  local good = w.certificates[a.certificate] == a.other and w:verify(a.signature, a.certificate, a.body)
  self:later { type = "binding_verified", code = good and "ok" or "crypto" }
end

function carry.import_member(self, a)
  local fingerprint = a.certificate:match("^discussion certificate (%x+)$")
  if fingerprint and #fingerprint == 40 then
    local key = self.forge_key or fingerprint:sub(25, 40)
    self:later(function()
      self.home[key] = true
      return { type = "imported", fingerprint = fingerprint, key = key }
    end)
  else
    self:later { type = "imported", code = "bad_input" }
  end
end

function carry.spend_guess(self, a)
  assert(a.other == self.machine:other())
  self:later(function(code) return { type = "guess_spent", code = code } end, function()
    if self.no_guess then return "refused" end
    self.disk.spent = self.disk.spent + 1
    return "ok"
  end)
end

function carry.restore_guesses(self) self.disk.restored = self.disk.restored + 1 end

function carry.commit_opening(self, a)
  self:later(function(code) return { type = "committed", code = code } end, function()
    if self.disk_full then return "io" end
    assert(not self.disk.opening, "committed twice")
    self.disk.opening = a
    return "ok"
  end)
end

function carry.seal_discussion(self, a, w)
  for _, key in ipairs(a.keys) do assert(self.home[key], "sealed to a key that is not in the home") end
  local plaintext = self.forge_ready and self.forge_ready(a.plaintext) or a.plaintext
  self:later { type = "discussion_sealed", bytes = w:seal(self.key.fingerprint, a.keys, plaintext) }
end

function carry.open_discussion(self, a, w)
  local own = false
  for _, key in ipairs(a.keys) do own = own or key == self.key.key end
  assert(own, "opened with a key that is not among the recipients")
  local code, plaintext = w:open(a.message, a.signer, a.keys)
  self:later { type = "discussion_opened", code = code, bytes = plaintext }
end

-- Who is open speaks at once; what the other says is heard by who has taken the link over.
function carry.opened(self)
  self.outcome, self.holding = "opened", false
  carry.send(self, { kind = SEALED, payload = "the first word", encrypted = true })
end
function carry.left(self) self.outcome = "left" end
function carry.refused(self, a) self.outcome, self.reason, self.detail = "refused", a.reason, a.detail end

function Party:times(action)
  local n = 0
  for _, did in ipairs(self.did) do
    if did == action then n = n + 1 end
  end
  return n
end

-- Position of an action among those it did; nil where it never did it.
function Party:place(action)
  for n, did in ipairs(self.did) do
    if did == action then return n end
  end
end

-- The next thing the link has for this party.
function Party:receive()
  assert(not self.holding, "a link that is to be held is read from")
  local frame = table.remove(self.link.queues[3 - self.side], 1)
  if not frame or self.dead then return end
  if self.outcome == "opened" then
    self.heard = self.heard or frame.kind == SEALED and frame.key == self.rx and frame.number == self.link_state.received
    return
  end
  if frame.kind == "end" then
    self.link_over = true
    return self:step { type = "link_ended" }
  end
  if self.deaf then return end
  self.received = self.received + 1
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

-- --- two parties -------------------------------------------------------------------------------------------

-- options: seed, mode, charter, password_i, password_r, answer, and tables `initiator` and `responder` of more fields
function M.pair(options)
  local w = options.world or M.new(options.seed or 1)
  local alice, bob = options.alice or w:person("alice"), options.bob or w:person("bob")
  local mode = options.mode or "password"
  local link = M.link()
  local i = { world = w, link = link, side = 1, person = alice, other = bob, role = "initiator", mode = mode,
    charter = options.charter, knows = true,
    password = mode == "password" and (options.password_i or "four words to say") or nil }
  local r = { world = w, link = link, side = 2, person = bob, other = alice, role = "responder",
    answer = "accept", knows = true, pinned = mode == "pinned",
    password = mode == "password" and (options.password_r or "four words to say") or nil }
  for k, v in pairs(options.initiator or {}) do i[k] = v end
  for k, v in pairs(options.responder or {}) do r[k] = v end
  return M.party(i), M.party(r), w, link
end

-- Everything that can happen now, as functions.
function M.choices(parties)
  local list = {}
  for _, p in ipairs(parties) do
    if not p.dead then
      if #p.link.queues[3 - p.side] > 0 and not p.holding then list[#list + 1] = function() p:receive() end end
      for n = 1, #p.pending do
        list[#list + 1] = function() table.remove(p.pending, n)() end
      end
    end
  end
  return list
end

-- Runs until nothing can happen any more; `meddle(n)` may do something before each step, and ends it by returning
-- true. A machine that still waits then gets its deadline.
function M.run(parties, meddle)
  local random = parties[1].world.random
  for _, p in ipairs(parties) do
    if not p.started then p:start() end
  end
  for n = 1, 500 do
    if meddle and meddle(n) then return n end
    local list = M.choices(parties)
    if #list > 0 then
      list[random:below(#list) + 1]()
    else
      local waiting
      for _, p in ipairs(parties) do
        if not p.dead and not p.machine:over() and not waiting then waiting = p end
      end
      if not waiting then return n end
      assert(waiting.deadline and waiting.deadline > 0, "a machine that waits for ever")
      waiting.timed_out = true
      waiting:step { type = "deadline" }
    end
  end
  error("no end in 500 steps")
end

-- What both sides have in the end, once links between members and the sweep (P2.11) have done their part.
function M.settle(i, r)
  local function state(p)
    if p.outcome == "opened" then return "open" end
    return p.disk.opening and "opening" or "refused"
  end
  local a, b = state(i), state(r)
  assert(not (a == "open" and b == "refused") and not (a == "refused" and b == "open"), "open on one side only")
  if a == "refused" or b == "refused" then return "refused" end
  assert(i.disk.opening.id == r.disk.opening.id and i.disk.opening.roster == r.disk.opening.roster)
  return "open"
end

-- Runs until a party has done that action for the nth time.
function M.run_until(parties, party, action, nth)
  M.run(parties, function() return party:times(action) >= (nth or 1) end)
  assert(party:times(action) >= (nth or 1), party.role .. " never did " .. action)
end

return M
