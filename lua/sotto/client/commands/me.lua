-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"
local names = require "sotto.client.names"

return {
  name = "me", help = "your name, your fingerprint, where others find you",
  run = function(chat)
    local me, info = chat:call("identity.show"), chat:call("system.info")
    local locked = me.locked and "  (locked)" or ""
    chat:print(("%s  %s%s"):format(names.safe(me.name), names.grouped(me.fingerprint), locked))
    if me.user_id then chat:print("Others get with your key: " .. names.safe(me.user_id)) end
    chat:print(format.whereabouts(info.addresses))
  end,
}
