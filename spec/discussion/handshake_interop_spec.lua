-- SPDX-License-Identifier: GPL-3.0-or-later
-- The other side written anew from the protocol's text: every hash, key, tag and signature input byte for byte.
local handshake = require "support.handshake"
local pake = require "support.pake"
local world = require "support.handshake_world"

local RECORD, OPEN, ANSWER, READY = 1, 3, 4, 5
local hash, b64, unb64 = handshake.hash, world.base64url, world.unbase64url

local function lv(...)
  local out = {}
  for n, part in ipairs { ... } do
    local length = #part
    local head = ""
    repeat
      local low = length & 127
      length = length >> 7
      head = head .. string.char(length > 0 and low | 128 or low)
    until length == 0
    out[n] = head .. part
  end
  return table.concat(out)
end

local function field(text, name) return text:match('"' .. name .. '":"([^"]*)"') end

-- 32 bytes below the group's order
local scalar = ("\21"):rep(31) .. "\1"

-- What both sides of one handshake must agree on.
local function agree(s)
  s.hello = hash(lv(s.m1, s.m2))
  s.sid = unb64(field(s.m1, "nonce")) .. unb64(field(s.m2, "nonce"))
  local id = hash(lv("sotto/1 disc", s.alice.fingerprint, hash(s.key_i.certificate), unb64(field(s.m1, "nonce"))))
  s.id = world.hex(id):sub(1, 32):lower()
  s.ci = lv("sotto/1", s.mode, "I", s.alice.fingerprint, hash(s.alice.general), "R", s.bob.fingerprint,
    hash(s.bob.general), s.hello)
  s.ad_i = lv("disc", hash(s.key_i.certificate), s.id, hash(s.charter))
  s.ad_r = lv("disc", hash(s.key_r.certificate))
  s.share = pake.multiply(scalar, pake.generator(s.password, s.ci, s.sid))
end

local function tags(s, share_i, share_r)
  local other = share_i == s.share and share_r or share_i
  s.isk = pake.isk(s.sid, pake.multiply(scalar, other), share_i, s.ad_i, share_r, s.ad_r)
  local mac_key = pake.mac_key(s.sid, s.isk)
  s.ta, s.tb = pake.tag(mac_key, share_i, s.ad_i), pake.tag(mac_key, share_r, s.ad_r)
  local transcript = hash(lv(s.m1, s.m2, s.m3, s.m4))
  s.i_to_r = handshake.keyed(s.isk, "sotto/1 I>R" .. transcript)
  s.r_to_i = handshake.keyed(s.isk, "sotto/1 R>I" .. transcript)
end

local function binding(s, person, key)
  return "sotto/1 binding\0" .. lv(s.id, hash(s.charter), hash(key.certificate), person.fingerprint)
end

-- R_0 as some other program might write it: other order of keys, other white space.
local function roster(s)
  local rows = {}
  for n, m in ipairs { { s.alice, s.key_i }, { s.bob, s.key_r } } do
    rows[n] = {
      fingerprint = m[1].fingerprint,
      text = ('{ "key":"%s", "certificate":"%s", "fingerprint":"%s" }'):format(m[2].key, b64(hash(m[2].certificate)),
        m[1].fingerprint),
    }
  end
  table.sort(rows, function(a, b) return a.fingerprint < b.fingerprint end)
  return ('{"type":"roster","v":1,\n"epoch":0,"charter":"%s","discussion":"%s","members":[%s,%s]}'):format(
    b64(hash(s.charter)), s.id, rows[1].text, rows[2].text)
end

local function finish(p)
  while #p.pending > 0 do table.remove(p.pending, 1)() end
end

local function begin(mode, role)
  local w = world.new(99)
  local s = { world = w, mode = mode, charter = "2", alice = w:person("alice"), bob = w:person("bob") }
  s.password = mode == "password" and "told on the telephone" or ""
  s.key_i, s.key_r = w:key("i"), w:key("r")
  local own, other = s.alice, s.bob
  if role == "responder" then own, other = s.bob, s.alice end
  s.party = world.party {
    world = w, link = world.link(), side = 1, person = own, other = other, role = role, mode = mode,
    charter = s.charter, password = mode == "password" and s.password or nil, knows = true, pinned = true,
    answer = "accept",
    key = role == "initiator" and s.key_i or s.key_r,
  }
  s.party:start()
  return s, s.party, w
end

local function last(p) return p.sent[#p.sent] end

local function plaintext_of(w, box) return w.boxes[box].plaintext end

describe("handshake", function()
  for _, mode in ipairs { "password", "pinned" } do
    it("§2 speaks with a responder that knows only the text, mode " .. mode, function()
      local s, p, w = begin(mode, "initiator")
      s.m1 = last(p).payload
      finish(p)
      s.m2 = ('{ "general":"%s", "type":"hello-answer", "v":1, "nonce":"%s", "more":[1,2] }'):format(
        b64(hash(s.bob.general)), b64(("N"):rep(32)))
      agree(s)
      assert.equal(s.id, p.machine:id())
      p:step { type = "frame", kind = RECORD, payload = s.m2 }
      finish(p)
      s.m3 = last(p).payload
      local open = plaintext_of(w, s.m3:sub(65))
      assert.equal(s.hello, unb64(field(open, "hello")))
      assert.equal(s.id, field(open, "id"))
      assert.equal(hash(s.charter), unb64(field(open, "charter")))
      assert.equal(s.key_i.certificate, unb64(field(open, "certificate")))
      assert.is_true(w:verify(unb64(field(open, "binding")), s.alice.general, binding(s, s.alice, s.key_i)))
      s.m4 = w:seal(s.bob.general, { s.alice.general },
        ('{"v":1,"type":"answer","open":"%s","share":"%s","discussion":"%s"}'):format(b64(hash(s.m3)), b64(s.share),
          b64(hash(s.key_r.certificate))))
      p:step { type = "frame", kind = ANSWER, payload = s.m4 }
      finish(p)
      tags(s, unb64(field(open, "share")), s.share)
      assert.equal(s.i_to_r, p.tx)
      assert.equal(s.r_to_i, p.rx)
      s.m5 = last(p).payload
      assert.equal(s.ta, unb64(field(s.m5, "mac")))
      local r0 = roster(s)
      local signature = w:sign(s.bob.general, binding(s, s.bob, s.key_r))
      s.m6 = ('{"v":1,"type":"confirm-answer","mac":"%s","certificate":"%s","binding":"%s","roster":"%s"}'):format(
        b64(s.tb), b64(s.key_r.certificate), b64(signature), b64(r0))
      p:step { type = "frame", kind = RECORD, payload = s.m6, encrypted = true }
      finish(p)
      local ready = plaintext_of(w, last(p).payload)
      assert.equal(hash(lv(s.m1, s.m2, s.m3, s.m4, s.m5, s.m6)), unb64(field(ready, "transcript")))
      assert.equal(hash(r0), unb64(field(ready, "roster_hash")))
      -- the exact bytes are kept, however they are written
      assert.equal(r0, p.disk.opening.roster)
      assert.equal(hash(r0), p.disk.opening.hash)
      assert.is_nil(p.outcome)
      p:step { type = "frame", kind = READY, payload = w:seal(s.key_r.fingerprint, { s.key_i.key }, ready),
        encrypted = true }
      finish(p)
      assert.equal("opened", p.outcome)
    end)

    it("§2 speaks with an initiator that knows only the text, mode " .. mode, function()
      local s, p, w = begin(mode, "responder")
      local a = s.alice
      s.m1 = ('{"v":1,"type":"hello","role":"initiator","charter":"2","mode":"%s","nonce":"%s","fingerprint":"%s",' ..
        '"to":"%s","general":"%s","discussion":"%s","presence":{"record":"%s","signature":"%s","certification":"%s"}}')
        :format(mode, b64(("n"):rep(32)), a.fingerprint, s.bob.fingerprint, b64(hash(a.general)),
          b64(hash(s.key_i.certificate)), b64(a.presence_record), b64(a.presence_signature),
          b64(a.presence_certification))
      p:step { type = "frame", kind = RECORD, payload = s.m1 }
      finish(p)
      s.m2 = last(p).payload
      agree(s)
      assert.equal(s.id, p.machine:id())
      local signature = w:sign(a.general, binding(s, a, s.key_i))
      local sealed = w:seal(a.general, { s.bob.general },
        ('{"v":1,"type":"open","hello":"%s","id":"%s","charter":"%s","certificate":"%s","binding":"%s","share":"%s"}')
          :format(b64(s.hello), s.id, b64(hash(s.charter)), b64(s.key_i.certificate), b64(signature), b64(s.share)))
      s.m3 = handshake.sign_open(s.m1, s.m2, sealed, a.presence_secret)
      p:step { type = "frame", kind = OPEN, payload = s.m3 }
      finish(p)
      s.m4 = last(p).payload
      local answer = plaintext_of(w, s.m4)
      assert.equal(hash(s.m3), unb64(field(answer, "open")))
      assert.equal(hash(s.key_r.certificate), unb64(field(answer, "discussion")))
      tags(s, s.share, unb64(field(answer, "share")))
      assert.equal(s.r_to_i, p.tx)
      assert.equal(s.i_to_r, p.rx)
      s.m5 = ('{"v":1,"type":"confirm","mac":"%s"}'):format(b64(s.ta))
      p:step { type = "frame", kind = RECORD, payload = s.m5, encrypted = true }
      finish(p)
      s.m6 = p.sent[#p.sent - 1].payload
      assert.equal(s.tb, unb64(field(s.m6, "mac")))
      assert.equal(s.key_r.certificate, unb64(field(s.m6, "certificate")))
      assert.is_true(w:verify(unb64(field(s.m6, "binding")), s.bob.general, binding(s, s.bob, s.key_r)))
      local r0 = unb64(field(s.m6, "roster"))
      assert.equal(r0, p.disk.opening.roster)
      local ready = plaintext_of(w, last(p).payload)
      assert.equal(hash(lv(s.m1, s.m2, s.m3, s.m4, s.m5, s.m6)), unb64(field(ready, "transcript")))
      assert.equal(hash(r0), unb64(field(ready, "roster_hash")))
      p:step { type = "frame", kind = READY, payload = w:seal(s.key_i.fingerprint, { s.key_r.key }, ready),
        encrypted = true }
      finish(p)
      assert.equal("opened", p.outcome)
    end)
  end
end)
