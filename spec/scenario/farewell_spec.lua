-- SPDX-License-Identifier: GPL-3.0-or-later
-- The last words of a discussion (P3.8) where what acknowledges them is lost: whoever heard them has destroyed its key by
-- then, and the one who closed must not ask in vain for the rest of the day.
local cores = require "support.cores"
local proxy = require "support.proxy"

describe("a farewell whose acknowledgement is lost", function()
  local alice, bob, between, id

  before_each(function()
    alice, bob = cores.pair()
    between = proxy.before(bob)
    id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
  end)
  after_each(function()
    between:close()
    cores.clean()
  end)

  -- alice closes; what bob says to it never comes to her. He ends the link, as there is nothing left to talk about.
  local function close_and_lose()
    local link, lost = between:link(), 0
    between.tamper = function(frame)
      if frame.way ~= "back" then return end
      lost = lost + 1
      return false
    end
    alice:send(id, "last words")
    alice:call("discussions.close", { discussion = id })
    proxy.wait_end(link)
    assert.is_true(lost > 0)
    cores.state(bob, id, "closed")
    cores.ask("bob to have destroyed his key", function() return #bob:homes() == 2 end)
  end

  -- both have the same, all of it is delivered, and nobody keeps what nobody needs
  local function ends_well()
    cores.ask("all of alice's to be delivered", function()
      for _, message in ipairs(alice:messages(id)) do
        if message.sender == alice.fingerprint and message.state ~= "delivered" then return false end
      end
      return true
    end)
    assert.are.equal("last words", bob:texts(id, alice.fingerprint)[2])
    assert.are.same(alice:texts(id), bob:texts(id))
    for _, who in ipairs { alice, bob } do
      cores.ask(who.name .. " to have nothing but the general key and a spare one", function() return #who:homes() == 2 end)
      cores.ask(who.name .. " to forget it", function() return who:try("discussions.forget", { discussion = id }) end)
      assert.are.same({}, who:call "discussions.list")
    end
    cores.open_between(alice, bob)
  end

  it("P3.8 is acknowledged again by who has nothing left of the discussion but that it ended", function()
    close_and_lose()
    between:rest()
    ends_well()
  end)

  it("P3.8 is acknowledged again after a restart of that core", function()
    close_and_lose()
    bob:kill()
    between:rest()
    bob:start()
    assert.are.equal("closed_by_member", bob:discussion(id).reason)
    ends_well()
  end)

  it("P3.8 is acknowledged again to a core that was restarted", function()
    close_and_lose()
    alice:kill()
    between:rest()
    alice:start()
    assert.are.equal("closed", alice:discussion(id).reason)
    ends_well()
  end)

  it("P4.4 is not acknowledged while that core is locked, and is once it is unlocked", function()
    bob:call("identity.passphrase", { new = "sesame" })
    close_and_lose()
    bob:call "identity.lock"
    between:rest()
    cores.ask("alice to have called in vain", function()
      local problem
      for _, member in ipairs(alice:discussion(id).members) do problem = problem or member.problem end
      return problem
    end)
    assert.are.equal("wrong_state", alice:fails("discussions.forget", { discussion = id }))
    bob:call("identity.unlock", { passphrase = "sesame" })
    ends_well()
  end)
end)
