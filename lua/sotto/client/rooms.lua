-- SPDX-License-Identifier: GPL-3.0-or-later
-- The chat's discussions: which one a person means, going into one, what was said there meanwhile; and what to type for
-- peers and discussions.
local format = require "sotto.client.format"
local loop = require "sotto.loop"
local names = require "sotto.client.names"
local terminal = require "sotto.terminal"
local theme = require "sotto.client.theme"

-- new messages that are shown on entering, at most; a line between what is known and what is new
local NEW_MAX, SEPARATOR = 50, "── %d new ──"

-- every mark of what was read is a write to the core's disk
local READ_MS = 200

--- What events have told so far.
---@class sotto.chat.known
---@field peers table<string, sotto.peer> by fingerprint
---@field discussions table<string, sotto.discussion> by id
---@field current sotto.discussion|nil
---@field proposals sotto.proposal[] open ones, the oldest first
---@field gone table<string, string> names of members of before, by fingerprint

---@class sotto.chat.rooms
---@field current string|nil id of the discussion that plain text goes to
---@field known sotto.chat.known
---@field opening table<string, boolean> discussions to enter once they are open
---@field drafts table<string, {text: string, at: integer}> what was half typed where, by id
local rooms = {}

-- --- names ---------------------------------------------------------------------------------------------------

--- A person's name, with digits where somebody else has it, too.
---@param person {name: string|nil, fingerprint: string}
---@return string
function rooms:person_name(person) return names.person(person, self.known.peers) end

---@param discussion sotto.discussion
---@return string
function rooms:discussion_name(discussion) return names.discussion(discussion, self.known.peers) end

--- The line of a message, as it stands on the screen.
---@param message sotto.message
---@param discussion sotto.discussion
---@return string
function rooms:message_line(message, discussion)
  local view = format.view(message, names.sender(discussion, message.sender, self.known.peers))
  view.paint = self.paint
  if message.state == "void" and message.sender ~= self.own then view.own, view.who_style = false, "" end
  if not view.own then view.who_style = theme.person(self.theme, message.sender) end
  if message.discussion ~= self.current then view.place = self:discussion_name(discussion) end
  return self:formatted("message", view)
end

-- --- which discussion --------------------------------------------------------------------------------------

function rooms:current_discussion()
  if not self.current then error("you are in no discussion: /list shows yours, /go NAME enters one", 0) end
  return self:call("discussions.show", { discussion = self.current })
end

--- Those that go on, the oldest first: their places are the numbers of /list and of Alt-1 to Alt-9.
---@return sotto.discussion[]
function rooms:live_discussions()
  local list = {}
  for _, discussion in pairs(self.known.discussions) do
    if not names.has_ended(discussion) then list[#list + 1] = discussion end
  end
  table.sort(list, function(a, b)
    if a.created ~= b.created then return a.created < b.created end
    return a.id < b.id
  end)
  return list
end

--- Messages that are new in other discussions than the current one.
---@return integer
function rooms:unread_elsewhere()
  local count = 0
  for id, discussion in pairs(self.known.discussions) do
    if id ~= self.current then count = count + (discussion.unread or 0) end
  end
  return count
end

--- The next discussion with something new, from the current one on.
---@return sotto.discussion|nil
function rooms:next_unread()
  local list, at = self:live_discussions(), 0
  for i, discussion in ipairs(list) do
    if discussion.id == self.current then at = i end
  end
  for i = 1, #list do
    local discussion = list[(at + i - 1) % #list + 1]
    if discussion.id ~= self.current and discussion.unread > 0 then return discussion end
  end
end

local function same(a, b) return names.fold(a) == names.fold(b) end

-- those of the list that the name means: of the members, or of who invites
local function named(chat, list, text)
  local found = {}
  for _, discussion in ipairs(list) do
    local sponsor = discussion.sponsor and discussion.state == "requested" and chat:who(discussion)(discussion.sponsor)
    if same(names.discussion(discussion), text) or same(chat:discussion_name(discussion), text) or
      (sponsor and same(sponsor, text)) then
      found[#found + 1] = discussion
    end
  end
  return found
end

--- The discussion that the text means: a member's name (those that have not ended come first), the number that /list
--- gives, or digits of the id.
---@param text string
---@return sotto.discussion
function rooms:find_discussion(text)
  local live = {}
  for _, discussion in ipairs(self:call("discussions.list")) do
    if not names.has_ended(discussion) then live[#live + 1] = discussion end
  end
  local found = named(self, live, text)
  if #found == 1 then return found[1] end
  local numbered = #found == 0 and text:match("^%d%d?$") and self:live_discussions()[tonumber(text)]
  return numbered or self:call("discussions.show", { discussion = text })
end

-- those that ask this person
local function asking_of(chat)
  local asking = {}
  for _, discussion in ipairs(chat:call("discussions.list")) do
    if discussion.state == "requested" then asking[#asking + 1] = discussion end
  end
  return asking
end

--- The one that the text means, or, without a text, the only one that asks.
---@param text string
---@return sotto.discussion
function rooms:find_request(text)
  local asking = asking_of(self)
  if text ~= "" then
    local found = named(self, asking, text)
    return #found == 1 and found[1] or self:call("discussions.show", { discussion = text })
  end
  if #asking == 0 then error("nobody asks you for a discussion", 0) end
  if #asking > 1 then error("several ask you: /list shows them, and a name or the first digits say which", 0) end
  return asking[1]
end

--- The one that asks whose name, or digits, the text begins with, and what follows; nil: none, or several.
---@param text string
---@return sotto.discussion|nil, string|nil rest
function rooms:split_request(text)
  local asking, at = asking_of(self), #text + 1
  while at do
    local name, found = text:sub(1, at - 1), {}
    for _, discussion in ipairs(asking) do
      if #name >= 8 and discussion.id:sub(1, #name) == name:lower() then found[#found + 1] = discussion end
    end
    if #found == 0 then found = named(self, asking, name) end
    if #found > 0 then return #found == 1 and found[1] or nil, text:sub(at):match("^%s*(.*)$") end
    at = name:match("()%s+%S*$")
  end
end

-- --- reading -------------------------------------------------------------------------------------------------

--- Shows messages in order; marks of own ones go on changing.
---@param discussion sotto.discussion
---@param messages sotto.message[]
---@param new? integer how many of the received ones, at the end, are new
function rooms:show_messages(discussion, messages, new)
  local first = #messages + 1
  for i = #messages, 1, -1 do
    if (new or 0) == 0 then break end
    if messages[i].state == "received" then first, new = i, new - 1 end
  end
  local count = 0
  for i = first, #messages do
    if messages[i].state == "received" then count = count + 1 end
  end
  for i, message in ipairs(messages) do
    if i == first and count > 0 then self:write(self.paint("new", SEPARATOR:format(count))) end
    if message.state == "received" then
      self:write(self:message_line(message, discussion), message.id)
    else
      self:show_own(message, discussion)
    end
  end
end

-- the last messages, and how many received ones of them are new
local function recent(chat, discussion, context)
  local new = math.min(NEW_MAX, discussion.unread)
  local count = math.max(1, new + context)
  if discussion.unread > NEW_MAX then
    chat:print(("(Of %d new ones the last %d; /history %d shows all.)"):format(discussion.unread, NEW_MAX,
      math.min(discussion.unread, 1000)))
  end
  return chat:call("messages.list", { discussion = discussion.id, limit = count }), new
end

--- The message, and all before it, were on the screen. What comes together is told once.
---@param message sotto.message
function rooms:mark_read(message)
  if self.read and self.read.discussion ~= message.discussion then self:tell_read() end
  if not self.read then loop.after(READ_MS, function() self:tell_read() end):background() end
  self.read = message
end

--- Tells the core what was read so far.
function rooms:tell_read()
  local last = self.read
  self.read = nil
  if last then
    self.connection:request("messages.read", { discussion = last.discussion, message = last.id }, function() end)
  end
end

-- --- going there -------------------------------------------------------------------------------------------

-- What arrives while the past is asked for comes after it, once.
local function show_past(chat, discussion, context)
  local shown = {}
  chat.arriving, chat.shown = {}, shown
  local ok, problem = pcall(function()
    local messages, new = recent(chat, discussion, context)
    for _, message in ipairs(messages) do shown[message.id] = true end
    chat:show_messages(discussion, messages, new)
  end)
  local arrived = chat.arriving
  chat.arriving = nil
  if not ok then error(problem, 0) end
  for _, message in ipairs(arrived) do
    if not shown[message.id] then chat:show_messages(discussion, { message }) end
  end
end

-- Where nothing can be shown, because the key is locked, say, nobody is, and the prompt says so.
local function show_past_or_leave(chat, discussion)
  local ok, problem = pcall(show_past, chat, discussion, chat.settings.context)
  if ok then return end
  chat.current, chat.known.current = nil, nil
  chat:show_prompt()
  error(problem, 0)
end

--- From now on plain text goes there; nil: nowhere. From inside a coroutine.
---@param discussion sotto.discussion|nil
function rooms:enter(discussion)
  if discussion and discussion.id == self.current then return self:print("(You are there already.)") end
  self.current = discussion and discussion.id
  self.known.current = discussion
  if discussion then
    self.known.discussions[discussion.id] = discussion
    self:write(self.paint("heading", "— " .. self:discussion_name(discussion) .. " —"))
    show_past_or_leave(self, discussion)
    if discussion.unread > 0 then self:call("messages.read", { discussion = discussion.id }) end
    discussion.unread = 0
    self:recall_messages(discussion)
    local draft = self.drafts[discussion.id]
    self.drafts[discussion.id] = nil
    for _, message in pairs(self.mine) do
      if message.discussion == discussion.id and message.state == "held" then self:tell_held(discussion.id) end
    end
    if draft and not terminal.typed() then terminal.set_line(draft.text, draft.at) end
  end
  self:keep_place()
  self:show_prompt()
  self:tell("entered", discussion)
end

--- Shows what was missed here. From inside a coroutine.
function rooms:catch_up()
  local discussion = self.current and self:call("discussions.show", { discussion = self.current })
  if not discussion or discussion.unread == 0 then return end
  show_past(self, discussion, 0)
  self:call("messages.read", { discussion = discussion.id })
end

--- As enter, by a key: what is half typed stays where it was typed, and is there when the person comes back.
---@param discussion sotto.discussion|nil
function rooms:switch(discussion)
  if discussion and discussion.id == self.current then return end
  local text, at = terminal.line()
  if self.current and text ~= "" then
    self.drafts[self.current] = { text = text, at = at }
    terminal.set_line ""
  end
  local _ <close> = self:hold_input()
  self:enter(discussion)
end

local function can_write(discussion) return discussion.state == "open" or discussion.state == "suspended" end

--- Into the discussion that the person was in last, or the only one. From inside a coroutine.
---@param live sotto.discussion[]
---@return boolean done
function rooms:come_back(live)
  local last = self.last and self.known.discussions[self.last]
  if not last or not can_write(last) then last = #live == 1 and can_write(live[1]) and live[1] or nil end
  if not last then return false end
  self:enter(last)
  local names_of = {}
  for _, discussion in ipairs(self:live_discussions()) do
    if discussion.unread > 0 then names_of[#names_of + 1] = self:discussion_name(discussion) end
  end
  if #names_of > 0 then
    self:print(("(New elsewhere: %s. Alt-a or /next goes there.)"):format(table.concat(names_of, "; ")))
  end
  return true
end

-- --- what to type ------------------------------------------------------------------------------------------

--- What to type for a peer: the name where it is usable and nobody else's, else digits of the fingerprint.
---@param peer sotto.peer
---@return string
function rooms:peer_word(peer)
  local alone = { name = peer.name, fingerprint = peer.fingerprint } -- the core asks for names that are nobody else's
  return self:person_name(alone) == peer.name and peer.name or peer.fingerprint:sub(1, 16)
end

---@return string[]
function rooms:peer_words()
  local words = {}
  for _, peer in pairs(self.known.peers) do words[#words + 1] = self:peer_word(peer) end
  return words
end

--- What to type for discussions, of one state or of all: names, and digits where several have one.
---@param state string|nil nil: those that have not ended; "ended"
---@return string[]
function rooms:discussion_words(state)
  local counts, words = {}, {}
  local function each(f)
    for _, discussion in pairs(self.known.discussions) do
      local ended = names.has_ended(discussion)
      if discussion.state == state or (state == "ended" and ended) or (not state and not ended) then
        f(discussion, self:discussion_name(discussion))
      end
    end
  end
  each(function(_, name) counts[name] = (counts[name] or 0) + 1 end)
  each(function(discussion, name) words[#words + 1] = counts[name] == 1 and name or discussion.id:sub(1, 8) end)
  return words
end

return rooms
