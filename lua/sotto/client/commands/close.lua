-- SPDX-License-Identifier: GPL-3.0-or-later
local names = require "sotto.client.names"

return {
  name = "close", args = "[DISCUSSION]", help = "ends a discussion for both, and destroys its keys",
  complete = function(chat) return chat:discussion_words() end,
  run = function(chat, text)
    local discussion = text ~= "" and chat:call("discussions.show", { discussion = text }) or chat:current_discussion()
    chat:call("discussions.close", { discussion = discussion.id })
    chat:print(("Closed: %s. Its keys are destroyed; /list all still shows it."):format(names.discussion(discussion)))
  end,
}
