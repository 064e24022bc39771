-- SPDX-License-Identifier: GPL-3.0-or-later
-- What ends a handshake: own checks of P2.3, frames and results out of turn, deadlines, the end of the link, a person's
-- word, at every stage of both roles.
local handshake = require "support.handshake"
local world = require "support.handshake_world"

local function run(options)
  local i, r, w, link = world.pair(options)
  world.run { i, r }
  return i, r, w, link
end

local function outcome(p) return { p.outcome, p.reason } end

local function assert_refused(i, r)
  assert.same({ "refused", "failed" }, outcome(i))
  assert.same({ "refused", "failed" }, outcome(r))
  assert.is_nil(i.disk.opening)
  assert.is_nil(r.disk.opening)
end

describe("handshake", function()
  describe("aborts", function()
    it("P2.3 on its own fingerprint", function()
      local w = world.new(4)
      local alice = w:person("alice")
      local i = world.pair { world = w, alice = alice, bob = alice }
      i:start()
      assert.same({ "refused", "failed" }, outcome(i))
      assert.equal("own fingerprint", i.detail)
      assert.same({}, i.sent)
    end)

    it("P2.3 on a reflected M1", function()
      local i, r = world.pair {}
      i:start()
      local twin = world.party {
        world = i.world, link = world.link(), side = 2, person = i.person, other = r.person, role = "responder",
      }
      twin:start()
      twin:step { type = "frame", kind = 1, payload = i.sent[1].payload }
      assert.same({ "refused", "failed" }, outcome(twin))
      assert.same({}, twin.sent)
    end)

    local function answer(i, nonce, general)
      i:start()
      local own_nonce = i.sent[1].payload:match('"nonce":"([^"]+)"')
      local own_general = i.sent[1].payload:match('"general":"([^"]+)"')
      i:step { type = "frame", kind = 1, payload = ('{"v":1,"type":"hello-answer","nonce":"%s","general":"%s"}'):format(
        nonce or own_nonce, general or own_general) }
    end

    it("P2.3 on its own nonce echoed and on its own certificate as the other's", function()
      local other = world.base64url(("n"):rep(32))
      local i = world.pair {}
      answer(i, nil, other)
      assert.equal("own nonce echoed", i.detail)
      i = world.pair {}
      answer(i, other, nil)
      assert.equal("own certificate as the other's", i.detail)
      i = world.pair {}
      answer(i, other, other)
      assert.is_nil(i.outcome)
    end)

    it("P2.3 on an M1 that is for another, from itself, or with its own certificate or nonce", function()
      local i, r = world.pair {}
      i:start()
      local m1 = i.sent[1].payload
      -- the same seed gives the same nonce: this is how it can be known beforehand here
      local twin = world.party { world = r.world, link = world.link(), side = 2, person = r.person, other = i.person,
        role = "responder", knows = true, machine_seed = 5 }
      twin:start()
      twin:step { type = "frame", kind = 1, payload = m1 }
      twin:step { type = "looked_up", general = i.person.general }
      local nonce = twin.sent[1].payload:match('"nonce":"([^"]+)"')
      local general = world.base64url(handshake.hash(r.person.general))
      for detail, change in pairs {
        ["M1 is for another"] = { "to", i.person.fingerprint },
        ["own fingerprint"] = { "fingerprint", r.person.fingerprint },
        ["own certificate as the other's"] = { "general", general }, ["own nonce echoed"] = { "nonce", nonce },
      } do
        local p = world.party { world = r.world, link = world.link(), side = 2, person = r.person, other = i.person,
          role = "responder", knows = true, machine_seed = 5 }
        p:start()
        p:step { type = "frame", kind = 1, payload = (m1:gsub('("' .. change[1] .. '":")[^"]+', "%1" .. change[2], 1)) }
        assert.same({ "refused", "failed" }, outcome(p))
        assert.equal(detail, p.detail)
        assert.same({}, p.sent)
      end
    end)

    it("P2.1 on another certificate than announced, also a genuine one", function()
      for side = 1, 2 do
        local w = world.new(3)
        local i, r, _, link = world.pair { world = w, initiator = { knows = false }, responder = { knows = false } }
        local other = w:general((side == 1 and i or r).person.fingerprint)
        link.tamper = function(_, frame)
          if frame.kind == 2 and frame.payload:find(other:match("^[^:]+"), 1, true) then frame.payload = other end
          return frame
        end
        world.run { i, r }
        local p = side == 1 and r or i
        assert.equal("another certificate than announced", p.detail)
        assert.is_nil(p:place("check_certificate"))
        assert.equal("refused", world.settle(i, r))
      end
    end)

    it("P2.1 on a second M3", function()
      local i, r = world.pair {}
      world.run({ i, r }, function()
        if r:place("prove") then r.pending = {} end
        return #i.sent == 2
      end)
      r:receive()
      assert.is_nil(r.outcome or r:place("request"))
      r:step { type = "frame", kind = 3, payload = i.sent[2].payload }
      assert.same({ "refused", "failed" }, outcome(r))
    end)

    it("P2.5 on the right message in clear where it belongs under the keys, and the other way round", function()
      local i, r = world.pair {}
      world.run({ i, r }, function() return #r.sent > 2 end)
      local m6 = r.sent[3]
      assert.is_true(m6.encrypted)
      i:step { type = "frame", kind = 1, payload = m6.payload, encrypted = false }
      assert.same({ "refused", "failed" }, outcome(i))
      i, r = world.pair {}
      world.run({ i, r }, function() return #r.sent > 0 end)
      i:step { type = "frame", kind = 1, payload = r.sent[1].payload, encrypted = true }
      assert.same({ "refused", "failed" }, outcome(i))
    end)

    it("P2.1 on a second M7", function()
      local i, r = world.pair {}
      world.run_until({ i, r }, i, "verify_binding")
      for _ = 1, 2 do i:step { type = "frame", kind = 5, payload = "sealed", encrypted = true } end
      assert.same({ "refused", "failed" }, outcome(i))
      i, r = world.pair {}
      world.run_until({ i, r }, r, "restore_guesses")
      for _ = 1, 2 do r:step { type = "frame", kind = 5, payload = "sealed", encrypted = true } end
      assert.equal("left", r.outcome)
    end)

    it("P2.3 on its own share and on equal discussion certificates", function()
      local i, r = world.pair {}
      r.forge_plaintext = function(plaintext)
        local share
        for _, box in pairs(i.world.boxes) do share = box.plaintext:match('"share":"([^"]+)"') end
        return (plaintext:gsub('("share":")[^"]+', "%1" .. share))
      end
      world.run { i, r }
      assert_refused(i, r)
      i, r = world.pair {}
      r.key = i.key
      world.run { i, r }
      assert.same({ "refused", "failed" }, outcome(r))
      assert.equal("equal discussion certificates", r.detail)
      assert.is_nil(r:place("open_general"))
    end)

    it("P2.3 on an id that is held already", function()
      local i, r = run { responder = { held = true } }
      assert.same({ "refused", "failed" }, outcome(r))
      assert.same({ "refused", "lost" }, outcome(i))
      assert.same({}, r.sent)
    end)

    it("P2.3 on an empty password in mode password, and P2.7 on a password in mode pinned", function()
      for _, password in ipairs { "", false } do
        local i, r = world.pair { initiator = { password = password or nil } }
        if not password then
          i.machine:free()
          i = world.party { world = i.world, link = i.link, side = 1, person = i.person, other = r.person,
            role = "initiator", mode = "password", knows = true }
        end
        world.run { i, r }
        assert.same({ "refused", "failed" }, outcome(i))
        assert.same({}, i.sent)
        i, r = world.pair {}
        r.password = password or nil
        world.run { i, r }
        assert.same({ "refused", "failed" }, outcome(r))
        assert.is_nil(r:place("open_general"))
      end
      assert.same({ "refused", "failed" }, outcome((run { mode = "pinned", initiator = { password = "secret" } })))
      local i, r = run { mode = "pinned", responder = { password = "secret" } }
      assert.same({ "refused", "failed" }, outcome(r))
      assert.same({ "refused", "lost" }, outcome(i))
    end)

    it("P2.7 refuses mode pinned from who is not pinned", function()
      local i, r = run { mode = "pinned", responder = { pinned = false } }
      assert.same({ "refused", "refused" }, outcome(i))
      assert.same({ "refused", "refused" }, outcome(r))
      assert.is_nil(r:place("request"))
    end)

    it("P1.7 on a certificate that is not of that fingerprint", function()
      for _, forger in ipairs { "initiator", "responder" } do
        local w = world.new(11)
        local alice, bob, mallory = w:person("alice"), w:person("bob"), w:person("mallory")
        if forger == "initiator" then
          alice.general = mallory.general
          w:announce(alice)
        else
          bob.general = mallory.general
        end
        local i, r = run {
          world = w, alice = alice, bob = bob, initiator = { knows = false }, responder = { knows = false },
        }
        assert.equal("refused", i.outcome)
        assert.equal("refused", r.outcome)
        assert.is_nil(r:place("request"))
        if forger == "responder" then assert.is_nil(i:place("seal_general")) end
      end
    end)

    it("P2.6 on a presence key that is not the general key's", function()
      local w = world.new(12)
      local alice, bob, mallory = w:person("alice"), w:person("bob"), w:person("mallory")
      local public, secret = handshake.pair("mallory's own")
      local function attempt(change)
        local victim = {}
        for k, v in pairs(alice) do victim[k] = v end
        change(victim)
        local i, r = run { world = w, alice = victim, bob = bob }
        assert.equal("refused", i.outcome)
        assert.equal("refused", r.outcome)
        assert.is_nil(r:place("request"))
        return r.detail
      end
      -- another key, with the certification of the right one; by another's key; of another's
      assert.equal("presence key", attempt(function(p)
        p.presence_record, p.presence_signature =
          handshake.presence(p.fingerprint, handshake.hash(p.general), public, secret)
      end))
      assert.equal("presence signature", attempt(function(p) p.presence_secret = secret end))
      assert.equal("presence record", attempt(function(p) p.presence_signature = ("s"):rep(64) end))
      assert.equal("presence record", attempt(function(p)
        p.presence_record, p.presence_signature = handshake.presence(mallory.fingerprint, handshake.hash(p.general),
          mallory.presence_public, mallory.presence_secret)
      end))
      assert.equal("presence record", attempt(function(p)
        p.presence_record, p.presence_signature = mallory.presence_record, mallory.presence_signature
        p.presence_certification, p.presence_secret = mallory.presence_certification, mallory.presence_secret
      end))
      assert.equal("presence record", attempt(function(p)
        p.presence_record, p.presence_signature =
          handshake.presence(p.fingerprint, handshake.hash("another certificate"), p.presence_public, p.presence_secret)
      end))
    end)

    it("P2.1 on an M3 or M4 that another general key has signed", function()
      local w = world.new(13)
      local mallory = w:person("mallory")
      local i, r = run { world = w, initiator = { forge_signer = mallory.general } }
      assert.same({ "refused", "failed" }, outcome(r))
      assert.same({ "refused", "lost" }, outcome(i))
      assert.equal("M3 does not open", r.detail)
      assert.same({ 0, 0 }, { i.disk.spent, r.disk.spent })
      i, r = run { world = w, responder = { forge_signer = mallory.general } }
      assert.same({ "refused", "failed" }, outcome(i))
      assert.same({ "refused", "lost" }, outcome(r))
      assert.same({ 0, 0 }, { i.disk.spent, r.disk.spent })
    end)

    it("P3.2 on two members with one key id", function()
      local w = world.new(14)
      local i, r = world.pair { world = w }
      r.forge_key, r.home[r.key.key] = r.key.key, true
      world.run { i, r }
      assert.same({ "refused", "failed" }, outcome(r))
      assert.same({ "refused", "failed" }, outcome(i))
      assert.equal("two members with one key", r.detail)
    end)

    it("on any failure of its own gpg or disk, without leaving the other open", function()
      local results = {
        initiator = { "binding_signed", "certificate_checked", "general_sealed", "general_opened", "guess_spent",
          "binding_verified", "imported", "discussion_sealed", "discussion_opened" },
        responder = { "certificate_checked", "proved", "binding_signed", "general_sealed", "general_opened",
          "guess_spent", "binding_verified", "imported", "discussion_sealed", "discussion_opened" },
      }
      for role, list in pairs(results) do
        for _, name in ipairs(list) do
          for seed = 1, 10 do
            local options = { seed = seed, initiator = { knows = false }, responder = { knows = false } }
            options[role].fails, options[role].immediate = name, seed % 2 == 0
            local i, r = run(options)
            local p = role == "initiator" and i or r
            assert.not_equal("opened", p.outcome)
            world.settle(i, r)
            if not name:find("^discussion_") then assert.is_nil(p.disk.opening) end
          end
        end
        local i, r = run { [role] = { disk_full = true } }
        assert.same({ "refused", "failed" }, outcome(role == "initiator" and i or r))
        assert.equal("refused", world.settle(i, r))
      end
    end)

    it("on a result that nobody asked for", function()
      for _, type in ipairs {
        "looked_up", "committed", "guess_spent", "general_opened", "imported", "discussion_opened",
      } do
        local i, r = world.pair {}
        for _, p in ipairs { i, r } do
          p:start()
          p:step { type = type, fingerprint = ("A"):rep(40), key = ("A"):rep(16) }
          assert.same({ "refused", "failed" }, outcome(p))
          assert.same({ "close_link", "refused" }, { p.did[#p.did - 1], p.did[#p.did] })
        end
      end
      local i = world.pair {}
      i:start()
      i:step { type = "start" }
      assert.equal("refused", i.outcome)
      i = world.pair {}
      i:start()
      i:step { type = "accept", password = "x", key = i.key }
      assert.equal("refused", i.outcome)
    end)

    it("and does nothing any more after it", function()
      local i, r = run { password_r = "another" }
      for _, p in ipairs { i, r } do
        local before = #p.did
        for _, event in ipairs {
          { type = "start" }, { type = "link_ended" }, { type = "deadline" }, { type = "committed" },
          { type = "frame", kind = 1, payload = "{}" }, { type = "end", reason = "refused" },
          { type = "accept", password = "x", key = p.key },
        } do
          assert.same({}, p:step(event))
        end
        assert.equal(before, #p.did)
        assert.is_true(p.machine:over())
      end
    end)
  end)

  -- Where each machine can be when a frame comes: role, action, how often it was done.
  local stages = {
    { "initiator", "sign_binding" }, { "initiator", "send", 2 }, { "initiator", "seal_general" },
    { "initiator", "send", 4 }, { "initiator", "open_general" }, { "initiator", "spend_guess" },
    { "initiator", "set_cipher" }, { "initiator", "verify_binding" }, { "initiator", "commit_opening" },
    { "responder", "deadline" }, { "responder", "look_up" }, { "responder", "send" }, { "responder", "prove" },
    { "responder", "request" }, { "responder", "open_general" }, { "responder", "seal_general" },
    { "responder", "set_cipher" }, { "responder", "spend_guess" }, { "responder", "commit_opening" },
    { "responder", "restore_guesses" },
  }

  local function at(stage, seed)
    local i, r, w, link = world.pair { seed = seed, initiator = { knows = false }, responder = { knows = false } }
    local p = stage[1] == "initiator" and i or r
    world.run_until({ i, r }, p, stage[2], stage[3])
    return p, i, r, w, link
  end

  describe("at every stage", function()
    it("aborts on a frame that does not belong there", function()
      local count = 0
      for _, stage in ipairs(stages) do
        for kind = 1, 7 do
          for _, payload in ipairs { "", "{}", '{"v":1,"type":"nonsense"}', ("x"):rep(300) } do
            local p, i, r = at(stage, 31)
            local awaited = p.disk.opening ~= nil or p:place("commit_opening") ~= nil
            p:step { type = "frame", kind = kind, payload = payload, encrypted = p.rx ~= nil }
            world.run { i, r }
            assert.not_equal("opened", p.outcome)
            -- M7 may come while M6 is still being checked: what is wrong with it shows later
            if not awaited and kind ~= 5 then assert.equal("refused", p.outcome) end
            world.settle(i, r)
            count = count + 1
          end
        end
      end
      assert.equal(#stages * 7 * 4, count)
    end)

    it("never opens on a frame from before that comes again", function()
      for _, stage in ipairs(stages) do
        for _, mine in ipairs { true, false } do
          local p, i, r = at(stage, 32)
          local from = mine == (p == i) and i or r
          for n = 1, #from.sent do
            p, i, r = at(stage, 32)
            from = mine == (p == i) and i or r
            local frame = from.sent[n]
            if #from.sent >= n and not (frame.encrypted and from ~= p) then
              -- the genuine one still waits in the link, or has come already: one of the two is out of turn
              p:step { type = "frame", kind = frame.kind, payload = frame.payload, encrypted = p.rx ~= nil }
              world.run { i, r }
              if p.outcome == "opened" then error(("%s %s: frame %d again"):format(stage[1], stage[2], n)) end
              world.settle(i, r)
            end
          end
        end
      end
    end)

    it("P2.6 ends when its deadline passes", function()
      for _, stage in ipairs(stages) do
        local p, i, r = at(stage, 33)
        p:step { type = "deadline" }
        world.run { i, r }
        assert.not_equal("opened", p.outcome)
        world.settle(i, r)
      end
    end)

    it("P2.11 is refused before its commit and left opening after it, when the link ends", function()
      for seed = 34, 44 do
        for _, stage in ipairs(stages) do
          local _, i, r, _, link = at(stage, seed)
          local before = { [i] = i.outcome, [r] = r.outcome }
          link:lose()
          world.run { i, r }
          for _, p in ipairs { i, r } do
            -- M7 may be sent before the loss is noticed: then it is open, and goes on by member links
            if not p.disk.opening then assert.equal("refused", p.outcome) end
            if p.disk.opening then assert.not_equal("refused", p.outcome) end
            assert.equal(p.outcome, p.did[#p.did])
            if p.outcome ~= "opened" then assert.equal("close_link", p.did[#p.did - 1]) end
            assert.is_true(not before[p] or before[p] == p.outcome)
          end
          world.settle(i, r)
        end
      end
    end)

    it("ends at the person's word, and says so in clear as long as there are no keys", function()
      for _, stage in ipairs(stages) do
        local p, i, r = at(stage, 45)
        local clear = not p.tx
        p:step { type = "end", reason = "superseded" }
        local last = p.sent[#p.sent]
        local told = last and last.kind == 1 and last.payload:find('"type":"refuse"', 1, true) ~= nil
        assert.equal(clear, told or false)
        world.run { i, r }
        if clear then assert.same({ "refused", "superseded" }, outcome(p)) end
        assert.not_equal("opened", p.outcome)
        world.settle(i, r)
      end
    end)
  end)
end)
