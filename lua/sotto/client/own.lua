-- SPDX-License-Identifier: GPL-3.0-or-later
-- The person's own messages on the screen, and how far each has come. A mark changes where it stands, as long as
-- that line is still there to be changed; what took long and has scrolled away is told in a sentence, once for many.
local format = require "sotto.client.format"
local loop = require "sotto.loop"
local names = require "sotto.client.names"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"

-- until a message that the core has not taken yet is shown all the same
local SLOW_MS = 300

-- what is delivered within this is told together
local TOGETHER_MS = 500

---@class sotto.chat.own
---@field mine table<string, sotto.message> own messages whose mark may still change, by id
---@field waiting table<string, boolean> discussions of which it was said that messages wait
---@field late table<string, sotto.message[]> by discussion: delivered late, and to be told once for all
local own = {}

local FINAL = { confirmed = true, failed = true, void = true }

-- --- on the screen -----------------------------------------------------------------------------------------

--- Shows an own message, so that its mark can change.
---@param message sotto.message
---@param discussion sotto.discussion
function own:show_own(message, discussion)
  self.mine[message.id] = message
  self:write(self:message_line(message, discussion), message.id)
end

local function say_late(chat, discussion, messages)
  table.sort(messages, function(a, b) return a.time < b.time end)
  local what = #messages == 1 and ("your message from %s"):format(names.time(messages[1].time)) or
    ("%d messages, the first from %s"):format(#messages, names.time(messages[1].time))
  chat:print(("(Delivered to %s now: %s ✓✓)"):format(chat:discussion_name(discussion), what))
end

local function tell_late(chat)
  local late = chat.late
  chat.late = {}
  for id, messages in pairs(late) do
    local discussion = chat.known.discussions[id]
    if discussion and not chat.over then say_late(chat, discussion, messages) end
  end
end

-- a mark that changed out of sight
local function note_late(chat, message)
  local late = message.explained or sys.now_ms() - message.time >= chat.settings.patience * 1000
  if message.state ~= "delivered" or not late then return end
  if not next(chat.late) then loop.after(TOGETHER_MS, function() tell_late(chat) end):background() end
  chat.late[message.discussion] = chat.late[message.discussion] or {}
  table.insert(chat.late[message.discussion], message)
end

-- Once nothing waits any more, what waits then is worth a word again.
local function stop_waiting(chat, id)
  for _, message in pairs(chat.mine) do
    if message.discussion == id and message.state == "queued" then return end
  end
  chat.waiting[id] = nil
end

--- An own message has come further.
---@param message sotto.message
---@return boolean known it is one that was shown
function own:mark_own(message)
  local before = self.mine[message.id]
  if not before then return false end
  message.explained = before.explained or self.waiting[message.discussion]
  self.mine[message.id] = not FINAL[message.state] and message or nil
  stop_waiting(self, message.discussion)
  local discussion = self.known.discussions[message.discussion]
  if discussion and before.state ~= message.state and
    not self:rewrite(message.id, self:message_line(message, discussion)) then
    note_late(self, message)
  end
  return true
end

-- --- sending -----------------------------------------------------------------------------------------------

-- why it is not delivered yet, once until something is
local function explain_waiting(chat, id)
  local message = chat.mine[id]
  if not message or message.state ~= "queued" or chat.waiting[message.discussion] then return end
  local discussion = chat.connection:call("discussions.show", { discussion = message.discussion })
  if not discussion or not chat.mine[id] or chat.mine[id].state ~= "queued" then return end
  chat.waiting[message.discussion] = true
  local who, why = chat:discussion_name(discussion), format.why(discussion)
  if discussion.state == "suspended" then
    local since = discussion.suspended and " since " .. names.time(discussion.suspended) or ""
    chat:print(("(Not delivered yet: %s cannot be reached%s%s. It waits on your disk, and goes out by itself.)"):format(
      who, since, why ~= "" and ", " .. why or ""))
  elseif discussion.state == "open" then
    chat:print(("(Not delivered yet: %s is there, but has not taken it so far.)"):format(who))
  end
end

local function watch(chat, message)
  if message.state ~= "queued" then return end
  local discussion = chat.known.discussions[message.discussion]
  -- what is known already is said at once
  local wait = discussion and discussion.state == "suspended" and 0 or chat.settings.patience * 1000
  loop.after(wait, function()
    if not chat.over then chat:run(function() explain_waiting(chat, message.id) end) end
  end):background()
end

local function provisional(chat, text, discussion, state)
  local message = { text = text, time = sys.now_ms(), state = state, discussion = discussion.id, sender = chat.own }
  return chat:message_line(message, discussion)
end

-- Shows it as soon as the core has it; or, where that takes long, before.
local function show_when_taken(chat, text, discussion, call)
  local token, shown = "sending " .. sys.random_hex(8), false
  local early = loop.after(SLOW_MS, function()
    shown = true
    chat:write(provisional(chat, text, discussion, "sending"), token)
  end)
  local ok, message = pcall(call)
  early:stop()
  if not ok then
    if shown then chat:rewrite(token, provisional(chat, text, discussion, "failed")) end
    error(message, 0)
  end
  if not shown then
    chat:show_own(message, discussion)
  else
    chat.mine[message.id] = message
    chat.tail:rename(token, message.id)
    chat:rewrite(message.id, chat:message_line(message, discussion))
  end
  return message
end

local TEXT_MAX = 65536

--- Sends a text to the discussion that the person is in. From inside a coroutine; a text that is not sent comes back
--- into the line.
---@param text string
---@return sotto.message
function own:send(text)
  if #text > TEXT_MAX then
    error(("not sent: a message has at most 65,536 bytes, and this one %d"):format(#text), 0)
  end
  if not utf8.len(text) then error("not sent: this is no UTF-8 text", 0) end
  local discussion = self.known.current or error("not sent: you are in no discussion", 0)
  local message = show_when_taken(self, text, discussion, function()
    return self:call("messages.send", { discussion = discussion.id, text = text })
  end)
  watch(self, message)
  return message
end

--- As send, for a line that was typed.
---@param text string
function own:say(text)
  local ok, message = pcall(self.send, self, text)
  if ok then return end
  if not terminal.typed() then terminal.set_line(text) end
  error(message, 0)
end

return own
