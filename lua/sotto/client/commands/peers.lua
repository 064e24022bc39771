-- SPDX-License-Identifier: GPL-3.0-or-later
local names = require "sotto.client.names"

local SOURCES = {
  lan = "your network", file = "a contact file", exchange = "other peers", rendezvous = "a rendezvous server",
  dht = "the DHT", manual = "you, or a talk",
}

local function show_one(chat, peer)
  chat:write(chat:formatted("peer", peer))
  chat:print("  fingerprint  " .. names.grouped(peer.fingerprint), 15)
  local addresses = #peer.addresses > 0 and table.concat(peer.addresses, ", ") or "none known"
  chat:print("  addresses    " .. names.safe(addresses), 15)
  chat:print("  last seen    " .. (peer.last_seen > 0 and names.time(peer.last_seen) or "never"), 15)
  chat:print("  known from   " .. (SOURCES[peer.source] or names.safe(peer.source)), 15)
  if not peer.verified then
    chat:print("  Not verified: no password of yours has been proven by this key yet. /open does that.", 2)
  end
  if peer.guesses and peer.guesses < 3 then
    chat:print(("  %d of 3 tries for a password are left."):format(peer.guesses))
  end
end

return {
  name = "peers", args = "[NAME]", help = "who is there, or what is known of one of them",
  complete = function(chat) return chat:peer_words() end,
  run = function(chat, text)
    if text ~= "" then return show_one(chat, chat:call("peers.show", { peer = text })) end
    local peers = chat:call("peers.list")
    for _, peer in ipairs(peers) do chat:write("  " .. chat:formatted("peer", peer)) end
    if #peers == 0 then chat:print("Nobody is known yet. /probe HOST:PORT asks an address.") end
  end,
}
