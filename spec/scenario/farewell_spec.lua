-- SPDX-License-Identifier: GPL-3.0-or-later
-- The last words of a discussion (P3.8) where what acknowledges them is lost: whoever heard them has destroyed its key by
-- then, and the one who closed must not ask in vain for the rest of the day.
local cores = require "support.cores"
local proxy = require "support.proxy"

local alice, bob, between, id

-- alice and bob in a discussion, and somebody on the wire between them
local function begin()
  alice, bob = cores.pair()
  between = proxy.before(bob)
  id = cores.open_between(alice, bob)
  cores.talk(id, alice, bob)
end

local function finish()
  between:close()
  cores.clean()
end

local function is_forgotten()
  for _, who in ipairs { alice, bob } do
    cores.ask(who.name .. " to have nothing but the general key and a spare one", function() return #who:homes() == 2 end)
    cores.ask(who.name .. " to forget it", function() return who:try("discussions.forget", { discussion = id }) end)
    assert.are.same({}, who:call "discussions.list")
  end
  cores.open_between(alice, bob)
end

describe("two who close at once", function()
  before_each(begin)
  after_each(finish)

  it("P3.8 learn that it is over on the link that they have; what was under way has failed", function()
    local link, held = between:link(), {}
    between.tamper = function(frame)
      held[#held + 1] = frame
      return false
    end
    local lost = {}
    for _, who in ipairs { alice, bob } do lost[who] = who:send(id, who.name .. "'s last words").id end
    for _, who in ipairs { alice, bob } do who:call("discussions.close", { discussion = id }) end
    -- a farewell each, with what was said before it
    cores.wait("both farewells on the wire", function()
      local seen = {}
      for _, frame in ipairs(held) do seen[frame.way] = (seen[frame.way] or 0) + 1 end
      return (seen.out or 0) >= 2 and (seen.back or 0) >= 2
    end)
    between:rest()
    for _, frame in ipairs(held) do between:inject(frame.way, proxy.encode(frame.kind, frame.payload)) end
    proxy.wait_end(link)
    assert.are.equal(1, between.calls)
    for _, who in ipairs { alice, bob } do
      local other = who == alice and bob or alice
      who:event("message.failed", { id = lost[who] })
      assert.are.equal("closed", who:discussion(id).reason)
      assert.are.equal(1, #other:texts(id, who.fingerprint))
      for _, message in ipairs(who:messages(id)) do
        local wanted = message.sender ~= who.fingerprint and "received" or message.id == lost[who] and "failed" or "delivered"
        assert.are.equal(wanted, message.state)
      end
    end
    is_forgotten()
  end)
end)

describe("a farewell whose acknowledgement is lost", function()
  before_each(begin)
  after_each(finish)

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
    is_forgotten()
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
