-- SPDX-License-Identifier: GPL-3.0-or-later
local changes = require "sotto.client.changes"

return {
  name = "charter", args = "[all|NUMBER]", help = "who must consent to newcomers here; or proposes another rule",
  more = "all: every member. A number: so many, the one who proposes among them.\n" ..
    "All members must consent to another charter. To remove somebody always takes all others.",
  complete = function() return { "all" } end,
  run = function(chat, text)
    local discussion = chat:current_discussion()
    if text == "" then
      return chat:print(("The charter is '%s': %s."):format(chat.safe(discussion.charter),
        changes.charter(discussion.charter)))
    end
    if text ~= "all" and not text:find "^[1-9]%d?$" then error("a charter is 'all', or a number of members", 0) end
    local proposal = chat:call("proposals.create", { discussion = discussion.id, op = "charter", charter = text })
    chat:print(("Proposed: %s. %s"):format(changes.charter(text),
      changes.standing(proposal, chat:who_of(proposal))))
  end,
}
