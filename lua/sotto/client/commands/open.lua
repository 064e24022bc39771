-- SPDX-License-Identifier: GPL-3.0-or-later
local names = require "sotto.client.names"

local function ask_password(chat, peer)
  local password = chat:ask_secret(("Password agreed with %s (empty: make one): "):format(names.person(peer)))
  if not password then error("not opened", 0) end
  if not password:is_empty() then return password end
  local made = chat:call("system.password").password
  chat:print("Tell " .. names.person(peer) .. ", on the telephone or in person: " .. made)
  return made
end

return {
  name = "open", args = "PEER", help = "asks a peer for a discussion, with the password both agreed on",
  complete = function(chat) return chat:peer_words() end,
  run = function(chat, text)
    if text == "" then error("/open needs a peer: /peers lists them", 0) end
    local peer = chat:call("peers.show", { peer = text })
    local password
    if not peer.verified then
      password = ask_password(chat, peer)
    else
      local given = chat:ask_secret(("Password (empty: none, %s is verified): "):format(names.person(peer)))
      if not given then error("not opened", 0) end
      if not given:is_empty() then password = given end
    end
    local discussion = chat:call("discussions.open", { peer = peer.fingerprint, password = password })
    chat.opening[discussion.id] = true
    chat:print(("Asking %s. This takes as long as %s takes to answer."):format(names.person(peer), names.person(peer)))
  end,
}
