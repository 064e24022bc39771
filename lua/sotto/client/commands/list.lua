-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"

return {
  name = "list", args = "[all]", help = "your discussions; with 'all' those that have ended too",
  run = function(chat, text)
    local shown = 0
    for _, discussion in ipairs(chat:call("discussions.list")) do
      local ended = discussion.state == "closed" or discussion.state == "refused"
      if not ended or text == "all" then
        chat:print((discussion.id == chat.current and "* " or "  ") .. format.discussion(discussion))
        shown = shown + 1
      end
    end
    if shown == 0 then chat:print("There is none. /open PEER asks for one.") end
  end,
}
