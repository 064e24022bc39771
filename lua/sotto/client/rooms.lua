-- SPDX-License-Identifier: GPL-3.0-or-later
-- The chat's discussions: which one a person means, going into one, what was said there meanwhile; and what to type for
-- peers and discussions.
local format = require "sotto.client.format"
local names = require "sotto.client.names"

-- messages that are shown on entering: new ones, and a few before them
local NEW_MAX, CONTEXT = 50, 5

--- What events have told so far.
---@class sotto.chat.known
---@field peers table<string, sotto.peer> by fingerprint
---@field discussions table<string, sotto.discussion> by id
---@field current sotto.discussion|nil

---@class sotto.chat.rooms
---@field current string|nil id of the discussion that plain text goes to
---@field known sotto.chat.known
---@field opening table<string, boolean> discussions to enter once they are open
---@field mine table<string, boolean> messages that were sent here and are not delivered yet
local rooms = {}

-- --- which discussion --------------------------------------------------------------------------------------

function rooms:current_discussion()
  if not self.current then error("you are in no discussion: /list shows yours, /go NAME enters one", 0) end
  return self:call("discussions.show", { discussion = self.current })
end

--- The discussion that the text means. By a member's name those that have not ended come first.
---@param text string
---@return sotto.discussion
function rooms:find_discussion(text)
  local found = {}
  for _, discussion in ipairs(self:call("discussions.list")) do
    if not names.has_ended(discussion) and names.discussion(discussion):lower() == text:lower() then
      found[#found + 1] = discussion
    end
  end
  return #found == 1 and found[1] or self:call("discussions.show", { discussion = text })
end

--- The one that the text means, or, without a text, the only one that asks.
---@param text string
---@return sotto.discussion
function rooms:find_request(text)
  local asking, named = {}, {}
  for _, discussion in ipairs(self:call("discussions.list")) do
    if discussion.state == "requested" then
      asking[#asking + 1] = discussion
      if names.discussion(discussion):lower() == text:lower() then named[#named + 1] = discussion end
    end
  end
  if text ~= "" then return #named == 1 and named[1] or self:call("discussions.show", { discussion = text }) end
  if #asking == 0 then error("nobody asks you for a discussion", 0) end
  if #asking > 1 then error("several ask you: /list shows them, and a name or the first digits say which", 0) end
  return asking[1]
end

-- --- going there -------------------------------------------------------------------------------------------

function rooms:show_recent(discussion)
  local count = math.min(NEW_MAX, discussion.unread) + CONTEXT
  for _, message in ipairs(self:call("messages.list", { discussion = discussion.id, limit = count })) do
    self:write(format.message(message, names.sender(discussion, message.sender)))
  end
  local more = discussion.unread - count
  if more > 0 then self:print(("(%d more new ones: /history %d)"):format(more, discussion.unread)) end
end

--- From now on plain text goes there; nil: nowhere. From inside a coroutine.
---@param discussion sotto.discussion|nil
function rooms:enter(discussion)
  if discussion then
    self:print("— " .. names.discussion(discussion) .. " —")
    self:show_recent(discussion)
    if discussion.unread > 0 then self:call("messages.read", { discussion = discussion.id }) end
    discussion.unread = 0
    self.known.discussions[discussion.id] = discussion
  end
  self.current = discussion and discussion.id
  self.known.current = discussion
  self:show_prompt()
end

-- --- what to type ------------------------------------------------------------------------------------------

--- What to type for a peer: the name where it is usable and nobody else's, else digits of the fingerprint.
---@param peer sotto.peer
---@return string
function rooms:peer_word(peer)
  local digits = peer.fingerprint:sub(1, 16)
  if not peer.name:find("%S") or names.safe(peer.name) ~= peer.name then return digits end
  for fingerprint, other in pairs(self.known.peers) do
    if fingerprint ~= peer.fingerprint and other.name:lower() == peer.name:lower() then return digits end
  end
  return peer.name
end

---@return string[]
function rooms:peer_words()
  local words = {}
  for _, peer in pairs(self.known.peers) do words[#words + 1] = self:peer_word(peer) end
  return words
end

--- What to type for discussions, of one state or of all: names, and digits where several have one.
---@param state string|nil nil: those that have not ended
---@return string[]
function rooms:discussion_words(state)
  local counts, words = {}, {}
  local function each(f)
    for _, discussion in pairs(self.known.discussions) do
      if state and discussion.state == state or not state and not names.has_ended(discussion) then
        f(discussion, names.discussion(discussion))
      end
    end
  end
  each(function(_, name) counts[name] = (counts[name] or 0) + 1 end)
  each(function(discussion, name) words[#words + 1] = counts[name] == 1 and name or discussion.id:sub(1, 8) end)
  return words
end

return rooms
