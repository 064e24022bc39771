-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"
local names = require "sotto.client.names"

-- a password; nil: none; or an error where the person gives up
local function ask_password(chat, peer)
  local who = chat:person_name(peer)
  local empty = peer.verified and ("none: %s is verified"):format(who) or "make one"
  local password = chat:ask_secret(("Password agreed with %s (empty: %s): "):format(who, empty))
  if not password then error("not opened", 0) end
  if not password:is_empty() then return password end
  if peer.verified then return nil end
  local made = chat:call("system.password").password
  chat:print(("Tell %s, by telephone or in person, never in writing: %s"):format(who, made))
  return made
end

-- a discussion with that peer alone that has not ended
local function find_living(chat, peer)
  for _, discussion in ipairs(chat:call("discussions.list")) do
    if not names.has_ended(discussion) and #discussion.members == 2 then
      for _, member in ipairs(discussion.members) do
        if member.fingerprint == peer.fingerprint then return discussion end
      end
    end
  end
end

local IN_THE_WAY = {
  requesting = "you have asked %s already; /close %s takes that back",
  requested = "%s asks you already: /accept %s",
  opening = "the discussion with %s is just being opened",
}

return {
  name = "open", args = "NAME", asks = true,
  help = "asks for a discussion, with the password you agreed on",
  complete = function(chat) return chat:peer_words() end,
  run = function(chat, text)
    if text == "" then error("/open needs a name or a fingerprint: /peers lists those you know of", 0) end
    local peer = chat:call("peers.show", { peer = text })
    local who, there = chat:person_name(peer), find_living(chat, peer)
    if there and IN_THE_WAY[there.state] then error(IN_THE_WAY[there.state]:format(who, who), 0) end
    if there then
      chat:print(("There is a discussion with %s: here it is. /close ends it."):format(who))
      return chat:enter(there)
    end
    -- not after a password has been typed; whoever is verified can be asked without one
    if peer.next_guess and not peer.verified then error(format.no_guess(peer, who), 0) end
    local password = ask_password(chat, peer)
    local discussion = chat:call("discussions.open", { peer = peer.fingerprint, password = password })
    chat.opening[discussion.id] = true
    chat:print(("Asked. You will see here when %s answers; /close %s takes it back."):format(who, who))
  end,
}
