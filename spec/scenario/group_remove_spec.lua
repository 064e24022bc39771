-- SPDX-License-Identifier: GPL-3.0-or-later
-- Removal by all the others (§5, 2), with the one who goes at hand or away; and what two proposals at once come to.
local cores = require "support.cores"
local group = require "support.group"

local function propose_removal(who, id, subject)
  return who:call("proposals.create", { discussion = id, op = "remove", peer = subject.fingerprint })
end

describe("removing", function()
  after_each(cores.clean)

  it("§5, 2 takes the word of all the others, and none of the one who goes", function()
    local id, ann, ben, cid, dan = group.make { "ann", "ben", "cid", "dan" }
    local made = propose_removal(ann, id, dan)
    assert.are.same({ dan.fingerprint }, made.subjects)
    local asked = group.asked(dan, id, "remove")
    assert.are.equal("wrong_state", (dan:fails("proposals.answer", { proposal = asked.id, answer = "refuse" })))
    assert.are.equal("wrong_state", (ann:fails("proposals.create",
      { discussion = id, op = "remove", peer = dan.fingerprint })))
    for _, bad in ipairs { ann, { fingerprint = ("A"):rep(40) } } do
      assert.are.equal("bad_params", (ann:fails("proposals.create",
        { discussion = id, op = "remove", peer = bad.fingerprint })))
    end
    group.consent(id, "remove", { ben, cid })
    group.agree(id, { ann, ben, cid })
    local gone = group.ended(dan, id, "removed")
    assert.are.equal(4, #gone.members)
    for _, who in ipairs { ann, ben, cid } do group.say(id, who, { ann, ben, cid }) end
    assert.are.equal("wrong_state", (dan:fails("messages.send", { discussion = id, text = "still here" })))
    assert.are.equal("committed", ben:call("proposals.show", { proposal = asked.id }).state)
  end)

  it("§5, 2 does not wait for the one who goes, and it learns of it when it is back", function()
    local id, ann, ben, cid = group.make { "ann", "ben", "cid" }
    group.say(id, cid, { ann, ben })
    cid:stop()
    propose_removal(ben, id, cid)
    group.consent(id, "remove", { ann })
    group.agree(id, { ann, ben })
    group.say(id, ann, { ben })
    cid:start()
    group.ended(cid, id, "removed")
  end)

  it("L2 of two at once one is first, and the other is asked again", function()
    local id, ann, ben, cid, dan = group.make { "ann", "ben", "cid", "dan" }
    local everyone = { ann, ben, cid, dan }
    local one = ann:call("proposals.create", { discussion = id, op = "charter", charter = "2" })
    local two = ben:call("proposals.create", { discussion = id, op = "charter", charter = "3" })
    -- each consents to whatever it is asked, until both charters have been: one after the other
    local before = ann:discussion(id).epoch
    cores.ask("two epochs", function()
      local done = true
      for _, who in ipairs(everyone) do
        for _, p in ipairs(who:call("proposals.list", { discussion = id })) do
          for _, waited in ipairs(p.waiting_for) do
            if waited == who.fingerprint then who:try("proposals.answer", { proposal = p.id, answer = "consent" }) end
          end
        end
        done = done and who:discussion(id).epoch == before + 2
      end
      return done
    end, group.PATIENCE_MS)
    local now = group.agree(id, everyone)
    local first, second = ann:call("proposals.show", { proposal = one.id }), ben:call("proposals.show", { proposal = two.id })
    local won = { committed = 0, void = 0 }
    for _, p in ipairs { first, second } do won[p.state] = won[p.state] + 1 end
    assert.are.same({ committed = 1, void = 1 }, won)
    assert.are.equal(first.state == "void" and "2" or "3", now.charter)
    group.say(id, dan, everyone)
  end)
end)
