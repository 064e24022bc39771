-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"
local names = require "sotto.client.names"

local function describe(chat, member)
  if member.you then return "you" end
  local marks = { member.present and "there" or "away", member.verified and "verified" or "not verified by you" }
  return ("%s, %s"):format(chat:person_name(member), table.concat(marks, ", "))
end

return {
  name = "who", help = "who is in this discussion, who can be reached, and if not, why",
  run = function(chat)
    local discussion = chat:current_discussion()
    for _, member in ipairs(discussion.members) do
      chat:print(("  %s  %s"):format(names.grouped(member.fingerprint):sub(1, 19), describe(chat, member)), 23)
    end
    local why = format.why(discussion)
    chat:print(("  state: %s%s"):format(format.state(discussion), why ~= "" and "; " .. why or ""), 4)
  end,
}
