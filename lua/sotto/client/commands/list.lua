-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"
local names = require "sotto.client.names"

return {
  name = "list", args = "[all]", help = "your discussions; with 'all' those that have ended, too",
  complete = function() return { "all" } end,
  run = function(chat, text)
    if text ~= "" and text ~= "all" then error("/list takes 'all' or nothing", 0) end
    local shown, ended = 0, 0
    for _, discussion in ipairs(chat:call("discussions.list")) do
      if text == "all" or not names.has_ended(discussion) then
        chat:write((discussion.id == chat.current and "* " or "  ") .. format.discussion(discussion))
        shown = shown + 1
      else
        ended = ended + 1
      end
    end
    if shown == 0 then chat:print("There is none. /open NAME asks a peer for one.") end
    if ended > 0 then chat:print(("(%d ended: /list all)"):format(ended)) end
  end,
}
