-- SPDX-License-Identifier: GPL-3.0-or-later
-- Cores that are killed in the middle of an admission (§5, 4–6): it ends the same for all, or not at all, and nothing is lost.
local cores = require "support.cores"
local group = require "support.group"

local function kill(people)
  for _, who in ipairs(people) do who:kill() end
  for _, who in ipairs(people) do who:start() end
end

-- consents wherever it is still wanted, until the candidate is in
local function until_admitted(id, candidate, people)
  cores.ask(candidate.name .. " is in", function()
    group.consent_wherever(id, people)
    return candidate:discussion(id).state == "open"
  end, group.PATIENCE_MS)
end

describe("killed in the middle", function()
  after_each(cores.clean)

  for _, case in ipairs {
    { "the first leader", { 1 } }, { "a member that consents last", { 3 } }, { "the candidate", { 4 } },
    { "everyone at once", { 1, 2, 3, 4 } },
  } do
    it("L3 admits all the same: " .. case[1], function()
      local id, ann, ben, cid = group.make { "ann", "ben", "cid" }
      local dan = cores.person "dan"
      local all = { ann, ben, cid, dan }
      local said = group.say(id, ann, { ben, cid })
      group.know(ben, dan)
      group.join(id, ben, dan)
      group.consent(id, "admit", { ann })
      group.consent(id, "admit", { cid })
      local victims = {}
      for i, n in ipairs(case[2]) do victims[i] = all[n] end
      kill(victims)
      until_admitted(id, dan, { ann, ben, cid })
      group.agree(id, all)
      for _, who in ipairs(all) do group.say(id, who, all) end
      -- P5.4: nothing of before, and for the others nothing is lost
      for _, m in ipairs(dan:messages(id)) do assert.are_not.equal(said.id, m.id) end
      for _, who in ipairs { ben, cid } do
        local found
        for _, m in ipairs(who:messages(id)) do found = found or m.id == said.id end
        assert.is_true(found)
      end
    end)
  end
end)
