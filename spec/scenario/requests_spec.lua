-- SPDX-License-Identifier: GPL-3.0-or-later
-- Requests: who is asked, who may ask, how one ends without a discussion, and two at once.
local cores = require "support.cores"

describe("requests", function()
  local alice, bob

  local function ask(who, whom, password)
    return who:call("discussions.open", { peer = whom.fingerprint, password = password }).id
  end

  local function by_fingerprint()
    if alice.fingerprint < bob.fingerprint then return alice, bob end
    return bob, alice
  end

  describe("between strangers", function()
    before_each(function() alice, bob = cores.pair() end)
    after_each(cores.clean)

    it("P1.9 go to a fingerprint, a prefix of it or a name, and to nobody else", function()
      local function fails(peer) return (alice:fails("discussions.open", { peer = peer, password = "right" })) end
      assert.are.equal("not_found", fails(("0"):rep(40)))
      assert.are.equal("not_found", fails "carol")
      assert.are.equal("not_found", fails(alice.fingerprint))
      assert.are.equal("not_found", fails(bob.fingerprint:sub(1, 7)))
      for _, name in ipairs { bob.fingerprint, bob.fingerprint:sub(1, 8):lower(), "bob" } do
        local id = alice:call("discussions.open", { peer = name, password = "right" }).id
        bob:event("discussion.requested", { id = id })
        bob:call("discussions.refuse", { discussion = id })
        alice:event("discussion.refused", { id = id })
      end
      local other = cores.person "other"
      other:stop()
      local double = cores.person("bob2", {})
      double:stop()
      assert.are.equal(1, #alice:call "peers.list")
    end)

    it("P1.9 an ambiguous name is an error that lists the candidates", function()
      local double = cores.absent("double"):start()
      double.fingerprint = double:call("identity.create", { name = "bob" }).fingerprint
      cores.meet(alice, double)
      local name, message = alice:fails("discussions.open", { peer = "bob", password = "right" })
      assert.are.equal("ambiguous", name)
      for _, who in ipairs { bob, double } do assert.truthy(message:find(who.fingerprint, 1, true), message) end
    end)

    it("P2.7 need a password between those who have not verified each other", function()
      local name, message = alice:fails("discussions.open", { peer = bob.fingerprint })
      assert.are.equal("bad_params", name)
      assert.truthy(message:find("password", 1, true))
      local id = cores.request(alice, bob, "right")
      assert.are.equal("bad_params", bob:fails("discussions.accept", { discussion = id }))
      assert.are.equal("requested", bob:discussion(id).state)
      bob:call("discussions.accept", { discussion = id, password = "right" })
      cores.all_events("discussion.opened", id, alice, bob)
    end)

    it("P2.6 can be refused, which is no guess", function()
      local id = cores.request(alice, bob, "right")
      assert.are.equal("refused", bob:call("discussions.refuse", { discussion = id }).state)
      local a, b = cores.all_events("discussion.refused", id, alice, bob)
      assert.are.equal("refused", a.reason)
      assert.are.equal("refused", b.reason)
      assert.are.equal(3, alice:guesses(bob))
      assert.are.equal(3, bob:guesses(alice))
      for _, verb in ipairs { "accept", "refuse", "close" } do
        local params = { discussion = id, password = verb == "accept" and "right" or nil }
        assert.are.equal("wrong_state", bob:fails("discussions." .. verb, params), verb)
      end
      cores.open_between(alice, bob)
    end)

    it("P2.6 can be called back", function()
      local id = cores.request(alice, bob, "right")
      assert.are.equal("closed", alice:call("discussions.close", { discussion = id }).state)
      bob:event("discussion.refused", { id = id })
      assert.are.equal("wrong_state", bob:fails("discussions.accept", { discussion = id, password = "right" }))
      assert.are.equal(3, alice:guesses(bob))
      assert.are.equal(3, bob:guesses(alice))
      cores.open_between(alice, bob)
    end)

    it("P2.6 one at a time to a peer", function()
      local id = cores.request(alice, bob, "right")
      assert.are.equal("wrong_state", alice:fails("discussions.open", { peer = bob.fingerprint, password = "right" }))
      bob:call("discussions.accept", { discussion = id, password = "right" })
      cores.all_events("discussion.opened", id, alice, bob)
      cores.request(alice, bob, "right")
    end)

    it("are refused on both sides when either core ends before the decision", function()
      local id = cores.request(alice, bob, "right")
      bob:restart()
      assert.are.equal("lost", alice:event("discussion.refused", { id = id }).reason)
      assert.are.equal("refused", bob:discussion(id).state)
      assert.are.equal("restart", bob:discussion(id).reason)
      id = cores.request(alice, bob, "right")
      alice:kill()
      assert.are.equal("lost", bob:event("discussion.refused", { id = id }).reason)
      alice:start()
      assert.are.equal("refused", alice:discussion(id).state)
      cores.meet(alice, bob)
      cores.open_between(alice, bob)
    end)

    it("end as unreachable where nobody answers at any address", function()
      bob:stop()
      local id = ask(alice, bob, "right")
      assert.are.equal("unreachable", alice:event("discussion.refused", { id = id }).reason)
      assert.are.equal(3, alice:guesses(bob))
      bob:start()
      cores.open_between(alice, bob)
    end)

    it("P2.9 two at once: the lower fingerprint's survives, with the password that the other has typed", function()
      local lower, higher = by_fingerprint()
      local kept, dropped = ask(lower, higher, "right"), ask(higher, lower, "right")
      cores.all_events("discussion.opened", kept, lower, higher)
      assert.are.equal("superseded", higher:event("discussion.refused", { id = dropped }).reason)
      cores.talk(kept, lower, higher)
      for _, who in ipairs { lower, higher } do
        assert.are.equal(3, who:guesses(who == lower and higher or lower))
        local open = 0
        for _, discussion in ipairs(who:call "discussions.list") do
          if discussion.state == "open" then open = open + 1 end
          assert.truthy(discussion.state == "open" or discussion.state == "refused", discussion.state)
        end
        assert.are.equal(1, open)
      end
    end)

    it("P2.9 two at once with different passwords: a guess, and the higher's request waits for the person", function()
      local lower, higher = by_fingerprint()
      local lost, other = ask(lower, higher, "right"), ask(higher, lower, "wrong")
      cores.all_events("discussion.refused", lost, lower, higher)
      assert.are.equal(2, lower:guesses(higher))
      assert.are.equal(2, higher:guesses(lower))
      lower:event("discussion.requested", { id = other })
      lower:call("discussions.accept", { discussion = other, password = "wrong" })
      cores.all_events("discussion.opened", other, lower, higher)
      assert.are.equal(3, lower:guesses(higher))
    end)

    it("P2.9 asking the one who has asked already is an answer", function()
      local lower, higher = by_fingerprint()
      local id = cores.request(lower, higher, "right")
      local own = ask(higher, lower, "right")
      cores.all_events("discussion.opened", id, lower, higher)
      assert.are.equal("superseded", higher:event("discussion.refused", { id = own }).reason)
      cores.talk(id, lower, higher)
    end)

    it("P2.9 asking the one who has asked already waits where the own fingerprint is the lower", function()
      local lower, higher = by_fingerprint()
      local own = cores.request(higher, lower, "right")
      local id = ask(lower, higher, "right")
      cores.all_events("discussion.opened", id, lower, higher)
      assert.are.equal("superseded", higher:event("discussion.refused", { id = own }).reason)
    end)
  end)

  describe("that expire", function()
    after_each(cores.clean)

    it("P2.6 end on both sides, and are no guess", function()
      alice, bob = cores.pair { config = "limits = { request_timeout = 1 }" }
      local id = cores.request(alice, bob, "right")
      local a, b = cores.all_events("discussion.refused", id, alice, bob)
      assert.are.equal("expired", a.reason)
      assert.are.equal("expired", b.reason)
      assert.are.equal("wrong_state", bob:fails("discussions.accept", { discussion = id, password = "right" }))
      assert.are.equal(3, alice:guesses(bob))
    end)
  end)

  describe("between those who have verified each other", function()
    local first

    before_each(function()
      alice, bob = cores.pair()
      first = cores.open_between(alice, bob)
    end)
    after_each(cores.clean)

    it("P2.7 need no password", function()
      local id = cores.request(alice, bob)
      assert.are.equal("pinned", bob:discussion(id).mode)
      assert.are.equal("bad_params", bob:fails("discussions.accept", { discussion = id, password = "right" }))
      bob:call("discussions.accept", { discussion = id })
      cores.all_events("discussion.opened", id, alice, bob)
      cores.talk(id, alice, bob)
      cores.talk(first, alice, bob)
    end)

    it("P2.7 are not shown in mode pinned to one who has forgotten the other", function()
      bob:call("discussions.close", { discussion = first })
      alice:event("discussion.closed", { id = first })
      bob:call("peers.forget", { peer = alice.fingerprint })
      cores.meet(bob, alice)
      assert.is_false(bob:call("peers.show", { peer = alice.fingerprint }).verified)
      local id = ask(alice, bob)
      alice:event("discussion.refused", { id = id })
      assert.are.equal("not_found", bob:fails("discussions.show", { discussion = id }))
    end)

    it("P2.9 two at once in different modes: the lower's waits for the person, the other ends", function()
      local lower, higher = by_fingerprint()
      local kept, dropped = ask(lower, higher, "right"), ask(higher, lower)
      assert.are.equal("password", higher:event("discussion.requested", { id = kept }).mode)
      assert.are.equal("superseded", higher:event("discussion.refused", { id = dropped }).reason)
      higher:call("discussions.accept", { discussion = kept, password = "right" })
      cores.all_events("discussion.opened", kept, lower, higher)
    end)

    it("P2.9 two at once in mode pinned: one discussion", function()
      local lower, higher = by_fingerprint()
      local kept, dropped = ask(lower, higher), ask(higher, lower)
      cores.all_events("discussion.opened", kept, lower, higher)
      assert.are.equal("superseded", higher:event("discussion.refused", { id = dropped }).reason)
      cores.talk(kept, lower, higher)
    end)
  end)
end)
