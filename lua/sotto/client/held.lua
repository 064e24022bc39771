-- SPDX-License-Identifier: GPL-3.0-or-later
-- Own messages that wait because the members have changed: who would get them now, said once for many. Part of the
-- chat.
local changes = require "sotto.client.changes"
local loop = require "sotto.loop"

-- what is held within this is told together
local TOGETHER_MS = 700

---@class sotto.chat.held
local held = {}

--- The discussion's others by name: who gets what is sent there now.
---@param discussion sotto.discussion
---@return string
function held:audience(discussion)
  local list = {}
  for _, member in ipairs(discussion.members) do
    if not member.you then list[#list + 1] = self:person_name(member) end
  end
  return changes.joined(list)
end

local function count_held(messages)
  local count = 0
  for _, message in ipairs(messages) do
    if message.state == "held" then count = count + 1 end
  end
  return count
end

-- From inside a coroutine.
local function explain(chat, id)
  local discussion = chat:call("discussions.show", { discussion = id })
  local count = count_held(chat:call("messages.list", { discussion = id, limit = 1000 }))
  if count == 0 then return end
  local what = count == 1 and "One message of yours waits" or ("%d messages of yours wait"):format(count)
  local place = id ~= chat.current and ("[%s] "):format(chat:discussion_name(discussion)) or ""
  chat:print(("%s%s, for the members have changed. /release sends %s to %s, /discard drops %s."):format(place, what,
    count == 1 and "it" or "them", chat:audience(discussion), count == 1 and "it" or "them"), nil, "heading")
end

--- Says a little later what is held there.
---@param id string of a discussion
function held:tell_held(id)
  if self.telling_held[id] then return end
  self.telling_held[id] = true
  loop.after(TOGETHER_MS, function()
    self.telling_held[id] = nil
    if not self.over then self:run(function() explain(self, id) end) end
  end):background()
end

return held
