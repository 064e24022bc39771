-- SPDX-License-Identifier: GPL-3.0-or-later
local handshake = require "support.handshake"
local member_link = require "support.member_link"
local world = require "support.handshake_world"
local links = require "support.link_world"

local b64 = world.base64url

local function run(d, options)
  local a, b, link = links.pair(d, options)
  links.run { a, b }
  return a, b, link
end

local function payloads(p, encrypted)
  local list = {}
  for _, s in ipairs(p.sent) do
    if s.encrypted == encrypted then list[#list + 1] = s.payload end
  end
  return list
end

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

  describe("aborts", function()
    local function ends(a, b, detail)
      links.run { a, b }
      assert.not_equal("linked", a.outcome)
      assert.not_equal("linked", b.outcome)
      if detail then assert.is_true(a.detail == detail or b.detail == detail) end
    end

    it("P2.12 tells nothing to who answers an L1 without knowing the discussion", function()
      local d = links.discussion(2)
      local a, b = links.pair(d, { answers = { first = handshake.hash("a guess") } })
      a:start()
      b:receive() -- the tag does not hold
      assert.equal("failed", b.outcome)
      assert.same({}, b.sent)
      -- an own answer, with an own share: its keys are not A's
      a = links.pair(d)
      a:start()
      local share = b64(("\9"):rep(32))
      a:step { type = "frame", kind = 1,
        payload = ('{"v":1,"type":"link-answer","nonce":"%s","key":"%s"}'):format(b64(("n"):rep(32)), share) }
      assert.is_number(a:place("set_cipher"))
      a:step { type = "unreadable" }
      assert.equal("failed", a.outcome)
      assert.same({}, payloads(a, true))
    end)

    it("P2.12 on a zero result of X25519, at either side", function()
      local d = links.discussion(2)
      local zero = b64(("\0"):rep(32))
      local a = links.pair(d)
      a:start()
      a:step { type = "frame", kind = 1,
        payload = ('{"v":1,"type":"link-answer","nonce":"%s","key":"%s"}'):format(b64(("n"):rep(32)), zero) }
      assert.same({ "failed", "bad point" }, { a.outcome, a.detail })
      assert.is_nil(a.tx)
    end)

    it("P2.12 on its own L1 echoed", function()
      local d = links.discussion(2)
      local a = links.pair(d)
      a:start()
      a:step { type = "frame", kind = 1, payload = (a.sent[1].payload:gsub('"type":"link"', '"type":"link-answer"')) }
      assert.equal("own L1 echoed", a.detail)
      local _, b = links.pair(d, { a = 1, b = 2 })
      b:step { type = "frame", kind = 1, payload = a.sent[1].payload }
      assert.is_nil(b.outcome)
      local _, twin = links.pair(d, { a = 2, b = 1 })
      twin:step { type = "frame", kind = 1, payload = a.sent[1].payload }
      assert.equal("L1 is for another", twin.detail)
    end)

    it("P2.12 shows A's fingerprint only to who has proved to be B", function()
      for seed = 1, 20 do
        local d = links.discussion(3, { seed = seed })
        local a, b = links.pair(d, { answers = { forge_signer = d.members[3].key.fingerprint } })
        ends(a, b, "the proof does not hold")
        assert.same({}, payloads(a, true))
      end
    end)

    it("P2.12 on a proof that A's key has not signed", function()
      for seed = 1, 20 do
        local d = links.discussion(3, { seed = seed })
        local a, b = links.pair(d, { dials = { forge_signer = d.members[3].key.fingerprint } })
        links.run { a, b }
        assert.equal("failed", b.outcome)
        -- SEEN comes from B only after that
        assert.equal("lost", a.outcome)
        assert.equal(0, b:times("want_seen"))
      end
    end)

    -- what a member can put into its own proof
    local forged = {
      { "fingerprint", function(d) return d.members[3].fingerprint end, "the proof of another" },
      { "roster_hash", function() return b64(("h"):rep(32)) end, "the proof does not hold" },
      { "signature", function() return b64("s") end, "the proof does not hold" },
      { "rekeys", function() return b64("r") end, "the proof does not hold" },
      { "rekeys", function() return b64(("r"):rep(1025)) end, "rekeys are not of this version" },
      { "type", function() return "seen" end, "the proof is malformed" },
    }
    for _, case in ipairs(forged) do
      it(("P2.12 on another %s in either proof"):format(case[1]), function()
        for side = 1, 2 do
          local d = links.discussion(3)
          local a, b, link = links.pair(d)
          local done
          link.tamper = function(from, frame)
            if from == side and frame.encrypted and not done then
              done = true
              local n
              frame.payload, n = frame.payload:gsub('("' .. case[1] .. '":")[^"]*', "%1" .. case[2](d))
              assert(n == 1)
            end
            return frame
          end
          ends(a, b, case[3])
        end
      end)
    end

    it("P2.12 on a proof of another link, and on its own proof reflected", function()
      local d = links.discussion(2)
      local old_a, old_b = run(d)
      for _, case in ipairs { { 1, old_a }, { 2, old_b }, { 1, old_b }, { 2, old_a } } do
        local a, b, link = links.pair(d)
        local done
        link.tamper = function(from, frame)
          if from == case[1] and frame.encrypted and not done then
            done = true
            frame.payload = payloads(case[2], true)[1]
          end
          return frame
        end
        ends(a, b)
      end
    end)

    it("P2.12 on another roster of the same epoch, once the proof holds", function()
      local d = links.discussion(2)
      local other = d.roster:gsub('("charter":")[^"]+', "%1" .. b64(("c"):rep(32)))
      local a, b = links.pair(d, { answers = { roster = other } })
      ends(a, b, "another roster")
    end)

    it("P2.12 on a SEEN that is not of this roster", function()
      local d = links.discussion(3)
      local changes = {
        function(t) t[2], t[3] = t[3], t[2] end, function(t) t[3] = nil end,
        function(t) t[3].fingerprint = ("A"):rep(40) end, function(t) t[1].epoch = 1 end,
        function(t)
          t[4] = { fingerprint = ("F"):rep(40), epoch = 0, sequence = 0 }
        end,
      }
      for _, change in ipairs(changes) do
        for _, side in ipairs { "dials", "answers" } do
          local rows = links.rows(d, { 1, 2, 3 })
          change(rows)
          local a, b = links.pair(d, { [side] = { rows = rows } })
          ends(a, b, "own state is not of this roster")
          -- and where it is sent all the same
          local link
          a, b, link = links.pair(d)
          link.tamper = function(from, frame)
            if from == (side == "dials" and 1 or 2) and frame.payload:find('"type":"seen"', 1, true) then
              local other = links.rows(d, { 1, 2, 3 })
              change(other)
              local text = {}
              for n, row in ipairs(other) do
                text[n] = ('{"fingerprint":"%s","epoch":%d,"sequence":%d,"hash":"%s"}'):format(row.fingerprint,
                  row.epoch, row.sequence, b64(row.hash or ("\0"):rep(32)))
              end
              frame.payload = ('{"v":1,"type":"seen","members":[%s]}'):format(table.concat(text, ","))
            end
            return frame
          end
          links.run { a, b }
          local p = side == "dials" and b or a
          assert.same({ "failed", "SEEN is not of this roster" }, { p.outcome, p.detail })
        end
      end
    end)

    it("P2.12 on a presence record of another", function()
      local d = links.discussion(3)
      local a, b = links.pair(d, { dials = { presence = d.members[3] } })
      links.run { a, b }
      assert.same({ "failed", "presence record" }, { b.outcome, b.detail })
      local p = {}
      for k, v in pairs(d.members[1]) do p[k] = v end
      p.presence_signature = ("s"):rep(64)
      a, b = links.pair(d, { dials = { presence = p } })
      links.run { a, b }
      assert.same({ "failed", "presence record" }, { b.outcome, b.detail })
    end)

    it("P5.9 where the other holds later payloads of mine than I do", function()
      local d = links.discussion(3)
      local function try(mine, theirs, change)
        local rows = links.rows(d, { theirs, 0, 0 })
        if change then change(rows[1]) end
        return run(d, { dials = { rows = links.rows(d, { mine, 0, 0 }) }, answers = { rows = rows } })
      end
      for _, case in ipairs { { 0, 1 }, { 4, 5 }, { 4, 400 } } do
        local a, b = try(case[1], case[2])
        assert.same({ "rolled_back", case[2] }, { a.outcome, a.sequence })
        assert.same({ "close_link", "ended" }, { a.did[#a.did - 1], a.did[#a.did] })
        assert.is_true(b.outcome == "linked" or b.outcome == "lost")
      end
      local a = try(5, 5, function(row) row.hash = handshake.hash("another payload with my number") end)
      assert.same({ "rolled_back", 5 }, { a.outcome, a.sequence })
      for _, case in ipairs { { 0, 0 }, { 5, 5 }, { 5, 4 }, { 5, 0 } } do
        assert.equal("linked", try(case[1], case[2]).outcome)
      end
      local later = links.discussion(3, { epoch = 2 })
      local mine, theirs = links.rows(later, { 0, 0, 0 }), links.rows(later, { 9, 0, 0 })
      theirs[1].epoch = 1
      assert.equal("linked", run(later, { dials = { rows = mine }, answers = { rows = theirs } }).outcome)
      theirs[1].epoch, mine[1].epoch = 2, 1
      assert.equal("rolled_back", run(later, { dials = { rows = mine }, answers = { rows = theirs } }).outcome)
    end)

    it("on failing work of its own, and on results out of turn", function()
      local d = links.discussion(2)
      for _, name in ipairs { "signed", "verified" } do
        for _, side in ipairs { "dials", "answers" } do
          local a, b = links.pair(d, { [side] = { fails = name } })
          links.run { a, b }
          assert.equal("failed", (side == "dials" and a or b).outcome)
        end
      end
      for _, event in ipairs {
        { type = "signed", bytes = "s" }, { type = "verified" }, { type = "seen", rows = {} },
        { type = "ack", record = "{}" }, { type = "farewell_done" },
      } do
        local a, b = links.pair(d)
        a:start()
        for _, p in ipairs { a, b } do
          p:step(event)
          assert.equal("failed", p.outcome)
          assert.same({}, p:step(event))
        end
      end
      local _, b = links.pair(d)
      b:step { type = "start" }
      assert.equal("failed", b.outcome)
    end)

    -- party, action after which a frame comes
    local stages = {
      { 1, "send" }, { 1, "set_cipher" }, { 1, "verify" }, { 1, "want_seen" },
      { 2, "set_cipher" }, { 2, "send", 2 }, { 2, "verify" }, { 2, "want_seen" },
    }

    it("on a frame that does not belong there, at every stage", function()
      for _, stage in ipairs(stages) do
        for kind = 1, 7 do
          for _, payload in ipairs { "", "{}", '{"v":1,"type":"nonsense"}', ("x"):rep(200) } do
            local a, b = links.pair(links.discussion(2))
            local p = stage[1] == 1 and a or b
            links.run_until({ a, b }, p, stage[2], stage[3])
            p:step { type = "frame", kind = kind, payload = payload, encrypted = p.rx ~= nil }
            -- in the place of a proof a sealed payload is a farewell
            local farewell = kind == 7 and (stage[2] == "set_cipher" and p == a or stage[2] == "send" and p == b)
            assert.equal(farewell and "delivered" or "failed", p.outcome or #p.delivered == 1 and "delivered")
          end
        end
        for _, event in ipairs { "deadline", "link_ended" } do
          local a, b = links.pair(links.discussion(2))
          local p = stage[1] == 1 and a or b
          links.run_until({ a, b }, p, stage[2], stage[3])
          p:step { type = event }
          assert.equal("lost", p.outcome)
        end
      end
    end)

    it("on a change of any byte on the wire", function()
      for side = 1, 2 do
        for nth = 1, 3 do
          local length, at = 1, 1
          while at <= length do
            local a, b, link = links.pair(links.discussion(2, { seed = at }))
            local count = 0
            link.tamper = function(from, frame)
              if from ~= side then return frame end
              count = count + 1
              if count ~= nth then return frame end
              length = #frame.payload
              local payload = frame.payload
              local byte = string.char(payload:byte(at) ~ 1 << (at % 7))
              frame.damaged = frame.encrypted
              frame.payload = payload:sub(1, at - 1) .. byte .. payload:sub(at + 1)
              return frame
            end
            links.run { a, b }
            local hit, other = side == 1 and b or a, side == 1 and a or b
            assert.not_equal("linked", hit.outcome)
            -- a damaged SEEN ends only the side that reads it
            if nth < 3 then assert.not_equal("linked", other.outcome) end
            at = at + (nth == 1 and 1 or 89)
          end
          assert.is_true(length > 50)
        end
      end
    end)
  end)
end)
