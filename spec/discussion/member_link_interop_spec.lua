-- SPDX-License-Identifier: GPL-3.0-or-later
-- The other side of a member link written anew from the protocol's text (P2.12): tag, keys and signature inputs.
local handshake = require "support.handshake"
local world = require "support.handshake_world"
local links = require "support.link_world"

local RECORD = 1
local hash, b64, unb64 = handshake.hash, world.base64url, world.unbase64url
local nonce, secret = ("N"):rep(32), ("\11"):rep(32)
local share = handshake.x25519(secret)

local function lv(...)
  local out = {}
  for n, part in ipairs { ... } do
    local length = #part
    out[n] = (length < 128 and string.char(length) or string.char(length & 127 | 128, length >> 7)) .. part
  end
  return table.concat(out)
end

local function field(text, name) return text:match('"' .. name .. '":"([^"]*)"') end

local function tag(d, key, a, b) return handshake.keyed(d.first, "link" .. d.id .. nonce .. key .. a .. b) end

local function key(d, role, l1, nonce_b, share_b, shared)
  return handshake.keyed(shared, lv("sotto/1 link", role, d.first, l1, nonce_b, share_b))
end

local function body(d, role, l1, nonce_b, share_b, own, other)
  return "sotto/1 link\0" .. lv("sotto/1 link", role, d.id, ("\0\0\0%c"):format(d.epoch), hash(d.roster), l1, nonce_b,
    share_b, own.fingerprint, other.fingerprint, hash(""))
end

local function proof(d, person, signature)
  return ('{"v":1,"type":"link-proof","fingerprint":"%s","epoch":%d,"roster_hash":"%s","rekeys":"","signature":"%s"}')
    :format(person.fingerprint, d.epoch, b64(hash(d.roster)), b64(signature))
end

local function seen(d)
  local rows = {}
  for n, p in ipairs(d.members) do
    rows[n] = ('{"fingerprint":"%s","epoch":%d,"sequence":%d,"hash":"%s"}'):format(p.fingerprint, d.epoch,
      n == 1 and 0 or 3, b64(n == 1 and ("\0"):rep(32) or hash("payload")))
  end
  return ('{"v":1,"type":"seen","members":[%s]}'):format(table.concat(rows, ","))
end

local function finish(p)
  while #p.pending > 0 do table.remove(p.pending, 1)() end
end

local function under_keys(p, payload)
  p:step { type = "frame", kind = RECORD, payload = payload, encrypted = true }
end

-- A that knows only the text, as far as its keys, with machine B (member 2 of 3)
local function reach_b(d)
  local a, b = d.members[1], d.members[2]
  local _, p = links.pair(d)
  local s = { d = d, a = a, b = b, party = p }
  s.l1 = ('{ "type":"link", "v":1, "proof":"%s", "key":"%s", "nonce":"%s" }'):format(
    b64(tag(d, share, a.fingerprint, b.fingerprint)), b64(share), b64(nonce))
  p:step { type = "frame", kind = RECORD, payload = s.l1 }
  s.nonce_b, s.share_b = unb64(field(p.sent[1].payload, "nonce")), unb64(field(p.sent[1].payload, "key"))
  s.shared = handshake.x25519(secret, s.share_b)
  s.proof = proof(d, a, d.world:sign(a.key.fingerprint, body(d, "A", s.l1, s.nonce_b, s.share_b, a, b)))
  return s, p
end

describe("member link", function()
  it("P2.12 speaks with a side that answers and knows only the text", function()
    local d = links.discussion(3, { epoch = 5 })
    local p = links.pair(d)
    local a, b = d.members[1], d.members[2]
    p:start()
    local l1 = p.sent[1].payload
    local share_a = unb64(field(l1, "key"))
    assert.equal(handshake.keyed(d.first, "link" .. d.id .. unb64(field(l1, "nonce")) .. share_a .. a.fingerprint ..
      b.fingerprint), unb64(field(l1, "proof")))
    p:step { type = "frame", kind = RECORD,
      payload = ('{"nonce":"%s","v":1,"key":"%s","type":"link-answer"}'):format(b64(nonce), b64(share)) }
    local shared = handshake.x25519(secret, share_a)
    assert.equal(key(d, "A", l1, nonce, share, shared), p.tx)
    assert.equal(key(d, "B", l1, nonce, share, shared), p.rx)
    under_keys(p, proof(d, b, d.world:sign(b.key.fingerprint, body(d, "B", l1, nonce, share, b, a))))
    finish(p)
    local l3 = p.sent[2].payload
    local input = body(d, "A", l1, nonce, share, a, b)
    assert.is_true(d.world:verify(unb64(field(l3, "signature")), a.key.fingerprint, input))
    under_keys(p, seen(d))
    assert.equal("linked", p.outcome)
    assert.equal(3, p.seen.rows[2].sequence)
  end)

  it("P2.12 speaks with a side that dials and knows only the text", function()
    local s, p = reach_b(links.discussion(3, { epoch = 5 }))
    assert.equal(key(s.d, "A", s.l1, s.nonce_b, s.share_b, s.shared), p.rx)
    assert.equal(key(s.d, "B", s.l1, s.nonce_b, s.share_b, s.shared), p.tx)
    finish(p)
    local l2 = p.sent[2].payload
    assert.equal(s.b.fingerprint, field(l2, "fingerprint"))
    assert.is_true(s.d.world:verify(unb64(field(l2, "signature")), s.b.key.fingerprint,
      body(s.d, "B", s.l1, s.nonce_b, s.share_b, s.b, s.a)))
    under_keys(p, s.proof)
    local nothing = '"sequence":0,"hash":"' .. b64(("\0"):rep(32)) .. '"'
    under_keys(p, (seen(s.d):gsub('"sequence":3,"hash":"[^"]+"', nothing, 1)))
    assert.is_nil(p.outcome)
    finish(p)
    assert.equal("linked", p.outcome)
  end)

  it("P2.12 takes no L3 before it has sent its own proof, and no second SEEN", function()
    local s, p = reach_b(links.discussion(3))
    under_keys(p, s.proof)
    assert.same({ "failed", "L3 before L2" }, { p.outcome, p.detail })
    s, p = reach_b(links.discussion(3))
    finish(p)
    under_keys(p, s.proof)
    under_keys(p, seen(s.d))
    under_keys(p, seen(s.d))
    assert.equal("failed", p.outcome)
  end)
end)
