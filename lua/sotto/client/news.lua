-- SPDX-License-Identifier: GPL-3.0-or-later
-- Events on the chat's screen: one function for each type of event that a person wants to see.
local format = require "sotto.client.format"
local names = require "sotto.client.names"
local terminal = require "sotto.terminal"

local M = {}

---@type table<string, fun(chat: sotto.chat, event: sotto.event)>
local shown = {}

-- --- discussions -------------------------------------------------------------------------------------------

--- Somebody asks.
---@param chat sotto.chat
---@param discussion sotto.discussion
function M.announce_request(chat, discussion)
  local how = discussion.mode == "pinned" and "without a password, being verified already" or "with a password"
  chat:print(("%s asks you for a discussion, %s: /accept or /refuse"):format(names.discussion(discussion), how))
end

shown["discussion.requested"] = function(chat, event) M.announce_request(chat, event.discussion) end

-- Nobody is taken away from a discussion in which something is half typed: it would go to somebody else.
local function may_enter(chat, discussion)
  if not chat.current then return true end
  return chat.opening[discussion.id] and not terminal.typed()
end

shown["discussion.opened"] = function(chat, event)
  local discussion = event.discussion
  local enters = may_enter(chat, discussion)
  chat.opening[discussion.id] = nil
  chat:print(("The discussion with %s is open. Its words, the same on both sides: %s"):format(
    names.discussion(discussion), discussion.words))
  if enters then
    chat:run(function() chat:enter(discussion) end)
  else
    chat:print(("(/go %s enters it.)"):format(names.discussion(discussion)))
  end
end

-- what a wrong password has cost
local function tell_guesses(chat, discussion)
  for _, member in ipairs(discussion.members) do
    local peer = not member.you and chat.connection:call("peers.show", { peer = member.fingerprint })
    if peer and peer.guesses then
      local left = peer.guesses == 0 and "No further try is left for now" or
        ("%d of 3 tries are left"):format(peer.guesses)
      chat:print(("(%s with %s; they come back with time, or with the right password.)"):format(left,
        names.person(peer)))
    end
  end
end

shown["discussion.refused"] = function(chat, event)
  local discussion = event.discussion
  chat.opening[discussion.id] = nil
  chat:print(("The discussion with %s was not opened: %s."):format(names.discussion(discussion),
    format.reason(discussion) or "refused"))
  if discussion.reason == "failed" then chat:run(function() tell_guesses(chat, discussion) end) end
end

shown["discussion.closed"] = function(chat, event)
  local discussion = event.discussion
  chat:print(("The discussion with %s is closed: %s. Its keys are destroyed; /go %s shows what was said."):format(
    names.discussion(discussion), format.reason(discussion) or "it has ended", discussion.id:sub(1, 8)))
  if chat.current == discussion.id then chat:enter(nil) end
end

shown["discussion.suspended"] = function(chat, event)
  chat:print(("%s cannot be reached at the moment; what you write waits."):format(names.discussion(event.discussion)))
end

shown["discussion.resumed"] = function(chat, event)
  chat:print(("%s is back."):format(names.discussion(event.discussion)))
end

shown["discussion.frozen"] = function(chat, event)
  chat:print(("The discussion with %s is frozen: %s."):format(names.discussion(event.discussion),
    format.reason(event.discussion) or "see the log"))
end

-- --- messages ----------------------------------------------------------------------------------------------

-- a message of a discussion, with its name where the person is elsewhere
local function show_message(chat, message)
  local discussion = chat.known.discussions[message.discussion]
  if not discussion then return end
  local text = format.message(message, names.sender(discussion, message.sender))
  if message.discussion ~= chat.current then text = ("[%s] %s"):format(names.discussion(discussion), text) end
  chat:write(text)
  return discussion
end

shown["message.received"] = function(chat, event)
  local message = event.message
  local discussion = show_message(chat, message)
  if not discussion then return end
  if message.discussion == chat.current then
    chat.connection:request("messages.read", { discussion = discussion.id, message = message.id }, function() end)
  else
    discussion.unread = discussion.unread + 1
  end
end

-- One that another front end of the same person has sent just now.
shown["message.sent"] = function(chat, event)
  local message = event.message
  if chat.mine[message.id] or message.time < chat.started then return end
  chat.mine[message.id] = true
  show_message(chat, message)
end

shown["message.delivered"] = function(chat, event) chat.mine[event.message.id] = nil end

shown["message.failed"] = function(chat, event)
  chat.mine[event.message.id] = nil
  chat:print("! This message was not delivered, and never will be:")
  show_message(chat, event.message)
end

-- --- the rest ----------------------------------------------------------------------------------------------

shown["warning"] = function(chat, event) chat:print("! " .. names.safe(event.warning.text)) end

shown["passphrase.needed"] = function(chat)
  chat:print("! Your key is locked, and something waits for it: /unlock asks for its passphrase.")
end

shown["events.lagged"] = function(chat, event)
  chat:print(("! %d events were missed; /list and /history show how things stand."):format(event.dropped or 0))
  chat:run(function() M.refresh(chat) end)
end

local function remember(chat, event)
  if event.discussion then
    chat.known.discussions[event.discussion.id] = event.discussion
    if chat.current == event.discussion.id then
      chat.known.current = event.discussion
      chat:show_prompt()
    end
  elseif event.peer then
    chat.known.peers[event.peer.fingerprint] = event.peer
  end
end

---@param chat sotto.chat
---@param event sotto.event
function M.take(chat, event)
  remember(chat, event)
  local show = shown[event.type]
  if show then show(chat, event) end
end

--- Asks for everything anew. From inside a coroutine.
---@param chat sotto.chat
function M.refresh(chat)
  local known = chat.known
  known.discussions, known.peers = {}, {}
  for _, discussion in ipairs(chat:call("discussions.list")) do known.discussions[discussion.id] = discussion end
  for _, peer in ipairs(chat:call("peers.list")) do known.peers[peer.fingerprint] = peer end
end

return M
