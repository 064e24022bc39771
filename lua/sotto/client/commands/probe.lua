-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"

return {
  name = "probe", args = "HOST:PORT", help = "asks who is at an address",
  run = function(chat, text)
    if text == "" then error("/probe needs an address, such as 192.0.2.7:4788", 0) end
    local peer = chat:call("peers.probe", { address = text })
    chat:print("  " .. format.peer(peer))
    chat:print(("There is somebody. /open %s asks for a discussion."):format(chat:peer_word(peer)))
  end,
}
