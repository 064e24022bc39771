-- SPDX-License-Identifier: GPL-3.0-or-later
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

local function sent(p, kind, encrypted)
  local list = {}
  for _, s in ipairs(p.sent) do
    if s.kind == kind and s.encrypted == encrypted then list[#list + 1] = s.payload end
  end
  return list
end

describe("handshake", function()
  describe("that succeeds", function()
    it("P2.1 opens on both sides with the same id, roster and members", function()
      for seed = 1, 50 do
        local i, r = run { seed = seed }
        assert.is_nil(i.timed_out or r.timed_out)
        assert.equal("opened", i.outcome)
        assert.equal("opened", r.outcome)
        local a, b = i.disk.opening, r.disk.opening
        assert.equal(a.id, b.id)
        assert.matches("^%x+$", a.id)
        assert.equal(32, #a.id)
        assert.equal(a.roster, b.roster)
        assert.equal(a.hash, handshake.hash(a.roster))
        assert.equal(a.hash, b.hash)
        assert.same(a.members, b.members)
        assert.equal("all", a.charter)
        assert.equal(i.person.fingerprint, b.other)
        assert.equal(r.person.fingerprint, a.other)
        assert.is_true(a.members[1].fingerprint < a.members[2].fingerprint)
        for _, m in ipairs(a.members) do
          local p = m.fingerprint == i.person.fingerprint and i or r
          assert.equal(p.person.fingerprint, m.fingerprint)
          assert.equal(p.person.general, m.general)
          assert.equal(p.key.certificate, m.certificate)
          assert.equal(p.key.fingerprint, m.key_fingerprint)
          assert.equal(p.key.key, m.key)
        end
      end
    end)

    it("P2.1 fetches each certificate that is not known, once each way", function()
      for _, case in ipairs { { true, false }, { false, true }, { false, false } } do
        for seed = 1, 10 do
          local i, r = run { seed = seed, initiator = { knows = case[1] }, responder = { knows = case[2] } }
          assert.equal("opened", i.outcome)
          assert.equal("opened", r.outcome)
          assert.same(case[2] and {} or { i.person.general }, sent(i, 2, false))
          assert.same(case[1] and {} or { r.person.general }, sent(r, 2, false))
        end
      end
    end)

    it("P2.1 has the own certificate that is there at its start", function()
      for seed = 1, 10 do
        local i, r, w = world.pair { seed = seed }
        local me, before = i.person, i.person.general
        me.general = w:general(me.fingerprint)
        w:announce(me)
        i.machine:renew(me)
        world.run { i, r }
        assert.equal("opened", i.outcome)
        assert.equal("opened", r.outcome)
        for _, m in ipairs(r.disk.opening.members) do assert.are_not.equal(before, m.general) end
      end
    end)

    it("P2.1 fetches a certificate that has changed since", function()
      local w = world.new(9)
      local bob = w:person("bob")
      local old = w:general(bob.fingerprint)
      local i, r = world.pair { world = w, bob = bob }
      i.machine:free()
      i = world.party {
        world = w, link = i.link, side = 1, person = i.person, role = "initiator", mode = "password",
        password = r.password, other = { fingerprint = bob.fingerprint, general = old }, knows = true,
      }
      world.run { i, r }
      assert.equal("opened", i.outcome)
      assert.equal("opened", r.outcome)
      assert.same({ bob.general }, sent(r, 2, false))
    end)

    it("P2.7 opens in mode pinned between pinned peers, without a guess", function()
      for seed = 1, 20 do
        local i, r = run { seed = seed, mode = "pinned" }
        assert.equal("opened", i.outcome)
        assert.equal("opened", r.outcome)
        assert.equal("pinned", i.disk.opening.mode)
        assert.same({ 0, 0, 0, 0 }, { i.disk.spent, r.disk.spent, i.disk.restored, r.disk.restored })
      end
    end)

    it("takes results from inside the carrying out of an action", function()
      for seed = 1, 20 do
        local known = { immediate = true, knows = seed % 2 == 0 }
        local i, r = world.pair { seed = seed, initiator = known, responder = { immediate = true, answer = false } }
        world.run({ i, r }, function() return r.request and #world.choices { i, r } == 0 end)
        -- what was asked for last is what holds
        assert.equal(600000, r.deadline)
        assert.equal(630000, i.deadline)
        i, r = run { seed = seed, initiator = known, responder = known }
        assert.equal("opened", i.outcome)
        assert.equal("opened", r.outcome)
        assert.is_nil(i.timed_out or r.timed_out)
      end
    end)

    it("carries the charter to both rosters", function()
      local i, r = run { charter = "2" }
      assert.equal("2", i.disk.opening.charter)
      assert.equal("2", r.disk.opening.charter)
      assert.equal(i.disk.opening.hash, r.disk.opening.hash)
    end)

    it("P2.10 signs a binding over id, charter, discussion certificate and own fingerprint", function()
      local i, r, w = run {}
      for _, m in ipairs(i.disk.opening.members) do
        local s = w.signatures[m.binding]
        assert.equal(m.general, s.signer)
        local body = s.body
        assert.equal("sotto/1 binding\0", body:sub(1, 16))
        local parts = { i.disk.opening.id, handshake.hash("all"), handshake.hash(m.certificate), m.fingerprint }
        local rest = ""
        for _, part in ipairs(parts) do rest = rest .. string.char(#part) .. part end
        assert.equal(rest, body:sub(17))
      end
      assert.not_equal(i.disk.opening.members[1].binding, r.disk.opening.members[2].binding)
    end)

    it("P2.5 gives both sides the same two keys, one for each direction", function()
      local i, r = run {}
      assert.equal(i.tx, r.rx)
      assert.equal(i.rx, r.tx)
      assert.not_equal(i.tx, i.rx)
      local again = run { seed = 2 }
      assert.not_equal(i.tx, again.tx)
    end)

    it("asks for independent work at once", function()
      local i, r = run {}
      local function batch(p, first, ...)
        local at = p:place(first)
        for n, name in ipairs { ... } do assert.equal(name, p.did[at + n]) end
      end
      assert.is_true(i:place("sign_binding") < i:place("seal_general"))
      assert.equal("sign_binding", i.did[3])
      batch(r, "open_general", "sign_binding")
      batch(r, "seal_general", "verify_binding", "import_member")
      batch(r, "seal_discussion", "commit_opening")
      batch(i, "verify_binding", "import_member")
    end)
  end)

  describe("guesses", function()
    it("P2.2 ends both sides as refused after a wrong password, one guess each", function()
      for seed = 1, 50 do
        local i, r = run { seed = seed, password_r = "four words to sax" }
        assert_refused(i, r)
        assert.same({ 1, 1, 0, 0 }, { i.disk.spent, r.disk.spent, i.disk.restored, r.disk.restored })
      end
    end)

    it("P2.2 counts at I before M5 goes out, at R before anything shows", function()
      for seed = 1, 60 do
        local wrong = seed % 2 == 0
        local i, r = world.pair { seed = seed, password_r = wrong and "another" or nil }
        i.watch = function(p, a)
          if a.encrypted or a.type == "set_cipher" then assert.equal(1, p.disk.spent) end
        end
        r.watch = function(p, a)
          -- two frames until M4; the third is M5
          if p.received > 2 and (a.type == "send" or a.type == "close_link" or a.type == "refused") then
            assert.equal(1, p.disk.spent)
          end
        end
        world.run { i, r }
        assert.equal(wrong and "refused" or "opened", r.outcome)
      end
    end)

    it("P2.2 restores on success only, after the opening is on disk", function()
      local i, r = run {}
      for _, p in ipairs { i, r } do
        assert.same({ 1, 1 }, { p.disk.spent, p.disk.restored })
        assert.is_true(p:place("commit_opening") < p:place("restore_guesses"))
      end
    end)

    it("P2.2 goes no further where no guess is left", function()
      local i, r = run { initiator = { no_guess = true } }
      assert.same({ "refused", "failed" }, outcome(i))
      assert.same({ "refused", "lost" }, outcome(r))
      assert.same({}, sent(i, 1, true))
      assert.equal(0, r.disk.spent)
      i, r = run { responder = { no_guess = true } }
      assert_refused(i, r)
      assert.same({}, sent(r, 1, true))
    end)

    it("P2.2 counts a frame that does not open, and one that is no M5, as a guess", function()
      for _, case in ipairs {
        { type = "unreadable" }, { type = "frame", kind = 1, payload = "{}", encrypted = false },
        { type = "frame", kind = 1, payload = "{}", encrypted = true },
        { type = "frame", kind = 5, payload = "x", encrypted = true },
      } do
        local i, r = world.pair {}
        world.run_until({ i, r }, r, "set_cipher")
        i:crash()
        r.link_over = true
        r.pending = {}
        local actions = r:step(case)
        assert.equal("spend_guess", actions[#actions].type)
        assert.is_nil(r.outcome)
        r:step { type = "guess_spent" }
        assert.same({ "refused", "failed" }, outcome(r))
      end
    end)

    it("P2.2 counts nothing where the link ends before M5", function()
      local i, r, _, link = world.pair {}
      world.run_until({ i, r }, r, "set_cipher")
      link:lose()
      world.run { i, r }
      assert.same({ "refused", "lost" }, outcome(i))
      assert.same({ "refused", "lost" }, outcome(r))
      assert.same({ 0, 0 }, { i.disk.spent, r.disk.spent })
    end)

    it("P2.1 makes any end of the link between M5 and M6 a refusal at I", function()
      local i, r, _, link = world.pair {}
      world.run_until({ i, r }, i, "send", 3)
      link:lose()
      world.run { i, r }
      assert.same({ "refused", "failed" }, outcome(i))
      assert.equal(0, i.disk.restored)
      assert.same({ "refused", "lost" }, outcome(r))
    end)
  end)

  describe("that must not tell one fault from another", function()
    -- what an outsider sees of R: kinds, lengths, and when the link ends
    local function seen(p)
      local list = {}
      for _, s in ipairs(p.sent) do list[#list + 1] = ("%d %s %d"):format(s.kind, s.encrypted, #s.payload) end
      return list
    end

    local function forge(field, value)
      return function(plaintext)
        local changed, n = plaintext:gsub('("' .. field .. '":")[^"]*(")', "%1" .. value .. "%2")
        assert(n == 1)
        return changed
      end
    end

    it("P2.3 ends alike for a wrong password, a bad point and a bad binding or key at R", function()
      local zero, junk = world.base64url(("\0"):rep(32)), world.base64url(("\255"):rep(32))
      local cases = {
        { password_r = "another" },
        { initiator = { forge_plaintext = forge("share", zero) } },
        { initiator = { forge_plaintext = forge("share", junk) } },
        { initiator = { forge_binding = function(body) return body .. "x" end } },
        { initiator = { forge_plaintext = forge("binding", world.base64url(("b"):rep(74))) } },
        { initiator = { key = { certificate = "no discussion certificate", fingerprint = ("A"):rep(40),
          key = ("A"):rep(16) } } },
      }
      local reference
      for _, case in ipairs(cases) do
        case.seed = 7
        local i, r = run(case)
        assert_refused(i, r)
        reference = reference or seen(r)
        assert.same(reference, seen(r))
        assert.same({ 1, 1 }, { i.disk.spent, r.disk.spent })
        assert.is_nil(i.timed_out or r.timed_out)
      end
    end)

    it("P2.10 never goes on with a binding that does not hold, whenever that is found out", function()
      for seed = 1, 100 do
        for _, forger in ipairs { "initiator", "responder" } do
          local i, r = run { seed = seed, [forger] = { forge_binding = function(body) return body .. "x" end } }
          local victim = forger == "initiator" and r or i
          assert.same({ "refused", "failed" }, outcome(victim))
          assert.is_nil(victim.disk.opening)
          assert.is_nil(i.timed_out or r.timed_out)
        end
      end
    end)

    it("P2.3 ends alike for a wrong password, a bad point and equal certificates at I", function()
      local cases = {
        { password_r = "another" },
        { responder = { forge_plaintext = forge("share", world.base64url(("\0"):rep(32))) } },
      }
      local reference
      for _, case in ipairs(cases) do
        case.seed = 8
        local i, r = run(case)
        assert_refused(i, r)
        reference = reference or seen(i)
        assert.same(reference, seen(i))
        assert.is_nil(i.timed_out or r.timed_out)
        assert.same({ 1, 1 }, { i.disk.spent, r.disk.spent })
      end
      local i, r = world.pair { seed = 8 }
      r.forge_plaintext = forge("discussion", world.base64url(handshake.hash(i.key.certificate)))
      world.run { i, r }
      assert_refused(i, r)
      assert.same(reference, seen(i))
    end)
  end)

  describe("requests", function()
    it("P2.6 are shown without any use of the general secret key", function()
      for seed = 1, 20 do
        local i, r = world.pair { seed = seed, responder = { answer = false, knows = seed % 2 == 0 } }
        world.run({ i, r }, function() return r.request and #world.choices { i, r } == 0 end)
        for _, action in ipairs { "seal_general", "open_general", "sign_binding" } do
          assert.is_nil(r:place(action))
        end
        assert.equal(i.person.fingerprint, r.request.other)
        assert.equal(i.machine:id(), r.request.id)
        assert.equal("password", r.request.mode)
        assert.equal("all", r.request.charter)
        assert.equal(600000, r.deadline)
        assert.equal(630000, i.deadline)
      end
    end)

    it("P2.6 expire on both sides after ten minutes", function()
      local i, r = world.pair { responder = { answer = false } }
      world.run({ i, r }, function() return r.request and #world.choices { i, r } == 0 end)
      r:step { type = "deadline" }
      world.run { i, r }
      assert.same({ "refused", "expired" }, outcome(i))
      assert.same({ "refused", "expired" }, outcome(r))
    end)

    it("P2.6 wait 30 seconds for a frame, and longer for own work", function()
      local i, r = world.pair {}
      i:start()
      r:start()
      assert.equal(30000, i.deadline)
      assert.equal(30000, r.deadline)
      world.run_until({ i, r }, i, "seal_general")
      assert.equal(150000, i.deadline)
      i, r = world.pair { initiator = { idle_ms = 5, person_ms = 7 }, responder = { idle_ms = 5, person_ms = 7 } }
      assert.is_nil(i.deadline)
      world.run({ i, r }, function() return r.request end)
      assert.equal(7, r.deadline)
    end)

    it("end with the reason that the other side gives", function()
      for _, reason in ipairs { "refused", "busy", "superseded", "expired" } do
        local i, r = run { responder = { answer = reason } }
        assert.same({ "refused", reason }, outcome(i))
        assert.same({ "refused", reason }, outcome(r))
        i, r = run { responder = { refuse = reason } }
        assert.same({ "refused", reason }, outcome(i))
        assert.same({ "refused", reason }, outcome(r))
        assert.is_nil(r:place("request"))
        i, r = world.pair { responder = { answer = false } }
        world.run({ i, r }, function() return r.request and #world.choices { i, r } == 0 end)
        i:step { type = "end", reason = reason }
        world.run { i, r }
        assert.same({ "refused", reason }, outcome(i))
        assert.same({ "refused", reason }, outcome(r))
      end
    end)

    it("P2.1 answer CERT? once, and only for the own certificate", function()
      local function wanted(hash)
        return ('{"v":1,"type":"certificate-wanted","hash":"%s"}'):format(world.base64url(hash))
      end
      local i, r = world.pair { responder = { answer = false } }
      world.run({ i, r }, function() return #sent(i, 3, false) == 1 end)
      i:step { type = "frame", kind = 1, payload = wanted(handshake.hash(i.person.general)) }
      assert.same({ i.person.general }, sent(i, 2, false))
      i:step { type = "frame", kind = 1, payload = wanted(handshake.hash(i.person.general)) }
      assert.same({ "refused", "failed" }, outcome(i))
      i, r = world.pair { responder = { answer = false } }
      world.run({ i, r }, function() return #sent(i, 3, false) == 1 end)
      i:step { type = "frame", kind = 1, payload = wanted(handshake.hash(r.person.general)) }
      assert.same({ "refused", "failed" }, outcome(i))
      assert.same({}, sent(i, 2, false))
      -- not before M2, and not after M3
      i = world.pair {}
      i:start()
      i:step { type = "frame", kind = 1, payload = wanted(handshake.hash(i.person.general)) }
      assert.same({ "refused", "failed" }, outcome(i))
      i, r = world.pair { responder = { answer = false } }
      world.run({ i, r }, function() return r.request end)
      r:step { type = "frame", kind = 1, payload = wanted(handshake.hash(r.person.general)) }
      assert.same({ "refused", "failed" }, outcome(r))
      assert.same({}, sent(r, 2, false))
    end)
  end)
end)
