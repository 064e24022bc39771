-- SPDX-License-Identifier: GPL-3.0-or-later
local names = require "sotto.client.names"

return {
  name = "refuse", args = "[DISCUSSION]", help = "refuses a request",
  complete = function(chat) return chat:discussion_words("requested") end,
  run = function(chat, text)
    local discussion = chat:choose(text, "requested")
    chat:call("discussions.refuse", { discussion = discussion.id })
    chat:print("Refused " .. names.discussion(discussion) .. ".")
  end,
}
