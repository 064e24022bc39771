-- SPDX-License-Identifier: GPL-3.0-or-later
-- A discussion in which one is proven to have lied (P5.7): frozen for sending at whoever has the proof, across restarts and whoever else
-- goes, until the liar goes. What the liar says is said by its twin; its core, which knows nothing of that, is an honest member.
local cores = require "support.cores"
local group = require "support.group"
local twins = require "support.twin"
local wire = require "support.wire"

local ann, ben, cid, dan, id

-- Proposed, and refused by the same: nobody may sign both.
local function two_answers(twin)
  local op = twins.op { kind = "charter", charter = "2" }
  local proposal = twin:state("propose", { op = op })
  local refusal = twin:state("consent", { op = wire.hash(op), consents = false, by_policy = false, reason = "" })
  return proposal, refusal
end

local function is_frozen(who, members)
  return group.wait(("%s: frozen, %d members"):format(who.name, members), function()
    local found = who:discussion(id)
    return found.state == "frozen" and #found.members == members and found
  end)
end

local function cannot_send(who)
  local name, text = who:fails("messages.send", { discussion = id, text = "x" })
  assert.are.equal("wrong_state", name)
  assert.truthy(text:find("frozen", 1, true), text)
end

local function remove(from, subject, others)
  from:call("proposals.create", { discussion = id, op = "remove", peer = subject.fingerprint })
  group.consent(id, "remove", others)
end

describe("a discussion of four, one of whom lies", function()
  setup(function() id, ann, ben, cid, dan = group.make { "ann", "ben", "cid", "dan" } end)
  teardown(cores.clean)

  it("P5.7 is frozen where the proof is, and everywhere once others have shown it", function()
    group.say(id, ann, { ben, cid, dan })
    dan:kill()
    local twin = twins.of(dan, id)
    local link = twin:link(ann)
    link:say(two_answers(twin))
    local told = ann:event("discussion.frozen", { id = id })
    assert.are.same({ "frozen", "equivocation" }, { told.state, told.reason })
    cannot_send(ann)
    link:close()
    -- who meets ann gets what ann has
    ann:kill()
    ann:start()
    is_frozen(ann, 4)
    for _, who in ipairs { ben, cid } do
      assert.are.equal("equivocation", who:event("discussion.frozen", { id = id }, group.PATIENCE_MS).reason)
      cannot_send(who)
    end
    dan:start()
  end)

  it("P5.7 stays frozen when another goes, and after a restart", function()
    cid:call("discussions.leave", { discussion = id })
    for _, who in ipairs { ann, ben } do is_frozen(who, 3) end
    ann:restart()
    is_frozen(ann, 3)
    for _, who in ipairs { ann, ben } do cannot_send(who) end
  end)

  it("P5.7 goes on when the liar is removed", function()
    remove(ann, dan, { ben })
    group.agree(id, { ann, ben })
    group.ended(dan, id, "removed")
    group.say(id, ann, { ben })
    group.say(id, ben, { ann })
    ann:restart()
    group.agree(id, { ann, ben })
    group.say(id, ann, { ben })
  end)

  it("P5.7 takes the liar back with another key, if all want that", function()
    cores.ask("dan forgets it", function() return dan:try("discussions.forget", { discussion = id }) end, group.PATIENCE_MS)
    group.admit(id, ann, dan, { ben })
    group.say(id, dan, { ann, ben })
    ann:restart()
    group.agree(id, { ann, ben, dan })
    group.say(id, ann, { ben, dan })
  end)
end)
