-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether the others of a discussion can be reached, as the chat says it: a change at once; what follows closely, only
-- once it has lasted. So a link that comes and goes says one thing. Part of the chat.
local loop = require "sotto.loop"
local sys = require "sotto.sys"

-- after a change is said, further ones have so long to settle
local SETTLE_MS = 2000

---@class sotto.chat.reach
local reach = {}

local function text_of(chat, discussion)
  local name = chat:discussion_name(discussion)
  if discussion.state == "suspended" then return name .. " cannot be reached at the moment; what you write waits." end
  if #discussion.members > 2 then return ("Somebody of %s is there again."):format(name) end
  return name .. " is back."
end

local function say(chat, discussion)
  chat.told_reach[discussion.id] = { state = discussion.state, at = sys.monotonic_ms() }
  chat:print(text_of(chat, discussion))
end

-- what it has come to: nothing to say where it has ended, or is again as it was said
local function look_again(chat, id)
  local told, discussion = chat.told_reach[id], chat.known.discussions[id]
  told.looks = nil
  if chat.over or not discussion or discussion.state == told.state then return end
  if discussion.state == "open" or discussion.state == "suspended" then say(chat, discussion) end
end

--- A discussion was suspended, or is open again.
---@param discussion sotto.discussion
function reach:tell_reach(discussion)
  local id = discussion.id
  local told = self.told_reach[id]
  if told and told.looks then return end
  local left = told and told.at + SETTLE_MS - sys.monotonic_ms() or 0
  if left <= 0 then return say(self, discussion) end
  told.looks = true
  loop.after(left, function() look_again(self, id) end):background()
end

return reach
