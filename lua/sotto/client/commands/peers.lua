-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"

return {
  name = "peers", help = "who is there",
  run = function(chat)
    local peers = chat:call("peers.list")
    for _, peer in ipairs(peers) do chat:write("  " .. format.peer(peer)) end
    if #peers == 0 then chat:print("Nobody is known yet. /probe HOST:PORT asks an address.") end
  end,
}
