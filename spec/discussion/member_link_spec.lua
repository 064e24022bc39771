-- SPDX-License-Identifier: GPL-3.0-or-later
local handshake = require "support.handshake"
local member_link = require "support.member_link"
local world = require "support.handshake_world"
local links = require "support.link_world"

local b64, run, payloads = world.base64url, links.meet, links.payloads

local function same_rows(expected, got)
  for n, row in ipairs(expected) do
    assert.equal(row.fingerprint, got[n].fingerprint)
    assert.equal(row.epoch, got[n].epoch)
    assert.equal(row.sequence, got[n].sequence)
    assert.equal(row.hash or ("\0"):rep(32), got[n].hash)
  end
  assert.equal(#expected, #got)
end

describe("member link", function()
  describe("that succeeds", function()
    it("P2.12 links two members of any roster, in any order of results", function()
      for seed = 1, 60 do
        for _, n in ipairs { 2, 3, 9 } do
          local d = links.discussion(n, { seed = seed })
          local a, b = run(d, { a = n, b = 1 })
          assert.equal("linked", a.outcome)
          assert.equal("linked", b.outcome)
          assert.equal(a.tx, b.rx)
          assert.equal(a.rx, b.tx)
          assert.not_equal(a.tx, a.rx)
        end
      end
    end)

    it("P2.12 links in a later epoch and in the largest roster", function()
      local a, b = run(links.discussion(64, { epoch = 7 }), { a = 64, b = 17 })
      assert.equal("linked", a.outcome)
      assert.equal("linked", b.outcome)
    end)

    it("P2.12 links members who are in different epochs, and tells each side the other's", function()
      local d, later = links.discussion(2), links.discussion(2, { epoch = 3 })
      for _, case in ipairs { { "dials", 3, 0 }, { "answers", 0, 3 } } do
        local a, b = run(d, { [case[1]] = { roster = later.roster, rows = links.rows(later, { 0, 0 }) } })
        assert.equal("linked", a.outcome)
        assert.equal("linked", b.outcome)
        assert.equal(case[3], a.other_epoch)
        assert.equal(case[2], b.other_epoch)
        same_rows(links.rows(case[1] == "dials" and d or later, { 0, 0 }), a.seen.rows)
        assert.equal(1, a:times("verify"))
        assert.equal(1, b:times("verify"))
      end
    end)

    it("P5.4 links who joins, and has seen nobody yet", function()
      local d = links.discussion(3)
      for _, case in ipairs { { "dials", 1, 2 }, { "answers", 2, 1 } } do
        local both = { run(d, { [case[1]] = { rows = {} } }) }
        assert.equal("linked", both[1].outcome)
        assert.equal("linked", both[2].outcome)
        same_rows({}, both[case[3]].seen.rows)
        same_rows(links.rows(d, { 0, 0, 0 }), both[case[2]].seen.rows)
      end
    end)

    it("P2.12 tells each side how far the other's store reaches", function()
      local d = links.discussion(3)
      local at_a, at_b = links.rows(d, { 5, 2, 7 }), links.rows(d, { 4, 3, 0 })
      local a, b = run(d, { dials = { rows = at_a }, answers = { rows = at_b } })
      same_rows(at_b, a.seen.rows)
      same_rows(at_a, b.seen.rows)
      assert.is_nil(a.seen.presence_record)
    end)

    it("P2.13 carries presence records, and leaves one out that does not fit", function()
      local d = links.discussion(2)
      local a, b = run(d, { dials = { presence = d.members[1] }, answers = { presence = d.members[2] } })
      assert.equal(d.members[2].presence_record, a.seen.presence_record)
      assert.equal(d.members[1].presence_record, b.seen.presence_record)
      d = links.discussion(64, { epoch = 4000000000 })
      local p = d.members[1]
      p.presence_certification = ("c"):rep(4096)
      p.presence_record, p.presence_signature =
        handshake.presence(p.fingerprint, handshake.hash(p.general), p.presence_public, p.presence_secret, 4)
      local sequences = {}
      for n = 1, 64 do sequences[n] = (1 << 53) - 1 end
      local rows = links.rows(d, sequences)
      a, b = run(d, { dials = { presence = d.members[1], rows = rows }, answers = { rows = rows } })
      assert.equal("linked", a.outcome)
      assert.equal("linked", b.outcome)
      assert.is_nil(b.seen.presence_record)
    end)

    it("P2.12 signs role, discussion, epoch, roster, L1, Nb, Xb, both fingerprints and the rekeys", function()
      local d = links.discussion(3, { epoch = 2 })
      local bodies = {}
      local function keep(p, action)
        if action.type == "sign" then bodies[p.side] = action.body end
      end
      local a, b = run(d, { a = 3, b = 2, dials = { watch = keep }, answers = { watch = keep } })
      local l1 = a.sent[1].payload
      local answer = b.sent[1].payload
      local nonce = world.unbase64url(answer:match('"nonce":"([^"]+)"'))
      local share = world.unbase64url(answer:match('"key":"([^"]+)"'))
      local function length(n)
        return n < 128 and string.char(n) or string.char(n & 127 | 128, n >> 7)
      end
      for side, role in ipairs { "A", "B" } do
        local own, other = side == 1 and a or b, side == 1 and b or a
        local body = "sotto/1 link\0"
        for _, part in ipairs {
          "sotto/1 link", role, d.id, "\0\0\0\2", handshake.hash(d.roster), l1, nonce, share, own.person.fingerprint,
          other.person.fingerprint, handshake.hash(""),
        } do
          body = body .. length(#part) .. part
        end
        assert.equal(body, bodies[side])
      end
    end)

    it("P2.12 P4.2 says the newest key of each side, under its signature", function()
      local d = links.discussion(3)
      local newest = ("new"):rep(200)
      local bodies = {}
      local function keep(p, action)
        if action.type == "sign" then bodies[p.side] = action.body end
      end
      local a, b = run(d, { dials = { rekeys = newest, watch = keep }, answers = { watch = keep } })
      assert.equal("linked", a.outcome)
      assert.equal("linked", b.outcome)
      assert.equal(newest, b.seen.rekeys)
      assert.is_nil(a.seen.rekeys)
      assert.equal(handshake.hash(newest), bodies[1]:sub(-32))
      a, b = run(d, { dials = { rekeys = newest }, answers = { rekeys = "other" } })
      assert.same({ "other", newest }, { a.seen.rekeys, b.seen.rekeys })
    end)

    it("takes results from inside the carrying out of an action", function()
      for seed = 1, 20 do
        local d = links.discussion(2, { seed = seed })
        local a, b = run(d, { dials = { immediate = true }, answers = { immediate = true } })
        assert.equal("linked", a.outcome)
        assert.equal("linked", b.outcome)
        a, b = run(d, { dials = { immediate = true, fails = "signed" }, answers = { immediate = true } })
        assert.equal("failed", a.outcome)
        assert.equal("lost", b.outcome)
      end
    end)

    it("makes both signatures at the same time", function()
      local d = links.discussion(2)
      local a, b = links.pair(d)
      a:start()
      b:receive()
      a:receive()
      assert.equal(1, a:times("sign"))
      assert.equal(1, b:times("sign"))
    end)

    it("P2.12 keeps of two links the one that the lower fingerprint dialled", function()
      local low, high = ("0"):rep(40), ("F"):rep(40)
      assert.is_true(member_link.stays(low, high, true))
      assert.is_false(member_link.stays(low, high, false))
      assert.is_false(member_link.stays(high, low, true))
      assert.is_true(member_link.stays(high, low, false))
    end)
  end)

  describe("L1", function()
    local function l1_of(d, own, other)
      local a = links.pair(d, { a = own, b = other })
      a:start()
      return a.sent[1].payload
    end

    it("P2.12 is found by the member it is for, who learns from whom", function()
      for _, n in ipairs { 2, 3, 64 } do
        local d = links.discussion(n)
        for _, own in ipairs { 1, 2, n } do
          local other = own % n + 1
          local l1 = l1_of(d, own, other)
          for k = 1, n do
            local who = member_link.match(l1, d.first, d.roster, d.members[k].fingerprint)
            assert.equal(k == other and own or nil, who)
          end
        end
      end
    end)

    it("P2.12 is not one's own", function()
      local d = links.discussion(3)
      local me = d.members[2].fingerprint
      assert.is_nil(member_link.match(l1_of(d, 2, 2), d.first, d.roster, me))
    end)

    it("P2.12 is for one discussion", function()
      local d, e = links.discussion(2), links.discussion(2)
      local l1 = l1_of(d, 1, 2)
      local me = d.members[2].fingerprint
      assert.equal(1, member_link.match(l1, d.first, d.roster, me))
      assert.is_nil(member_link.match(l1, handshake.hash("x"), d.roster, me))
      assert.is_nil(member_link.match(l1, d.first, e.roster:gsub(d.id, ("e"):rep(32)), me))
      assert.is_nil(member_link.match(l1, d.first, d.roster, ("A"):rep(40)))
      for _, text in ipairs { "", "{}", l1:sub(1, -2), l1:gsub('"proof":"..', '"proof":"AA') } do
        assert.is_nil(member_link.match(text, d.first, d.roster, me))
      end
    end)

    it("P2.12 and the clear part of L2 name nobody and no discussion", function()
      local d = links.discussion(3)
      local a, b = run(d)
      for _, p in ipairs { a, b } do
        local clear = payloads(p, false)
        assert.equal(1, #clear)
        for _, secret in ipairs {
          d.id, d.first, b64(d.first), b64(handshake.hash(d.roster)), d.members[1].fingerprint,
          d.members[2].fingerprint,
        } do
          assert.is_nil(clear[1]:find(secret, 1, true))
        end
      end
    end)
  end)
end)
