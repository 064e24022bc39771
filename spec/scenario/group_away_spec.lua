-- SPDX-License-Identifier: GPL-3.0-or-later
-- A member that is away while the others change (P5.6): who is waited for, who is not, and what it gets when it is back.
local cores = require "support.cores"
local group = require "support.group"

describe("away", function()
  after_each(cores.clean)

  it("P5.6 an admission by all waits for it, visibly, and messages go on", function()
    local id, ann, ben, cid = group.make { "ann", "ben", "cid" }
    local dan = cores.person "dan"
    cid:stop()
    group.know(ann, dan)
    group.join(id, ann, dan)
    group.consent(id, "admit", { ben })
    local waits = cores.ask("ann sees whom it waits for", function()
      local p = group.asked(ann, id, "admit")
      return #p.waiting_for == 1 and p
    end, group.PATIENCE_MS)
    assert.are.same({ cid.fingerprint }, waits.waiting_for)
    assert.is_true(waits.created > 0)
    group.say(id, ann, { ben })
    group.say(id, ben, { ann })
    cid:start()
    group.consent(id, "admit", { cid })
    group.agree(id, { ann, ben, cid, dan })
    group.say(id, dan, { ann, ben, cid })
  end)

  it("P2.12, P5.6 is told of all that was decided meanwhile, and speaks with who is new", function()
    local id, ann, ben, cid = group.make { "ann", "ben", "cid" }
    ann:call("proposals.create", { discussion = id, op = "charter", charter = "2" })
    group.consent(id, "charter", { ben, cid })
    cores.ask("the charter", function() return group.agree(id, { ann, ben, cid }).charter == "2" end, group.PATIENCE_MS)
    cid:stop()
    -- two epochs without it: q of three are two
    local dan = cores.person "dan"
    group.know(ann, dan)
    group.join(id, ann, dan)
    group.consent(id, "admit", { ben })
    group.agree(id, { ann, ben, dan }, 4)
    local missed = { group.say(id, ann, { ben, dan }), group.say(id, dan, { ann, ben }), group.say(id, ben, { ann, dan }) }
    local eve = cores.person "eve"
    group.know(ben, eve)
    group.join(id, ben, eve)
    group.consent(id, "admit", { dan })
    group.agree(id, { ann, ben, dan, eve }, 5)
    cid:start()
    local everyone = { ann, ben, cid, dan, eve }
    group.agree(id, everyone)
    -- what was said in the epoch that it was away in, once; and the newcomer gets none of it (P5.4)
    for _, message in ipairs(missed) do
      group.wait("cid gets what it missed", function()
        local count = 0
        for _, m in ipairs(cid:call("messages.list", { discussion = id, limit = 1000 })) do
          if m.id == message.id then count = count + 1 end
        end
        assert.is_true(count <= 1)
        return count == 1
      end)
      for _, m in ipairs(eve:call("messages.list", { discussion = id, limit = 1000 })) do
        assert.are_not.equal(message.id, m.id)
      end
    end
    for _, who in ipairs { cid, eve } do group.say(id, who, everyone) end
  end)
end)
