-- SPDX-License-Identifier: GPL-3.0-or-later
-- What front ends need beside messages: what was read elsewhere, since when and why somebody cannot be reached.
local cores = require "support.cores"

describe("a discussion, for those who show it,", function()
  local alice, bob, id

  before_each(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
  end)
  after_each(cores.clean)

  it("tells every front end what was read in one of them", function()
    local sent = { bob:send(id, "one"), bob:send(id, "two") }
    alice:event("message.received", { id = sent[2].id })
    assert.are.equal(2, alice:discussion(id).unread)
    assert.are.equal(1, alice:call("messages.read", { discussion = id, message = sent[1].id }).unread)
    assert.are.equal(1, alice:event("discussion.read", { id = id }).unread)
    assert.are.equal(0, alice:call("messages.read", { discussion = id }).unread)
    assert.are.equal(0, alice:event("discussion.read", { id = id, unread = 0 }).unread)
    -- nothing new was read: nothing is told
    alice:call("messages.read", { discussion = id })
    bob:send(id, "three")
    alice:event("message.received", { text = "three" })
    assert.is_nil(alice:take_event("discussion.read", { id = id }))
  end)

  it("says since when nobody can be reached, where that was tried, and what came of it", function()
    assert.is_nil(alice:discussion(id).suspended)
    local before, address = os.time() * 1000, bob.address
    bob:stop()
    alice:event("discussion.suspended", { id = id })
    -- the first dials may still meet the core that goes
    local problem = cores.ask("a dial that nobody answers", function()
      local found = alice:discussion(id)
      for _, member in ipairs(found.members) do
        if member.problem == "refused" then return { member = member, discussion = found } end
      end
    end)
    assert.truthy(problem.discussion.suspended >= before)
    assert.are.equal(address, problem.member.tried)
    bob:start()
    alice:event("discussion.resumed", { id = id })
    for _, member in ipairs(alice:discussion(id).members) do
      assert.is_nil(member.problem)
      assert.is_nil(member.tried)
    end
    assert.is_nil(alice:discussion(id).suspended)
  end)
end)
