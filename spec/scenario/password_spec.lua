-- SPDX-License-Identifier: GPL-3.0-or-later
-- Opening with a password: the right one, the wrong one, and how many may be tried.
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"

describe("opening with a password", function()
  local alice, bob

  local function members(discussion)
    local found = {}
    for i, member in ipairs(discussion.members) do found[i] = member.fingerprint end
    return found
  end

  local function you(discussion)
    for _, member in ipairs(discussion.members) do
      if member.you then return member.fingerprint end
    end
  end

  -- alice asks, bob answers with another password; both views of what came of it
  local function guess_wrong(mine, yours)
    local id = cores.request(alice, bob, mine or "the right one")
    bob:call("discussions.accept", { discussion = id, password = yours or "a wrong one" })
    return cores.all_events("discussion.refused", id, alice, bob)
  end

  describe("between strangers", function()
    before_each(function() alice, bob = cores.pair() end)
    after_each(cores.clean)

    it("P2.1 opens on both sides with the same id, roster, words and members in one order", function()
      local asked = alice:call("discussions.open", { peer = bob.fingerprint, password = "right 42" })
      assert.are.equal("requesting", asked.state)
      assert.truthy(asked.id:match("^" .. ("[0-9a-f]"):rep(32) .. "$"))
      local request = bob:event("discussion.requested", { id = asked.id })
      assert.are.equal("requested", request.state)
      local accepted = bob:call("discussions.accept", { discussion = asked.id, password = "right 42" })
      assert.are.equal("opening", accepted.state)
      local a, b = cores.all_events("discussion.opened", asked.id, alice, bob)
      assert.are.equal("open", a.state)
      assert.are.equal("open", b.state)
      a, b = alice:discussion(asked.id), bob:discussion(asked.id)
      for _, field in ipairs { "id", "state", "roster_hash", "words", "epoch", "charter" } do
        assert.are.equal(a[field], b[field], field)
        assert.is_not_nil(a[field], field)
      end
      assert.are.same(members(a), members(b))
      assert.are.equal(2, #a.members)
      assert.are.equal(alice.fingerprint, you(a))
      assert.are.equal(bob.fingerprint, you(b))
      assert.truthy(a.roster_hash:match("^" .. ("[0-9a-f]"):rep(64) .. "$"))
      local _, gaps = a.words:gsub(" ", "")
      assert.are.equal(11, gaps)
      for _, view in ipairs { a, b } do
        for _, member in ipairs(view.members) do
          assert.is_true(member.present)
          assert.is_true(member.verified)
        end
      end
      cores.talk(asked.id, alice, bob)
    end)

    it("P2.7 a password that was proved verifies the peer for good, and other discussions have other keys", function()
      local first = cores.open_between(alice, bob)
      for _, pair in ipairs { { alice, bob }, { bob, alice } } do
        assert.is_true(pair[1]:call("peers.show", { peer = pair[2].fingerprint }).verified)
      end
      bob:restart()
      assert.is_true(bob:call("peers.show", { peer = alice.fingerprint }).verified)
      local second = cores.open_between(alice, bob, "another one")
      assert.are_not.equal(first, second)
      assert.are_not.equal(alice:discussion(first).roster_hash, alice:discussion(second).roster_hash)
      alice:event("discussion.resumed", { id = first })
      cores.talk(first, alice, bob)
      cores.talk(second, bob, alice)
    end)

    it("P2.3 a wrong password and one that is wrong the other way look the same, and tell nothing", function()
      local a, b = guess_wrong()
      for _, view in ipairs { a, b } do
        assert.are.equal("refused", view.state)
        assert.are.equal("failed", view.reason)
        assert.is_nil(view.roster_hash)
        assert.is_nil(view.words)
      end
      local c, d = guess_wrong("a", "the right one, and more")
      assert.are.equal(a.reason, c.reason)
      assert.are.equal(b.reason, d.reason)
      assert.are.equal("wrong_state", alice:fails("messages.send", { discussion = a.id, text = "x" }))
      assert.is_false(alice:call("peers.show", { peer = bob.fingerprint }).verified)
      assert.is_false(bob:call("peers.show", { peer = alice.fingerprint }).verified)
    end)

    it("P4.1 a refused opening leaves no key and no agent", function()
      local a = guess_wrong()
      for _, who in ipairs { alice, bob } do
        -- the general key's home, and the spare's
        cores.ask(who.name .. " has two homes", function() return #who:homes() == 2 end)
        who:call("discussions.forget", { discussion = a.id })
        assert.are.equal("not_found", who:fails("discussions.show", { discussion = a.id }))
      end
    end)

    it("P2.2 counts guesses on both sides, over kill -9 and restart; success gives them back", function()
      assert.are.equal(3, alice:guesses(bob))
      assert.are.equal(3, bob:guesses(alice))
      guess_wrong()
      assert.are.equal(2, alice:guesses(bob))
      assert.are.equal(2, bob:guesses(alice))
      guess_wrong()
      for _, who in ipairs { alice, bob } do
        who:kill()
        who:start()
      end
      assert.are.equal(1, alice:guesses(bob))
      assert.are.equal(1, bob:guesses(alice))
      alice:restart()
      assert.are.equal(1, alice:guesses(bob))
      cores.meet(alice, bob)
      cores.open_between(alice, bob)
      assert.are.equal(3, alice:guesses(bob))
      assert.are.equal(3, bob:guesses(alice))
    end)

    it("P2.2 refuses the guess after the third without a dial", function()
      for _ = 1, 3 do guess_wrong() end
      assert.are.equal(0, alice:guesses(bob))
      assert.are.equal(0, bob:guesses(alice))
      local wait = alice:call("peers.show", { peer = bob.fingerprint }).next_guess - sys.now_ms()
      assert.is_true(wait > 0 and wait <= 600000, wait)
      local before, listed = bob:metrics(), #alice:call "discussions.list"
      local name, message = alice:fails("discussions.open", { peer = bob.fingerprint, password = "the right one" })
      assert.are.equal("refused", name)
      assert.truthy(message:find "no guess")
      -- nothing was begun that might dial later
      assert.are.equal(listed, #alice:call "discussions.list")
      alice:kill()
      alice:start()
      assert.are.equal("refused", alice:fails("discussions.open", { peer = bob.fingerprint, password = "right" }))
      -- a dial now would be after what would have been dialled for either call
      cores.meet(alice, bob)
      assert.are.equal(before.links_accepted, bob:metrics().links_accepted)
      -- and the one who answers has none to spend either
      assert.are.equal("refused", bob:fails("discussions.open", { peer = alice.fingerprint, password = "right" }))
    end)

    it("P2.2 refuses a guess too many also where the other side has not counted", function()
      local data, copy = alice.home .. "/data", cores.root() .. "/copy"
      alice:stop()
      system.shell(("cp -a %s %s"):format(data, copy))
      alice:start()
      for _ = 1, 3 do guess_wrong() end
      alice:stop()
      system.shell(("rm -rf %s && mv %s %s"):format(data, copy, data))
      alice:start()
      assert.are.equal(3, alice:guesses(bob))
      local id = alice:call("discussions.open", { peer = bob.fingerprint, password = "right" }).id
      assert.are.equal("busy", alice:event("discussion.refused", { id = id }).reason)
      assert.are.equal("not_found", bob:fails("discussions.show", { discussion = id }))
      assert.are.equal(3, alice:guesses(bob))
    end)
  end)
end)
