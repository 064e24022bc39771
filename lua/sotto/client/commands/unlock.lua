-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "unlock", help = "unlocks your key with its passphrase", asks = true,
  run = function(chat)
    local welcome = require "sotto.client.welcome"
    if not chat:call("identity.show").locked then return chat:print("Your key is not locked.") end
    if not welcome.unlock(chat) then return end
    chat:print("Unlocked.")
    if not chat.current then welcome.show_discussions(chat, false) end
  end,
}
