-- SPDX-License-Identifier: GPL-3.0-or-later
-- Leaving (P5.11): nobody is asked, the key dies at once, and the others order who is left.
local cores = require "support.cores"
local group = require "support.group"

local function homes_are(who, count)
  cores.ask(("%s has %d homes"):format(who.name, count), function() return #who:homes() == count end, group.PATIENCE_MS)
end

describe("leaving", function()
  after_each(cores.clean)

  it("P5.11 asks nobody, also where the others are away, and the rest goes on", function()
    local id, ann, ben, cid, dan = group.make { "ann", "ben", "cid", "dan" }
    local everyone = { ann, ben, cid, dan }
    for _, who in ipairs(everyone) do group.say(id, who, everyone) end
    assert.are.equal("wrong_state", (ann:fails("discussions.close", { discussion = id })))
    local before = #dan:homes()
    -- one whom the others hear
    local left = dan:call("discussions.leave", { discussion = id })
    assert.are.same({ "closed", "left" }, { left.state, left.reason })
    homes_are(dan, before - 1)
    assert.are.equal("wrong_state", (dan:fails("messages.send", { discussion = id, text = "still here" })))
    local now = group.agree(id, { ann, ben, cid })
    assert.are_not.equal(now.words, dan:discussion(id).words)
    group.say(id, ben, { ann, cid })
    -- one whom nobody hears at first
    for _, who in ipairs { ann, ben } do who:stop() end
    cores.state(cid, id, "suspended")
    assert.are.equal("left", cid:call("discussions.leave", { discussion = id }).reason)
    cid:restart()
    for _, who in ipairs { ann, ben } do who:start() end
    group.agree(id, { ann, ben })
    group.say(id, ann, { ben })
    group.say(id, ben, { ann })
    -- who has left is not told anything any more
    cores.ask("cid has said so", function() return cid:try("discussions.forget", { discussion = id }) end, group.PATIENCE_MS)
    -- and two are a discussion of two again
    ann:call("discussions.close", { discussion = id })
    group.ended(ben, id, "closed_by_member")
  end)
end)
