-- SPDX-License-Identifier: GPL-3.0-or-later
local names = require "sotto.client.names"

return {
  name = "accept", args = "[DISCUSSION]", help = "accepts a request, with the password both agreed on",
  complete = function(chat) return chat:discussion_words("requested") end,
  run = function(chat, text)
    local discussion = chat:choose(text, "requested")
    local password
    if discussion.mode ~= "pinned" then
      password = chat:ask_secret(("Password agreed with %s: "):format(names.discussion(discussion)))
      if not password or password:is_empty() then error("not accepted: the request goes on waiting", 0) end
    end
    chat:call("discussions.accept", { discussion = discussion.id, password = password })
    chat.opening[discussion.id] = true
    chat:print "Opening …"
  end,
}
