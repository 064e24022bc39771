-- SPDX-License-Identifier: GPL-3.0-or-later
-- Events on the chat's screen: one function for each type of event that a person wants to see.
local api = require "sotto.core.api"
local format = require "sotto.client.format"
local member_news = require "sotto.client.member_news"
local names = require "sotto.client.names"
local script_commands = require "sotto.client.script_commands"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"

local M = {}

--- How each type of event is shown. A chat.lua may put others in their place, or none (false), as chat.news.
---@type table<string, fun(chat: sotto.chat, event: sotto.event)>
M.shown = {}
local shown = M.shown
for type, show in pairs(member_news.shown) do shown[type] = show end

-- --- discussions -------------------------------------------------------------------------------------------

--- Somebody asks.
---@param chat sotto.chat
---@param discussion sotto.discussion
function M.announce_request(chat, discussion)
  if discussion.sponsor then return member_news.announce_invitation(chat, discussion) end
  local name = chat:discussion_name(discussion)
  local how = discussion.mode == "pinned" and "without a password, being verified already" or "with a password"
  chat:print(("%s asks you for a discussion, %s: /accept or /refuse"):format(name, how), nil, "heading")
end

shown["discussion.requested"] = function(chat, event) M.announce_request(chat, event.discussion) end

-- Nobody is taken to a discussion who has something half typed: it would go to somebody else.
local function may_enter(chat, discussion)
  if terminal.typed() or chat.pending then return false end
  return not chat.current or chat.opening[discussion.id]
end

shown["discussion.opened"] = function(chat, event)
  local discussion = event.discussion
  local enters, name = may_enter(chat, discussion), chat:discussion_name(discussion)
  chat.opening[discussion.id] = nil
  chat:print(("The discussion with %s is open. Its words, the same on %s sides: %s"):format(name,
    #discussion.members > 2 and "all" or "both", discussion.words))
  if enters then
    chat:run(function() chat:enter(discussion) end)
  else
    chat:print(("(/go %s enters it.)"):format(name))
  end
end

-- what a wrong password has cost
local function tell_guesses(chat, discussion)
  for _, member in ipairs(discussion.members) do
    local peer = not member.you and chat.connection:call("peers.show", { peer = member.fingerprint })
    if peer and peer.next_guess then
      chat:print(("(%s)"):format(format.no_guess(peer, chat:person_name(peer))))
    elseif peer and peer.guesses then
      chat:print(("(%s left with %s; the others come back with the right password.)"):format(
        peer.guesses == 1 and "One more try is" or peer.guesses .. " more tries are", chat:person_name(peer)))
    end
  end
end

shown["discussion.refused"] = function(chat, event)
  local discussion = event.discussion
  chat.opening[discussion.id] = nil
  chat:print(("The discussion with %s was not opened: %s."):format(chat:discussion_name(discussion),
    format.reason(discussion) or "refused"))
  if discussion.reason == "failed" then chat:run(function() tell_guesses(chat, discussion) end) end
end

shown["discussion.closed"] = function(chat, event)
  local discussion = event.discussion
  chat:print(("The discussion with %s is closed: %s. Its keys are destroyed; /go %s shows what was said."):format(
    chat:discussion_name(discussion), format.reason(discussion) or "it has ended", discussion.id:sub(1, 8)))
  if chat.current == discussion.id then chat:run(function() chat:enter(nil) end) end
end

shown["discussion.suspended"] = function(chat, event) chat:tell_reach(event.discussion) end
shown["discussion.resumed"] = shown["discussion.suspended"]

shown["discussion.frozen"] = function(chat, event)
  chat:print(("! The discussion with %s is frozen: %s."):format(chat:discussion_name(event.discussion),
    format.reason(event.discussion) or "see the log"))
end

-- --- messages ----------------------------------------------------------------------------------------------

-- One that has come while the person looks at another discussion: the first new one of each is enough to know.
local function is_wanted_elsewhere(chat, discussion)
  local wanted = chat.settings.elsewhere
  if not chat.current or wanted == "all" then return true end
  return wanted == "first" and discussion.unread == 1
end

shown["message.received"] = function(chat, event)
  local message = event.message
  local discussion = chat.known.discussions[message.discussion]
  if not discussion then return end
  if message.discussion ~= chat.current then
    discussion.unread = discussion.unread + 1
    if is_wanted_elsewhere(chat, discussion) then chat:write(chat:message_line(message, discussion)) end
    chat:show_prompt()
  elseif chat.arriving then
    table.insert(chat.arriving, message)
  elseif not chat.shown[message.id] then
    chat:write(chat:message_line(message, discussion), message.id)
    chat:mark_read(message)
  end
  chat:notified(message, discussion)
end

-- One that another front end of the same person has sent just now.
local function show_from_elsewhere(chat, message)
  local discussion = chat.known.discussions[message.discussion]
  if not discussion or message.time < chat.started then return end
  if message.discussion == chat.current and chat.arriving then return table.insert(chat.arriving, message) end
  if message.discussion == chat.current or is_wanted_elsewhere(chat, discussion) then
    chat:show_own(message, discussion)
  end
end

shown["message.sent"] = function(chat, event)
  if not chat:mark_own(event.message) then show_from_elsewhere(chat, event.message) end
end

shown["message.delivered"] = function(chat, event) chat:mark_own(event.message) end
shown["message.confirmed"] = shown["message.delivered"]

shown["message.failed"] = function(chat, event)
  local message = event.message
  local discussion = chat.known.discussions[message.discussion]
  chat:mark_own(message)
  if not discussion or chat.dropped[message.id] then return end
  chat:print(("! This message to %s was not delivered, and never will be:"):format(chat:discussion_name(discussion)))
  chat:write(chat:message_line(message, discussion))
end

-- --- people ------------------------------------------------------------------------------------------------

-- where there are many, /peers lists them
local NEWCOMERS_MAX, NEWCOMERS_MS = 3, 60000

-- Somebody who was never seen before, unless this is a place where everybody comes and goes.
local function announce_newcomer(chat, peer)
  local now = sys.monotonic_ms()
  local seen = chat.newcomers
  while seen[1] and now - seen[1] > NEWCOMERS_MS do table.remove(seen, 1) end
  if chat.settings.newcomers ~= "on" or #seen >= NEWCOMERS_MAX then return end
  seen[#seen + 1] = now
  chat:print(("(%s is there: /open %s asks for a discussion.)"):format(chat:person_name(peer), chat:peer_word(peer)))
end

-- after an unlock the chat hears of everybody anew: whoever is verified is no stranger
shown["peer.seen"] = function(chat, event)
  local peer = event.peer
  local stranger = event.is_new and not peer.verified
  if stranger and peer.online and peer.source ~= "manual" then announce_newcomer(chat, peer) end
end

-- --- scripts -----------------------------------------------------------------------------------------------

shown["script.failed"] = function(chat, event)
  local script = event.script
  local name = names.safe(script.name)
  local what = script.state == "waiting" and "waits for you" or
    script.state == "disabled" and "has failed again and again, and is off now" or "has failed"
  local text = "! The script %s %s: %s. /scripts log %s shows more."
  chat:print(text:format(name, what, names.safe(script.reason), name))
end

shown["script.log"] = function(chat, event)
  if chat.settings.scripts ~= "all" then return end
  chat:write(("%s %s"):format(chat.paint("elsewhere", ("[%s]"):format(names.safe(event.log.name))),
    names.safe(event.log.text)))
end

-- --- the rest ----------------------------------------------------------------------------------------------

shown["warning"] = function(chat, event)
  local text = names.safe(event.warning.text)
  chat:print(event.warning.over and ("(Over: %s.)"):format(text) or "! " .. text)
end

shown["passphrase.needed"] = function(chat)
  chat:complain "Your key is locked, and something waits for it: /unlock asks for its passphrase."
end

-- More has happened than was waited for: this terminal stood still for long.
shown["events.lagged"] = function(chat)
  chat:print("(This chat has missed something, and looks what it was.)")
  chat:run(function()
    M.refresh(chat)
    chat:catch_up()
    chat:show_prompt()
  end)
end

-- --- events ------------------------------------------------------------------------------------------------

local function remember_discussion(chat, event)
  local discussion = event.discussion
  event.before = chat.known.discussions[discussion.id]
  for _, member in ipairs(event.before and event.before.members or {}) do
    chat.known.gone[member.fingerprint] = member.name
  end
  chat.known.discussions[discussion.id] = discussion
  if chat.current == discussion.id then chat.known.current = discussion end
  chat:show_prompt()
end

local function remember_proposal(chat, event)
  for _, one in ipairs(chat.known.proposals) do
    if one.id == event.proposal.id then event.before = one end
  end
  chat:remember_proposal(event.proposal)
end

local function remember_peer(chat, peer)
  local peers = chat.known.peers
  if not peer.name then
    peers[peer.fingerprint] = nil -- of one that is gone altogether only the key is told
    return false
  end
  local is_new = peers[peer.fingerprint] == nil
  peers[peer.fingerprint] = peer
  return is_new
end

local NOUNS = {}
for _, event in ipairs(api.events) do NOUNS[event.type] = event.noun end

---@param chat sotto.chat
---@param event sotto.event
function M.take(chat, event)
  if event.discussion then
    remember_discussion(chat, event)
  elseif event.proposal then
    remember_proposal(chat, event)
  elseif event.peer then
    event.is_new = remember_peer(chat, event.peer)
  elseif event.script then
    script_commands.change(chat, event.script)
  end
  if chat:tell(event.type, event[NOUNS[event.type]], event) ~= true then chat:show_news(event) end
end

--- Asks for everything anew. From inside a coroutine.
---@param chat sotto.chat
function M.refresh(chat)
  local known = chat.known
  known.discussions, known.peers = {}, {}
  for _, discussion in ipairs(chat:call("discussions.list")) do known.discussions[discussion.id] = discussion end
  for _, peer in ipairs(chat:call("peers.list")) do known.peers[peer.fingerprint] = peer end
  chat:refresh_proposals()
  script_commands.remember(chat, chat:call("scripts.list", { health = false }))
  known.current = chat.current and known.discussions[chat.current]
end

return M
