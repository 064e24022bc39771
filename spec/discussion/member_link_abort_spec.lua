-- SPDX-License-Identifier: GPL-3.0-or-later
local handshake = require "support.handshake"
local world = require "support.handshake_world"
local links = require "support.link_world"

local b64, run, payloads = world.base64url, links.meet, links.payloads

describe("member link aborts", function()
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
