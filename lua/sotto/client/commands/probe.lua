-- SPDX-License-Identifier: GPL-3.0-or-later
local names = require "sotto.client.names"

local STANDARD_PORT = 4788

return {
  name = "probe", args = "HOST[:PORT]", help = "asks who is at an address",
  run = function(chat, text)
    if text == "" or text:find("%s") then error("/probe needs an address, such as 192.0.2.7:4788", 0) end
    local address = text
    if not text:find(":", 1, true) or text:find("^%[[^%]]*%]$") then address = text .. ":" .. STANDARD_PORT end
    chat:print(("Asking %s …"):format(names.safe(address)))
    local peer = chat:call("peers.probe", { address = address })
    chat.known.peers[peer.fingerprint] = peer
    chat:print(("%s is there (%s). /open %s asks for a discussion."):format(chat:person_name(peer),
      names.grouped(peer.fingerprint), chat:peer_word(peer)))
  end,
}
