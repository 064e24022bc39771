-- SPDX-License-Identifier: GPL-3.0-or-later
local changes = require "sotto.client.changes"
local format = require "sotto.client.format"
local names = require "sotto.client.names"

-- P5.5: on whose word a newcomer is taken
local function on_whose_word(chat, discussion, proposals, member)
  local vouchers = changes.vouchers(proposals, member.fingerprint)
  return vouchers and ", taken in by " .. changes.people(vouchers, chat:who(discussion)) or ""
end

local function describe(chat, discussion, proposals, member)
  local word = on_whose_word(chat, discussion, proposals, member)
  if member.you then return "you" .. word end
  local marks = { member.present and "there" or "away", member.verified and "verified" or "not verified by you" }
  return ("%s, %s%s"):format(chat:person_name(member), table.concat(marks, ", "), word)
end

return {
  name = "who", help = "who is in this discussion, who can be reached, and if not, why",
  run = function(chat)
    local discussion = chat:current_discussion()
    local proposals = chat:call("proposals.list", { discussion = discussion.id })
    for _, member in ipairs(discussion.members) do
      local text = describe(chat, discussion, proposals, member)
      chat:print(("  %s  %s"):format(names.grouped(member.fingerprint):sub(1, 19), text), 23)
    end
    local why = format.why(discussion)
    chat:print(("  state: %s%s"):format(format.state(discussion), why ~= "" and "; " .. why or ""), 4)
    local missing = changes.missing(discussion, chat:who(discussion))
    if missing then chat:print("  " .. missing, 4) end
    if #discussion.members > 2 then
      chat:print(("  charter: %s"):format(changes.charter(discussion.charter)), 4)
    end
    for _, proposal in ipairs(proposals) do
      if proposal.state == "open" then
        chat:print("  proposed: " .. changes.line(proposal, chat:who_of(proposal)), 4)
      end
    end
  end,
}
