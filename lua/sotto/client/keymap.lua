-- SPDX-License-Identifier: GPL-3.0-or-later
-- The chat's own keys, beside those of every line editor. As a chat.lua would bind them: name, what it does, and in
-- words.
local terminal = require "sotto.terminal"

---@class sotto.chat.key
---@field name string as keys.lua has it
---@field help string
---@field run fun(chat: sotto.chat) in a coroutine; an error() is shown

local M = {
  { name = "Alt-a", help = "goes to the next discussion with something new", run = function(chat)
    local discussion = chat:next_unread()
    if not discussion then return chat:print("(Nothing is new elsewhere.)") end
    chat:switch(discussion)
  end },
  { name = "Alt-0", help = "goes out of this discussion", run = function(chat) chat:switch(nil) end },
  { name = "Alt-Enter", help = "begins a new line in the message", run = function() terminal.insert "\n" end },
}

for number = 1, 9 do
  M[#M + 1] = {
    name = "Alt-" .. number, help = "goes to the discussion of that number in /list",
    run = function(chat)
      local discussion = chat:live_discussions()[number]
      if not discussion then error(("there is no discussion %d: /list shows yours"):format(number), 0) end
      chat:switch(discussion)
    end,
  }
end

return M
