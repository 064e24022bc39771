-- SPDX-License-Identifier: GPL-3.0-or-later
-- Events on the chat's screen: one function for each type of event that a person wants to see.
local format = require "sotto.client.format"
local names = require "sotto.client.names"

local M = {}

local shown = {}

function M.announce_request(chat, discussion)
  chat:print(("%s asks for a discussion. /accept takes it, /refuse does not."):format(names.discussion(discussion)))
end

shown["discussion.requested"] = function(chat, event) M.announce_request(chat, event.discussion) end

shown["discussion.opened"] = function(chat, event)
  local discussion = event.discussion
  chat:print(("The discussion with %s is open. Its words: %s"):format(names.discussion(discussion), discussion.words))
  if chat.opening[discussion.id] or not chat.current then chat:enter(discussion) end
  chat.opening[discussion.id] = nil
end

shown["discussion.refused"] = function(chat, event)
  chat.opening[event.discussion.id] = nil
  chat:print(("The discussion with %s was not opened: %s."):format(names.discussion(event.discussion),
    format.state(event.discussion)))
end

shown["discussion.closed"] = function(chat, event)
  local discussion = event.discussion
  chat:print(("The discussion with %s is %s."):format(names.discussion(discussion), format.state(discussion)))
  if chat.current == discussion.id then chat:enter(nil) end
end

shown["discussion.suspended"] = function(chat, event)
  chat:print(("%s cannot be reached at the moment; what you write waits."):format(names.discussion(event.discussion)))
end

shown["discussion.resumed"] = function(chat, event)
  chat:print(("%s is back."):format(names.discussion(event.discussion)))
end

shown["discussion.frozen"] = function(chat, event)
  chat:print(("The discussion with %s is frozen: a member has signed two different messages as one.")
    :format(names.discussion(event.discussion)))
end

shown["message.received"] = function(chat, event)
  local message = event.message
  local discussion = chat.known.discussions[message.discussion]
  if not discussion then return end
  if message.discussion == chat.current then
    chat:print(format.message(message, discussion, chat.own))
    chat.connection:request("messages.read", { discussion = discussion.id, message = message.id }, function() end)
  else
    discussion.unread = discussion.unread + 1
    chat:print(("[%s] %s"):format(names.discussion(discussion), format.message(message, discussion, chat.own)))
  end
end

shown["message.failed"] = function(chat, event)
  chat:print("! not delivered, and never will be: " .. names.safe(event.message.text))
end

shown["warning"] = function(chat, event) chat:print("! " .. names.safe(event.warning.text)) end

shown["events.lagged"] = function(chat, event)
  chat:print(("! %d events were missed; /history shows the messages"):format(event.dropped or 0))
end

local function remember_peer(chat, peer)
  local word = chat:peer_word(peer)
  for _, other in ipairs(chat.known.peers) do
    if other == word then return end
  end
  table.insert(chat.known.peers, word)
end

local function remember(chat, event)
  if event.discussion then
    chat.known.discussions[event.discussion.id] = event.discussion
    if chat.current == event.discussion.id then
      chat.known.current = event.discussion
      chat:show_prompt()
    end
  elseif event.peer then
    remember_peer(chat, event.peer)
  end
end

---@param chat sotto.chat
---@param event table
function M.take(chat, event)
  remember(chat, event)
  local show = shown[event.type]
  if show then show(chat, event) end
end

--- Asks for everything anew. From inside a coroutine.
function M.refresh(chat)
  for _, discussion in ipairs(chat:call("discussions.list")) do chat.known.discussions[discussion.id] = discussion end
  for _, peer in ipairs(chat:call("peers.list")) do remember_peer(chat, peer) end
end

return M
