-- SPDX-License-Identifier: GPL-3.0-or-later
-- The rule of acceptance (P3.4).
local case = require "support.transcript_case"
local wire = require "support.wire"
local world = require "support.messages_world"

local ME, BOB, CAROL = 1, 2, 3
local item, payload, chain, step, took, receive, opened, open_all, committed, accept, dropped, H =
  case.item, case.payload, case.chain, case.step, case.took, case.receive, case.opened, case.open_all,
  case.committed, case.accept, case.dropped, case.H

describe("transcript", function()
  before_each(function() case.new() end)

  describe("accepting", function()
    it("P3.4 P3.7 opens, commits, delivers and acknowledges, in that order", function()
      local bytes = payload { items = { item("a", "hello"), item "b" } }
      local a = receive(bytes)
      assert.equal("open", took())
      assert.equal(BOB, a[1].sender)
      a = opened(case.opens[1])
      assert.equal("commit", took())
      local c = a[1]
      assert.same({ BOB, 1, H(bytes), bytes, "9:K", case.opens[1].message, false },
        { c.sender, c.sequence, c.hash, c.payload, c.session_key, c.message, c.closes })
      local id = wire.message_id(world.discussion, world.fingerprint(BOB), item("a").nonce)
      assert.same({ id = id, index = 0, time = 5, text = "hello" }, c.messages[1])
      assert.equal(1, c.messages[2].index)
      assert.equal(0, (case.t:head(BOB))) -- not on disk yet
      a = committed()
      assert.equal("deliver, ack", took())
      assert.same(c.messages, a[1].messages)
      assert.same({ BOB, BOB, 1 }, { a[2].member, a[2].sender, a[2].sequence })
      assert.same({ 1, H(bytes) }, { case.t:head(BOB) })
    end)

    it("P3.4 takes each member's payloads in sequence", function()
      for i, bytes in ipairs(chain(3)) do
        assert.equal("open, commit, deliver, ack", accept(bytes, { sequence = i }))
      end
      for i, bytes in ipairs(chain(2, CAROL)) do
        assert.equal("open, commit, deliver, ack", accept(bytes, { sequence = i, sender = CAROL, from = CAROL }))
      end
      assert.equal(3, (case.t:head(BOB)))
      assert.equal(2, (case.t:head(CAROL)))
      assert.equal(5, case.t:counters().accepted)
    end)

    it("P3.3 says what it has seen, only what is on disk, and nothing of itself", function()
      assert.same({}, case.t:seen())
      local list = chain(2)
      accept(list[1])
      receive(list[2], { sequence = 2 })
      open_all()
      assert.same({ { fingerprint = world.fingerprint(BOB), sequence = 1, hash = H(list[1]) } }, case.t:seen())
      committed()
      assert.same({ { fingerprint = world.fingerprint(BOB), sequence = 2, hash = H(list[2]) } }, case.t:seen())
    end)

    it("goes on after a restart from what is on disk", function()
      local list = chain(3)
      case.new { heads = { [BOB] = { sequence = 2, hash = H(list[2]) }, [ME] = { sequence = 9, hash = H "own" } } }
      assert.equal("drop duplicate, ack", accept(list[2], { sequence = 2 }))
      assert.equal("open, commit, deliver, ack", accept(list[3], { sequence = 3 }))
      assert.equal(1, #case.t:seen())
    end)

    it("keeps a payload without messages, and delivers nothing", function()
      assert.equal("open, commit, ack", accept(payload { items = {} }))
      assert.equal(1, (case.t:head(BOB)))
    end)

    it("P3.8 takes nothing that follows a CLOSE", function()
      receive(payload { items = { item "a", case.CLOSE, item "b" } })
      open_all()
      local _, all = took()
      assert.same({ true, 1 }, { all[2].closes, #all[2].messages })
      committed()
      assert.equal("deliver, ack, closed_by", took())
      local list = chain(2)
      assert.equal("drop after_close", accept(list[2], { sequence = 2 }))
      case.new()
      receive(payload { items = { case.CLOSE } })
      receive(list[2], { sequence = 2 }) -- on its way already
      open_all()
      committed()
      assert.equal("open, open, commit, ack, closed_by, drop after_close", took())
      case.new { heads = { [BOB] = { sequence = 1, hash = H(list[1]) } }, closed = { [BOB] = true } }
      assert.equal("drop after_close", accept(list[2], { sequence = 2 }))
    end)

    it("keeps the bytes of items of a later version, and shows none", function()
      local bytes = payload { items = { item "a", item "b" } }
      bytes = bytes:gsub('"t":"text"', '"t":"dance"', 1)
      local _, all = accept(bytes)
      assert.same({ bytes, 1, 1 }, { all[2].payload, #all[2].messages, all[2].messages[1].index })
    end)
  end)

  describe("refusing", function()
    it("P3.4 a replay is dropped before gpg sees it, and acknowledged again", function()
      local list = chain(2)
      accept(list[1])
      accept(list[2], { sequence = 2 })
      receive(list[1])
      local names, all = took()
      assert.equal("drop duplicate, ack", names)
      assert.equal(2, all[2].sequence) -- all there is
      assert.equal(2, (case.t:head(BOB)))
    end)

    it("P3.4 a replay under a fresh header is opened, and dropped all the same", function()
      local list = chain(1)
      accept(list[1])
      assert.equal("open, drop duplicate, ack", accept(list[1], { sequence = 2 }))
      assert.equal(1, (case.t:head(BOB)))
    end)

    it("P3.4 reordered: a payload before its turn is dropped, whatever its header says", function()
      local list = chain(3)
      assert.equal("drop gap", accept(list[2], { sequence = 2 }))
      assert.equal("open, drop gap", accept(list[2], { sequence = 1 }))
      accept(list[1])
      assert.equal("open, drop gap", accept(list[3], { sequence = 2 }))
      assert.equal(3, dropped "gap")
      assert.equal("open, commit, deliver, ack", accept(list[2], { sequence = 2 }))
    end)

    it("P3.4 reflected: an own payload that comes back is dropped", function()
      local own = payload { sender = world.fingerprint(ME) }
      assert.equal("drop reflected", accept(own, { sender = ME }))
      -- under another's header: signed by me, and not by whom the header names
      receive(own, { sender = BOB, message = world.seal(case.roster, ME, own) })
      open_all()
      assert.truthy(took():find "not_opened")
      -- even signed by another, it says that it is mine
      assert.equal("open, drop reflected", accept(own))
    end)

    it("P3.4 spliced: a payload of another discussion is dropped", function()
      assert.equal("open, drop other_discussion", accept(payload { discussion = ("e"):rep(32) }))
      assert.equal("open, drop other_roster", accept(payload { roster_hash = H "another roster" }))
      assert.equal("open, drop other_epoch", accept(payload { epoch = 1 }))
      assert.equal("drop other_epoch", accept(payload { epoch = 1 }, { epoch = 1 }))
      assert.equal(0, (case.t:head(BOB)))
    end)

    it("P3.4 forwarded: what was said to others and is passed on to a third person is dropped", function()
      -- Bob told Carol in their own discussion; she seals it to me: his key did not sign that
      local theirs = world.roster(3, ("c"):rep(32))
      local said = payload { discussion = theirs.discussion }
      receive(said, { sender = BOB, from = CAROL, message = world.seal(theirs, CAROL, said) })
      open_all()
      assert.equal("open, drop not_opened", took())
      -- she passes on his very message: it was sealed to her and not to me, or, were I there, of that discussion
      local pair = { discussion = theirs.discussion, members = { world.fingerprint(BOB), world.fingerprint(CAROL) } }
      receive(said, { sender = BOB, from = CAROL, message = world.seal(pair, 1, said) })
      open_all()
      assert.equal("open, drop not_opened", took())
      receive(said, { sender = BOB, from = CAROL, message = world.seal(theirs, BOB, said) })
      open_all()
      assert.equal("open, drop other_discussion", took())
    end)

    it("P3.4 one member's words under another's name are dropped", function()
      receive(payload(), { sender = CAROL, from = CAROL })
      open_all()
      assert.equal("open, drop other_sender", took())
      assert.equal(0, (case.t:head(BOB)))
      assert.equal(0, (case.t:head(CAROL)))
    end)

    it("P3.4 a sender that is no member, and a header that is none", function()
      assert.equal("drop no_member", accept(payload(), { sender = 9, message = "x" }))
      local a = step { type = "received", member = BOB, frame = ("x"):rep(32) }
      assert.same({ "drop malformed_frame", true }, { took(), a[1].close_link })
    end)

    it("P3.4 a payload whose `previous` is not what is here is dropped", function()
      assert.equal("open, drop broken_chain", accept(payload { previous = H "else" }))
      accept(payload())
      assert.equal("open, drop broken_chain", accept(payload { sequence = 2, previous = world.roster_hash },
        { sequence = 2 }))
    end)

    it("P0.3 signed bytes that are no payload end the link", function()
      for _, bytes in ipairs { "", "{}", "not JSON", payload():gsub('"payload"', '"roster"'),
        payload():sub(1, -2) } do
        receive(bytes)
        open_all()
        local names, all = took()
        assert.equal("open, drop malformed", names)
        assert.is_true(all[2].close_link)
      end
    end)

    it("P3.4 what gpg does not open is answered 'cannot open', a bounded number of times a link", function()
      for i = 1, 6 do
        receive(payload())
        opened(table.remove(case.opens), ({ "crypto", "bad_input", "not_found", "too_large" })[i % 4 + 1])
        assert.equal("open, drop not_opened" .. (i == 2 and ", complain" or "") .. (i <= 4 and ", cannot_open" or ""),
          (took()))
      end
      step { type = "link_up", member = BOB }
      receive(payload())
      opened(table.remove(case.opens), "crypto")
      local names, all = took()
      assert.equal("open, drop not_opened, cannot_open", names)
      assert.same({ BOB, BOB, 1 }, { all[3].member, all[3].sender, all[3].sequence })
    end)

    it("P5.8 complains of what cannot be opened sealed anew either, once, by the bytes that others have", function()
      local first = world.seal(case.roster, BOB, payload())
      receive(nil, { message = first })
      opened(table.remove(case.opens), "crypto")
      took()
      receive(payload())
      opened(table.remove(case.opens), "crypto")
      local _, all = took()
      assert.same({ "complain", ME, BOB, 1, H(first) },
        { all[3].type, all[3].by, all[3].sender, all[3].sequence, all[3].hash })
      step { type = "link_up", member = BOB }
      for _ = 1, 3 do
        receive(payload())
        opened(table.remove(case.opens), "crypto")
      end
      assert.is_nil((took():find "complain"))
      -- of two the author knows by its asking
      case.new { n = 2 }
      for _ = 1, 3 do
        receive(payload())
        opened(table.remove(case.opens), "crypto")
      end
      assert.is_nil((took():find "complain"))
    end)

    it("P5.8 what others complain of is told, once it is on disk", function()
      local about = { type = 3, about = world.fingerprint(CAROL), sequence = 4, hash = H "sealed" }
      local bytes = payload { items = { item "a", about, { type = 3, about = world.fingerprint(9), sequence = 1,
        hash = H "x" }, { type = 3, about = world.fingerprint(BOB), sequence = 1, hash = H "x" } } }
      local names, all = accept(bytes)
      assert.equal("open, commit, deliver, complaint, ack", names)
      assert.same({ BOB, CAROL, 4, H "sealed" }, { all[4].by, all[4].sender, all[4].sequence, all[4].hash })
      assert.equal(1, #all[2].messages)
    end)

    it("P5.8 says what a payload's sender has of others, and whether it says more than that", function()
      local seen = { { fingerprint = world.fingerprint(CAROL), sequence = 3, hash = H "c" } }
      local _, all = accept(payload { items = {}, seen = seen })
      assert.same({ false, seen }, { all[2].speaks, all[2].seen })
      _, all = accept(payload { sequence = 2, previous = H(payload { items = {}, seen = seen }) }, { sequence = 2 })
      assert.is_true(all[2].speaks)
    end)

    describe("where one has signed to have another payload", function()
      local carols, other
      before_each(function()
        carols = chain(2, CAROL)
        other = payload { sender = world.fingerprint(CAROL), items = { item "for bob's ears" } }
        accept(carols[1], { sender = CAROL, from = CAROL })
      end)
      local function bob_says(hash, sequence)
        local names, all = accept(payload {
          seen = { { fingerprint = world.fingerprint(CAROL), sequence = sequence or 1, hash = hash } } })
        return names, all
      end

      it("P5.7 asks for it, and opened it is the proof", function()
        local names, all = bob_says(H(other))
        assert.equal("open, commit, deliver, dispute, ack", names)
        assert.same({ BOB, CAROL, 1 }, { all[4].member, all[4].sender, all[4].sequence })
        receive(other, { sender = CAROL, from = BOB })
        open_all()
        names, all = took()
        assert.equal("open, equivocation, drop equivocated", names)
        assert.same({ CAROL, 1, H(other) }, { all[2].sender, all[2].sequence, all[2].hash })
        receive(other, { sender = CAROL, from = BOB })
        assert.equal("drop duplicate, ack", (took()))
      end)

      it("P5.7 nothing is proven where it sends what is here", function()
        bob_says(H(other))
        receive(carols[1], { sender = CAROL, from = BOB })
        open_all()
        assert.equal("open, drop duplicate, ack", (took()))
      end)

      it("P5.7 nor is anything asked where both have the same, or this one has not got so far", function()
        assert.is_nil(bob_says(H(carols[1])):find "dispute")
        accept(carols[2], { sender = CAROL, from = CAROL, sequence = 2 })
        assert.equal("drop duplicate, ack", (select(1, accept(other, { sender = CAROL, from = BOB }))))
      end)
    end)

    it("P3.10 only its author is asked to seal anew", function()
      receive(payload(), { from = CAROL })
      opened(table.remove(case.opens), "not_found")
      assert.equal("open, drop not_opened", took())
    end)

    it("P5.7 two payloads of one sequence are a proof, kept with signature and bytes", function()
      local list = chain(2)
      accept(list[1])
      accept(list[2], { sequence = 2 })
      local other = payload { items = { item "something else" } }
      receive(other, { sequence = 3 })
      open_all()
      local names, all = took()
      assert.equal("open, equivocation, drop equivocated", names)
      assert.same({ BOB, 1, H(other), other, "9:K" },
        { all[2].sender, all[2].sequence, all[2].hash, all[2].payload, all[2].session_key })
      assert.truthy(all[2].message:find "^SEALED")
      assert.equal(2, (case.t:head(BOB)))
    end)

    it("P5.3 S5 of an epoch that has ended it takes what the cut has, and no more", function()
      local list = chain(3)
      case.new { cut = { [BOB] = { sequence = 2, hash = H(list[2]) } } }
      accept(list[1])
      assert.equal("drop beyond_cut", (select(1, accept(list[3], { sequence = 3 }))))
      assert.truthy(accept(list[2], { sequence = 2 }):find "deliver")
      assert.same({ 2, 1 }, { (case.t:head(BOB)), dropped "beyond_cut" })
      assert.equal("drop beyond_cut", (accept(list[3], { sequence = 3 })))
      assert.equal("drop duplicate, ack", (accept(list[2], { sequence = 2 })))
    end)

    it("P5.3 S5 nor another payload where the cut has one, whatever the header says", function()
      local list = chain(2)
      case.new { cut = { [BOB] = { sequence = 2, hash = H "what the members agreed on" } } }
      accept(list[1])
      assert.truthy(accept(list[2], { sequence = 2 }):find "drop beyond_cut")
      case.new { cut = { [BOB] = { sequence = 1, hash = H(list[1]) }, [3] = { sequence = 0 } } }
      accept(list[1])
      assert.equal("drop beyond_cut", (accept(list[2], { sequence = 2 })))
      local carol = chain(1, 3)
      assert.equal("drop beyond_cut", (accept(carol[1], { sender = 3, from = 3 })))
    end)

    it("a nonce that was used before costs that message, not the chain", function()
      receive(payload { items = { item("a", "one"), item("a", "two"), item "b", item "b", item "c" } })
      open_all()
      local _, all = took()
      assert.same({ 0, 2, 4 }, { all[2].messages[1].index, all[2].messages[2].index, all[2].messages[3].index })
      assert.equal("one", all[2].messages[1].text)
      committed { false, true, false } -- the store had the second one already
      _, all = took()
      assert.same({ 2, "text of c" }, { #all[1].messages, all[1].messages[2].text })
      assert.equal(3, dropped "repeated_item")
      assert.equal(1, (case.t:head(BOB)))
    end)

    it("finds repeated nonces among a thousand", function()
      local items = {}
      for i = 1, 999 do items[i] = item(("%04d"):format(i), "x") end
      items[1000] = item("0500", "y")
      receive(payload { items = items })
      open_all()
      local _, all = took()
      assert.equal(999, #all[2].messages)
      assert.equal(1, dropped "repeated_item")
    end)
  end)
end)
