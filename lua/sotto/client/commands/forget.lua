-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is erased cannot be brought back: a person says yes to it.
local names = require "sotto.client.names"

local function is_meant(chat, question)
  local answer = chat:ask(question .. " Type yes: ")
  if answer and answer:lower():match("^%s*yes%s*$") then return true end
  chat:print("Nothing was forgotten.")
  return false
end

local function forget_peer(chat, text)
  local peer = chat:call("peers.show", { peer = text })
  local name = chat:person_name(peer)
  if not is_meant(chat, ("Forget %s: name, addresses, and whether the key was verified?"):format(name)) then return end
  chat:call("peers.forget", { peer = peer.fingerprint })
  chat.known.peers[peer.fingerprint] = nil
  chat:print(("%s is forgotten."):format(name))
end

-- ended ones first: only they can be forgotten
local function find_ended(chat, text)
  local found = {}
  for _, discussion in ipairs(chat:call("discussions.list")) do
    local same = names.fold(names.discussion(discussion)) == names.fold(text)
    if same and names.has_ended(discussion) then found[#found + 1] = discussion end
  end
  if #found > 1 then error("several of that name have ended: /list all shows them; the first digits say which", 0) end
  return found[1] or chat:call("discussions.show", { discussion = text })
end

local function forget_discussion(chat, text)
  local discussion = find_ended(chat, text)
  local name = chat:discussion_name(discussion)
  if not names.has_ended(discussion) then
    error(("the discussion with %s goes on: /close ends it first"):format(name), 0)
  end
  if not is_meant(chat, ("Erase the discussion with %s, and all that was said?"):format(name)) then return end
  chat:call("discussions.forget", { discussion = discussion.id })
  chat.known.discussions[discussion.id] = nil
  if chat.current == discussion.id then chat:enter(nil) end
  chat:print(("The discussion with %s is erased."):format(name))
end

return {
  name = "forget", args = "discussion|peer NAME", help = "erases an ended discussion, or what is known of a peer",
  asks = true,
  complete = function(chat, text)
    local words = { "discussion ", "peer " }
    if text:find("^peer ") then
      for i, word in ipairs(chat:peer_words()) do words[i] = "peer " .. word end
    elseif text:find("^discussion ") then
      for i, word in ipairs(chat:discussion_words("ended")) do words[i] = "discussion " .. word end
    end
    return words
  end,
  run = function(chat, text)
    local kind, name = text:match("^(%a+)%s+(.+)$")
    if kind == "peer" then return forget_peer(chat, name) end
    if kind == "discussion" then return forget_discussion(chat, name) end
    error("/forget takes 'discussion NAME' or 'peer NAME'", 0)
  end,
}
