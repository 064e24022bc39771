-- SPDX-License-Identifier: GPL-3.0-or-later
-- A member of a discussion who sends a real core what no core of ours would: each of it is refused, nothing of it is
-- shown, and the discussion goes on (P3.1, P3.2, P3.4, P3.5). Stock gpg makes the messages.
local cores = require "support.cores"
local gnupg = require "support.gnupg"
local octets = require "support.octets"
local peer = require "support.peer"
local system = require "support.system"
local wire = require "support.wire"

local PASSWORD = "correct horse battery"
local CANNOT_OPEN = 1

describe("a hostile member", function()
  local alice, carol -- cores
  local mallory, other -- peers; nobody in the discussion knows the other
  local s -- mallory's discussion with alice

  setup(function()
    alice, carol = cores.person "alice", cores.person "carol"
    mallory, other = peer.new "mallory", peer.new "other"
    mallory:meet(alice)
    mallory:meet(carol)
    s = mallory:open_discussion(alice, { password = PASSWORD })
    s:say "the first"
  end)
  teardown(function()
    for _, who in ipairs { mallory, other } do who:close() end
    cores.clean()
  end)

  local function count(name) return alice:metrics()[name] or 0 end

  -- Sends it in place of the next message, and waits until the core has dropped it for that reason.
  local function drops(what, message, reason, change)
    local name, shown = "payloads_dropped:" .. reason, #alice:messages(s.id)
    local before = count(name)
    alice.control:forget_events()
    s:send(message, change)
    cores.ask(("%s to be dropped as %s\n%s"):format(what, reason, alice:tail()), function() return count(name) > before end)
    assert.is_nil(alice:take_event "message.received", what)
    assert.are.equal(shown, #alice:messages(s.id), what)
  end

  -- Likewise for what gpg, or the packet walk before it, does not open; the verdict is gpg's.
  local function refuses(what, message, verdict)
    local name = verdict and "messages_unopened:" .. verdict
    local before = name and count(name)
    drops(what, message, "not_opened")
    if name then assert.are.equal(before + 1, count(name), what) end
  end

  -- The same link and the same sequence number: what was refused has broken nothing.
  local function goes_on() s:say("and on, after " .. s.sequence) end

  -- gpg's arguments for a message to alice
  local function to_alice(arguments, text)
    return mallory.gpg:must(("--digest-algo SHA512 %s -r %s!"):format(arguments, s.other.id), text or s:payload "hostile")
  end

  local plain = "--compress-algo none --set-filename '' "
  local function by_mallory() return plain .. "-s -u " .. s.key.fingerprint .. "! " end

  -- packets that gpg takes as they are, encrypted to alice
  local function encrypted(packets)
    return to_alice("--no-literal --compress-algo none -e", packets)
  end

  describe("with what gpg would take:", function()
    it("P3.4 all that follows differs from a message that is taken", function()
      local payload = s:payload "taken"
      s:send(to_alice(by_mallory() .. "-e", payload))
      s:advance(payload)
      alice:event("message.received", { text = "taken" })
    end)

    it("P3.4 encrypted, unsigned", function()
      refuses("unsigned", to_alice(plain .. "-e"), "unsigned")
      goes_on()
    end)

    it("P3.4 two signatures", function()
      local second = mallory:key().fingerprint
      refuses("two signatures", to_alice(by_mallory() .. "-e -u " .. second .. "!"), "several_signatures")
      refuses("two signatures", to_alice(plain .. "-s -e -u " .. second .. "! -u " .. s.key.fingerprint .. "!"),
        "several_signatures")
      goes_on()
    end)

    it("P3.4 no MDC, and one that does not fit", function()
      local message = to_alice("--rfc2440 --cipher-algo 3DES " .. by_mallory() .. "-e")
      assert.are.equal(9, gnupg.packets(message)[2].kind)
      refuses("no MDC", message)
      local good = s:seal(s:payload "hostile")
      for _, at in ipairs { -1, -21, -60, 200 } do
        refuses("byte " .. at, octets.changed(good, at), "gpg_error")
      end
      goes_on()
    end)

    it("P3.2 signed only, and a bare literal", function()
      refuses("signed", mallory.gpg:must(by_mallory(), s:payload "hostile"))
      refuses("signed, compressed", mallory.gpg:must("-s -u " .. s.key.fingerprint .. "!", s:payload "hostile"))
      refuses("clear-signed", mallory.gpg:must("--clearsign -u " .. s.key.fingerprint .. "!", "hostile"))
      refuses("literal", mallory.gpg:must(plain .. "--store", s:payload "hostile"))
      refuses("literal inside", encrypted(mallory.gpg:must(plain .. "--store", s:payload "hostile")), "unsigned")
      goes_on()
    end)

    it("P3.2 symmetric, alone and beside the recipient; nobody is asked for a passphrase", function()
      refuses("symmetric", mallory.gpg:must("--passphrase x -c", s:payload "hostile"))
      refuses("beside", to_alice("--passphrase x -c " .. by_mallory() .. "-e"))
      goes_on()
    end)

    it("P3.5 40 MB in a few hundred bytes, without the memory for them", function()
      local function high_water()
        return tonumber(system.read_proc(alice:pid(), "status"):match "VmHWM:%s*(%d+)")
      end
      local bomb = cores.root() .. "/bomb"
      gnupg.must("head -c 40000000 /dev/zero | gpg --homedir %s --batch --no-tty --trust-model always --compress-algo bzip2 " ..
        "-z 9 --set-filename '' -s -e -u %s! -r %s! -o %s", mallory.gpg.directory, s.key.fingerprint, s.other.id, bomb)
      local message = system.read(bomb)
      assert.is_true(#message < 5000)
      local before = high_water()
      refuses("bomb", message, "gpg_error")
      assert.is_true(high_water() - before < 16384, high_water() - before)
      goes_on()
    end)

    it("P3.2 a PKESK spliced in from another message", function()
      local own, foreign = gnupg.packets(s:seal(s:payload "hostile")), gnupg.packets(s:seal(s:payload "another"))
      local stranger = other:key()
      mallory:import(stranger.certificate)
      local theirs = gnupg.packets(mallory:seal(s.key.fingerprint, stranger.id, "x"))
      refuses("a recipient more", own[1].raw .. theirs[1].raw .. gnupg.join(own, 2))
      refuses("a recipient before", theirs[1].raw .. gnupg.join(own))
      refuses("in its place", theirs[1].raw .. gnupg.join(own, 2))
      refuses("twice", own[1].raw .. gnupg.join(own))
      refuses("another session key", foreign[1].raw .. gnupg.join(own, 2), "gpg_error")
      refuses("a hidden recipient", to_alice("--throw-keyids " .. by_mallory() .. "-e"))
      goes_on()
    end)

    it("P3.4 by another key than the member's, known or not", function()
      refuses("a second key", to_alice(plain .. "-s -e -u " .. mallory:key().fingerprint .. "!"), "bad_signature")
      refuses("the general key", to_alice(plain .. "-s -e -u " .. mallory.fingerprint .. "!"), "bad_signature")
      refuses("a weak hash", to_alice("--digest-algo SHA1 " .. by_mallory() .. "-e"), "weak_hash")
      refuses("a file name", to_alice("--compress-algo none --set-filename /etc/passwd -s -e -u " .. s.key.fingerprint .. "!"),
        "shape")
      refuses("armor", to_alice("--armor " .. by_mallory() .. "-e"))
      goes_on()
    end)

    it("P3.10 the author is asked to seal anew, a bounded number of times", function()
      s.answers = {}
      for _ = 1, 8 do refuses("unsigned", to_alice(plain .. "-e"), "unsigned") end
      local asked = 0
      for _, answer in ipairs(s.answers) do
        if answer.type == CANNOT_OPEN then
          asked = asked + 1
          assert.are.equal(s.sequence + 1, answer.sequence)
        end
      end
      assert.is_true(asked >= 1 and asked <= 4, asked)
      goes_on()
    end)
  end)

  describe("with good messages in the wrong place:", function()
    it("P3.4 a replay", function()
      local message = s:say "said once"
      drops("the same frame", message, "duplicate", { sequence = s.sequence })
      drops("under a new number", message, "duplicate", { sequence = s.sequence + 1 })
      goes_on()
    end)

    it("P3.4 a replay over another link", function()
      local message = s:say "said once, too"
      s.link:free()
      s:reconnect()
      drops("the same frame", message, "duplicate", { sequence = s.sequence })
      goes_on()
    end)

    it("P3.4 another order", function()
      local first, number = s:payload "first", s.sequence + 1
      s:advance(first)
      local second = s:payload "second"
      drops("the second", s:seal(second), "gap")
      drops("the second in the first one's place", s:seal(second), "gap", { sequence = number })
      s:send(s:seal(first), { sequence = number })
      alice:event("message.received", { text = "first" })
      s:send(s:seal(second))
      s:advance(second)
      alice:event("message.received", { text = "second" })
      goes_on()
    end)

    it("P3.4 a reflection of what the core has said itself", function()
      alice:send(s.id, "from alice")
      local message, sequence = s:heard()
      refuses("as it came", message)
      local signed = mallory.gpg:must("--unwrap", message)
      refuses("sealed anew", encrypted(signed), "wrong_signer")
      drops("under her own name", encrypted(signed), "reflected", { sender = alice.fingerprint, sequence = sequence + 1 })
      drops("signed by mallory", s:seal(s:payload("x", { sender = alice.fingerprint })), "reflected")
      goes_on()
    end)

    it("P3.4 a splice from another discussion of the same two", function()
      local first = s
      s = mallory:open_discussion(alice, {})
      first:say "in the first discussion"
      local message, payload = first:say "in the first discussion, again"
      refuses("as it was", message)
      refuses("sealed anew", encrypted(mallory.gpg:must("--unwrap", mallory:seal(first.key.fingerprint, first.key.id, payload))),
        "bad_signature")
      drops("signed anew", s:seal(payload), "other_discussion")
      drops("as this discussion's", s:seal(s:payload("x", { roster_hash = octets.random(32) })), "other_roster")
      goes_on()
      s:close()
      s = first
    end)

    it("P3.4 a third person's words, passed on", function()
      local theirs = mallory:open_discussion(carol, { password = PASSWORD })
      carol:send(theirs.id, "for mallory only")
      local message = theirs:heard()
      refuses("as it came", message)
      local signed = mallory.gpg:must("--unwrap", message)
      refuses("sealed anew", encrypted(signed), "bad_signature")
      drops("under her name", encrypted(signed), "no_member", { sender = carol.fingerprint })
      drops("in her name", s:seal(s:payload("x", { sender = carol.fingerprint })), "other_sender")
      goes_on()
      theirs:close()
    end)

    it("P3.4 a chain that has another link in it", function()
      drops("another past", s:seal(s:payload("x", { previous = octets.random(32) })), "broken_chain")
      drops("a number left out", s:seal(s:payload("x", { sequence = s.sequence + 2 })), "gap")
      goes_on()
    end)
  end)

  describe("on the link:", function()
    -- the core ends it, and takes a new one
    local function ends(what, kind, payload)
      assert(s.link:send(kind, payload))
      s:wait_end()
      s:reconnect()
      s:say("after " .. what)
    end

    it("P0.3 signed bytes that are no payload end it", function()
      ends("no payload", 7, wire.sealed_encode(mallory.fingerprint, 0, s.sequence + 1, s:seal "no payload"))
    end)

    it("P0.3 frames of other kinds, and records of other types, end it", function()
      ends("a certificate", 2, mallory.certificate)
      ends("a ready", 5, "x")
      ends("no record", 1, "x")
      ends("another record", 1, '{"v":1,"type":"hello"}')
      ends("of another discussion", 1, ('{"v":1,"type":"ack","discussion":"%s","epoch":0,"sender":"%s","sequence":1}'):format(
        ("0"):rep(32), alice.fingerprint))
    end)

    it("acknowledgements of what was never said are none", function()
      for sequence = 1, 1000, 333 do
        s.link:send(1, ('{"v":1,"type":"ack","discussion":"%s","epoch":0,"sender":"%s","sequence":%d}'):format(s.id,
          alice.fingerprint, sequence + 1000))
      end
      local sent = alice:send(s.id, "not delivered yet")
      s:say "still here"
      assert.are_not.equal("delivered", alice:call("messages.list", { discussion = s.id, limit = 2 })[1].state)
      s:heard()
      alice:event("message.delivered", { id = sent.id })
    end)
  end)

  it("P2.1 who speaks right behind its READY is heard once the core has opened that", function()
    local opening = assert(mallory:hello(alice, {}))
    opening:request()
    alice:event("discussion.requested", { id = opening.id })
    alice:call("discussions.accept", { discussion = opening.id })
    assert(opening:confirm())
    local first
    local mine = assert(opening:finish(function(opened)
      first = opened:payload "at once"
      opened:send(opened:seal(first))
    end))
    mine:advance(first)
    alice:event("discussion.opened", { id = mine.id })
    alice:event("message.received", { text = "at once" })
    mine:say "and on the same link"
    assert.is_nil(mine.ended)
    mine:close()
  end)

  it("P5.7 who signs two payloads of one number freezes the discussion, and shows it", function()
    local mine = mallory:open_discussion(alice, {})
    mine:say "one thing"
    mine:say "another"
    -- the clear header is only a hint: it is by the signed bytes that the two are told apart
    mine:send(mine:seal(mine:payload("something else", { sequence = 2 })))
    alice:event("discussion.frozen", { id = mine.id })
    assert.are.equal("wrong_state", alice:fails("messages.send", { discussion = mine.id, text = "x" }))
    local texts = alice:texts(mine.id)
    assert.are.same({ "one thing", "another" }, texts)
    -- both are in the export, each signed by mallory
    local path = cores.root() .. "/proof"
    alice:call("discussions.export", { discussion = mine.id, path = path })
    for ending, text in pairs { [""] = "another", [".other"] = "something else" } do
      local base = ("%s/sealed/%s-0-2%s"):format(path, mallory.fingerprint, ending)
      local opened = mallory.gpg:must(("--override-session-key %s --decrypt %s"):format(
        system.quote(assert(system.read(base .. ".key"))), system.quote(base .. ".pgp")))
      assert.truthy(opened:find(text, 1, true), opened)
    end
    mine:close()
  end)

  it("nothing of all that was ever shown", function()
    for _, discussion in ipairs(alice:call "discussions.list") do
      for _, text in ipairs(alice:texts(discussion.id)) do assert.is_nil(text:find("hostile", 1, true), text) end
    end
    assert.is_nil(table.concat(alice.log, "\n"):find("hostile", 1, true))
  end)
end)
