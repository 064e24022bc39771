-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "unlock", help = "unlocks your key with its passphrase", asks = true,
  run = function(chat)
    local welcome = require "sotto.client.welcome"
    local me = chat:call("identity.show")
    -- of an adopted key something may wait for its person though it is not locked
    if not me.locked and not me.adopted then return chat:print("Your key is not locked.") end
    if not welcome.unlock(chat, me.adopted) then return end
    chat.complaint = nil -- the next time it is news again
    chat:print("Unlocked.")
    if me.locked and not chat.current then welcome.show_discussions(chat, false) end
  end,
}
