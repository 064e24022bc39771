-- SPDX-License-Identifier: GPL-3.0-or-later
-- P2.1: whatever is changed in a handshake, on the wire or by one of the two, it opens on neither side.
local handshake = require "support.handshake"
local world = require "support.handshake_world"

local RECORD, CERTIFICATE, OPEN, ANSWER, READY = 1, 2, 3, 4, 5
local b64 = world.base64url

local function set(field, value)
  return function(text)
    local changed, n = text:gsub('("' .. field .. '":)"[^"]*"', function(key) return key .. '"' .. value .. '"' end)
    assert(n == 1, "no field " .. field)
    assert(changed ~= text, "nothing changed in " .. field)
    return changed
  end
end

local function unknown(options)
  options.initiator = options.initiator or {}
  options.responder = options.responder or {}
  if options.initiator.knows == nil then options.initiator.knows = false end
  if options.responder.knows == nil then options.responder.knows = false end
  return options
end

-- Changes what a side sends as its nth frame of that kind.
local function tampering(link, side, kind, encrypted, change)
  local done = 0
  link.tamper = function(from, frame)
    if from == side and frame.kind == kind and frame.encrypted == encrypted and done == 0 then
      done = done + 1
      local copy = {}
      for k, v in pairs(frame) do copy[k] = v end
      copy.payload = change(frame.payload)
      copy.damaged = encrypted
      return copy
    end
    return frame
  end
  return function() return done end
end

local function assert_refused(i, r)
  assert.equal("refused", i.outcome)
  assert.equal("refused", r.outcome)
  assert.equal("refused", world.settle(i, r))
end

-- Nobody learned anything: no tag went out, no discussion certificate left its sealed place.
local function assert_nothing_said(i, r)
  for _, p in ipairs { i, r } do
    assert.is_nil(p.disk.opening)
    assert.equal(0, p.disk.spent)
    for _, s in ipairs(p.sent) do assert.is_false(s.encrypted) end
  end
end

describe("handshake", function()
  -- what an attacker on the wire can do to M1 and M2
  local fields = {
    { 1, "role", "responder" }, { 1, "mode", "pinned" },
    { 1, "fingerprint", ("A"):rep(40) }, { 1, "to", ("A"):rep(40) },
    { 1, "nonce", b64(("n"):rep(32)) }, { 1, "general", b64(("h"):rep(32)) }, { 1, "discussion", b64(("h"):rep(32)) },
    { 1, "charter", "2" }, { 1, "record", b64("{}") }, { 1, "certification", b64("x") },
    { 1, "signature", b64(("s"):rep(64)) }, { 1, "type", "hello-answer" },
    { 2, "nonce", b64(("n"):rep(32)) }, { 2, "general", b64(("h"):rep(32)) }, { 2, "type", "hello" },
  }

  for _, field in ipairs(fields) do
    it(("P2.1 opens nowhere with another %s in M%d"):format(field[2], field[1]), function()
      for _, mode in ipairs { "password", "pinned" } do
        for _, knows in ipairs { true, false } do
          if not (mode == "pinned" and field[2] == "mode") then
            local knowing = { knows = knows }
            local i, r, _, link = world.pair { mode = mode, initiator = knowing, responder = knowing }
            local done = tampering(link, field[1], RECORD, false, set(field[2], field[3]))
            world.run { i, r }
            assert.equal(1, done())
            assert_refused(i, r)
            assert_nothing_said(i, r)
            assert.is_nil(r:place("request"))
          end
        end
      end
    end)
  end

  it("P2.1 opens nowhere with another mode, pinned to password", function()
    local i, r, _, link = world.pair { mode = "pinned", responder = { password = "guess" } }
    tampering(link, 1, RECORD, false, set("mode", "password"))
    world.run { i, r }
    assert_refused(i, r)
    assert_nothing_said(i, r)
  end)

  it("P2.1 opens nowhere with another certificate in either direction", function()
    for side = 1, 2 do
      for _, change in ipairs {
        function(s) return s .. "x" end, function(s) return s:sub(1, -2) end, function() return "" end,
        function(s) return s .. ("x"):rep(8192) end,
      } do
        local i, r, _, link = world.pair(unknown {})
        local done = tampering(link, side, CERTIFICATE, false, change)
        world.run { i, r }
        assert.equal(1, done())
        assert_refused(i, r)
        assert_nothing_said(i, r)
      end
    end
  end)

  -- Someone who has stolen the initiator's presence key signs M3 anew over what R saw.
  local stolen = { "nonce", "discussion", "charter", "mode" }
  for _, field in ipairs(stolen) do
    it(("P2.1 opens nowhere with another %s in M1, M3 signed anew with a stolen presence key"):format(field), function()
      local values = { nonce = b64(("n"):rep(32)), discussion = b64(("h"):rep(32)), charter = "2", mode = "pinned" }
      local i, r, _, link = world.pair { responder = { pinned = true } }
      if field == "mode" then r.password = nil end
      local m1, m2
      link.tamper = function(_, frame)
        if frame.kind == RECORD and not m1 then
          m1 = set(field, values[field])(frame.payload)
          return { kind = RECORD, payload = m1, encrypted = false }
        elseif frame.kind == RECORD and not m2 then
          m2 = frame.payload
        elseif frame.kind == OPEN then
          local again = handshake.sign_open(m1, m2, frame.payload:sub(65), i.person.presence_secret)
          return { kind = OPEN, payload = again, encrypted = false }
        end
        return frame
      end
      world.run { i, r }
      assert.is_number(r:place("open_general"))
      assert_refused(i, r)
      assert_nothing_said(i, r)
    end)
  end

  it("P2.1 opens nowhere with another certificate or nonce in M2, M3 signed anew", function()
    for _, field in ipairs { "nonce", "general" } do
      local i, r, w, link = world.pair(unknown {})
      local other = w:general(r.person.fingerprint)
      local m1, m2
      link.tamper = function(side, frame)
        if side == 2 and frame.kind == RECORD and not m2 then
          m2 = frame.payload
          local value = field == "nonce" and ("n"):rep(32) or handshake.hash(other)
          return { kind = RECORD, payload = set(field, b64(value))(m2), encrypted = false }
        elseif side == 1 and frame.kind == RECORD and not m1 then
          m1 = frame.payload
        elseif side == 1 and frame.kind == RECORD and field == "general" then
          -- CERT? for the other certificate: answer it in R's place
          table.insert(link.queues[2], { kind = CERTIFICATE, payload = other, encrypted = false })
          return false
        elseif frame.kind == OPEN then
          local again = handshake.sign_open(m1, m2, frame.payload:sub(65), i.person.presence_secret)
          return { kind = OPEN, payload = again, encrypted = false }
        end
        return frame
      end
      world.run { i, r }
      assert.is_number(r:place("open_general"))
      assert_refused(i, r)
      assert_nothing_said(i, r)
    end
  end)

  it("P2.1 opens nowhere where someone passes another's request off as its own", function()
    local w = world.new(5)
    local mallory = w:person("mallory")
    local i, r, _, link = world.pair { world = w }
    local m1, m2
    link.tamper = function(side, frame)
      if side == 1 and frame.kind == RECORD and not m1 then
        m1 = set("fingerprint", mallory.fingerprint)(frame.payload)
        m1 = set("general", b64(handshake.hash(mallory.general)))(m1)
        m1 = set("record", b64(mallory.presence_record))(m1)
        m1 = set("certification", b64(mallory.presence_certification))(m1)
        m1 = set("signature", b64(mallory.presence_signature))(m1)
        return { kind = RECORD, payload = m1, encrypted = false }
      elseif side == 2 and frame.kind == RECORD and not m2 then
        m2 = frame.payload
      elseif side == 2 and frame.kind == RECORD then
        table.insert(link.queues[1], { kind = CERTIFICATE, payload = mallory.general, encrypted = false })
        return false
      elseif frame.kind == OPEN then
        local again = handshake.sign_open(m1, m2, frame.payload:sub(65), mallory.presence_secret)
        return { kind = OPEN, payload = again, encrypted = false }
      end
      return frame
    end
    world.run { i, r }
    assert.equal(mallory.fingerprint, r.request.other)
    assert.equal("M3 does not open", r.detail)
    assert_refused(i, r)
    assert_nothing_said(i, r)
  end)

  -- What one of the two can do itself: its general key signs what it says, and yet it says two things.
  local inside = {
    { "M3", "initiator", "hello", b64(("h"):rep(32)), "M3 is of another M1 and M2" },
    { "M3", "initiator", "id", ("a"):rep(32), "M3 is of another id" },
    { "M3", "initiator", "charter", b64(("h"):rep(32)), "M3 is of another charter" },
    { "M3", "initiator", "certificate", b64("other"), "another discussion certificate than announced" },
    { "M3", "initiator", "type", "answer", "M3 is malformed" },
    { "M3", "initiator", "binding", b64("other") }, { "M3", "initiator", "share", b64(("\1"):rep(32)) },
    { "M4", "responder", "open", b64(("h"):rep(32)), "M4 answers another M3" },
    { "M4", "responder", "type", "open", "M4 is malformed" },
    { "M4", "responder", "share", b64(("\1"):rep(32)) }, { "M4", "responder", "discussion", b64(("h"):rep(32)) },
  }
  for _, case in ipairs(inside) do
    it(("P2.1 opens nowhere where its author puts another %s in %s"):format(case[3], case[1]), function()
      for _, mode in ipairs { "password", "pinned" } do
        local i, r = world.pair { mode = mode, [case[2]] = { forge_plaintext = set(case[3], case[4]) } }
        world.run { i, r }
        assert_refused(i, r)
        assert.is_nil(i.disk.opening)
        assert.is_nil(r.disk.opening)
        if case[5] then assert.equal(case[5], (case[1] == "M3" and r or i).detail) end
      end
    end)
  end

  local function relayed(side, kind, change)
    local i, r, _, link = world.pair {}
    local done = 0
    link.tamper = function(from, frame)
      if from == side and frame.kind == kind and frame.encrypted then
        done = done + 1
        frame.payload = change(frame.payload)
      end
      return frame
    end
    world.run { i, r }
    assert.equal(1, done)
    return i, r
  end

  it("P2.1 opens nowhere with another Ta, and R shows nothing of its own", function()
    local i, r = relayed(1, RECORD, set("mac", b64(("m"):rep(64))))
    assert_refused(i, r)
    assert.equal("Ta", r.detail)
    assert.is_nil(r.disk.opening)
    for _, s in ipairs(r.sent) do assert.is_false(s.encrypted) end
  end)

  it("P2.1 opens nowhere where M5 comes as a frame of another kind", function()
    for _, kind in ipairs { 2, 3, 4, 5, 7 } do
      local i, r, _, link = world.pair {}
      link.tamper = function(from, frame)
        if from == 1 and frame.encrypted then frame.kind = kind end
        return frame
      end
      world.run { i, r }
      assert_refused(i, r)
      assert.equal(1, r.disk.spent)
    end
  end)

  local m6 = {
    { "mac", b64(("m"):rep(64)), "Tb" },
    { "certificate", b64("other"), "another discussion certificate than announced" },
    { "binding", b64("other"), "binding" }, { "roster", b64("{}"), "R_0 is malformed" },
  }
  for _, case in ipairs(m6) do
    it(("P2.1 is refused by I where R puts another %s in M6"):format(case[1]), function()
      local i, r = relayed(2, RECORD, set(case[1], case[2]))
      assert.same({ "refused", "failed", case[3] }, { i.outcome, i.reason, i.detail })
      assert.equal("left", r.outcome)
      assert.equal("refused", world.settle(i, r))
      assert.equal(0, i.disk.restored)
    end)
  end

  local rows = {
    { "discussion", function(t) return set("discussion", ("a"):rep(32))(t) end },
    { "epoch", function(t)
      return (t:gsub('"epoch":0', '"epoch":1,"previous":"' .. b64(("p"):rep(32)) .. '"'))
    end },
    { "charter", function(t) return set("charter", b64(("c"):rep(32)))(t) end },
    { "fingerprint", function(t) return (t:gsub('("fingerprint":")%x%x%x%x', "%10000", 1)) end },
    { "certificate", function(t) return (t:gsub('("certificate":")[^"]+', "%1" .. b64(("c"):rep(32)), 1)) end },
    { "key", function(t) return (t:gsub('("key":")[^"]+', "%1" .. ("A"):rep(16), 1)) end },
    { "order", function(t) return (t:gsub("%[(%b{}),(%b{})%]", "[%2,%1]")) end },
    { "number of members", function(t)
      return (t:gsub("%[", ('[{"fingerprint":"%s","certificate":"%s","key":"%s"},'):format(("0"):rep(40),
        b64(("c"):rep(32)), ("0"):rep(16)), 1))
    end },
  }
  for _, row in ipairs(rows) do
    it(("P2.1 is refused by I where R writes another %s into R_0"):format(row[1]), function()
      local i, r = relayed(2, RECORD, function(text)
        local roster = world.unbase64url(text:match('"roster":"([^"]+)"'))
        local changed = row[2](roster)
        assert.not_equal(roster, changed)
        return set("roster", b64(changed))(text)
      end)
      assert.same({ "refused", "failed" }, { i.outcome, i.reason })
      assert.matches("^R_0", i.detail)
      assert.equal("refused", world.settle(i, r))
    end)
  end

  it("P2.1 does not open on an M7 of another transcript or roster", function()
    for _, field in ipairs { "transcript", "roster_hash", "type" } do
      for _, role in ipairs { "initiator", "responder" } do
        local value = field == "type" and "open" or b64(("h"):rep(32))
        local i, r = world.pair { [role] = { forge_ready = set(field, value) } }
        world.run { i, r }
        local liar, other = i, r
        if role == "responder" then liar, other = r, i end
        assert.equal("left", other.outcome)
        assert.not_equal("refused", liar.outcome)
        world.settle(i, r)
      end
    end
  end)

  -- every byte of every message, on the wire
  local messages = {
    { "M1", 1, RECORD, false }, { "M2", 2, RECORD, false }, { "CERT of I", 1, CERTIFICATE, false },
    { "CERT of R", 2, CERTIFICATE, false }, { "M3", 1, OPEN, false }, { "M4", 2, ANSWER, false },
    { "M5", 1, RECORD, true }, { "M6", 2, RECORD, true }, { "M7 of I", 1, READY, true }, { "M7 of R", 2, READY, true },
  }
  for _, m in ipairs(messages) do
    it(("P2.1 opens nowhere after a change of any byte of %s"):format(m[1]), function()
      local length = 1
      local at = 1
      while at <= length do
        local i, r, _, link = world.pair(unknown { seed = at })
        local done = tampering(link, m[2], m[3], m[4], function(payload)
          length = #payload
          local mask = 1 << (at % 7)
          return payload:sub(1, at - 1) .. string.char(payload:byte(at) ~ mask) .. payload:sub(at + 1)
        end)
        world.run { i, r }
        assert.equal(1, done())
        local state = world.settle(i, r)
        if m[3] == READY then
          -- both have it on disk by then: the link ends, and a link between members finishes it
          assert.equal("open", state)
          assert.equal("left", (m[2] == 1 and r or i).outcome)
        else
          assert.equal("refused", state)
          assert.not_equal("opened", i.outcome)
          assert.not_equal("opened", r.outcome)
        end
        -- certificates and clear records: every byte; ciphertext is refused as a whole
        at = at + (m[4] and 97 or 1)
      end
      assert.is_true(length > 60)
    end)
  end

  it("P2.1 opens nowhere with a message of another handshake of the same two", function()
    local count = 0
    for _, m in ipairs(messages) do
      local w = world.new(77)
      local alice, bob = w:person("alice"), w:person("bob")
      local first_i, first_r, _, first_link = world.pair(unknown { world = w, alice = alice, bob = bob })
      local stolen_frame
      first_link.tamper = function(side, frame)
        if side == m[2] and frame.kind == m[3] and frame.encrypted == m[4] then stolen_frame = stolen_frame or frame end
        return frame
      end
      world.run { first_i, first_r }
      assert.equal("opened", first_i.outcome)
      local i, r, _, link = world.pair(unknown { world = w, alice = alice, bob = bob })
      local done
      link.tamper = function(side, frame)
        if side == m[2] and frame.kind == m[3] and frame.encrypted == m[4] and not done then
          done = frame.payload ~= stolen_frame.payload
          return stolen_frame
        end
        return frame
      end
      world.run { i, r }
      if done then
        count = count + 1
        if m[3] ~= READY then
          assert.equal("refused", world.settle(i, r))
        else
          assert.equal("left", (m[2] == 1 and r or i).outcome)
        end
      end
    end
    -- the two certificates are the same in both
    assert.equal(#messages - 2, count)
  end)

  it("P2.1 opens nowhere where the password differs in a single byte, in any place", function()
    local password = "correct horse battery staple"
    for at = 1, #password do
      local other = password:sub(1, at - 1) .. string.char(password:byte(at) ~ 1) .. password:sub(at + 1)
      local i, r = world.pair { seed = at, password_i = password, password_r = other }
      world.run { i, r }
      assert_refused(i, r)
    end
    for _, other in ipairs { password .. " ", password:sub(1, -2), password .. "\0", password:upper() } do
      local i, r = world.pair { password_i = password, password_r = other }
      world.run { i, r }
      assert_refused(i, r)
    end
  end)
end)
