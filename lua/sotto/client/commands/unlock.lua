-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "unlock", help = "unlocks your key with its passphrase",
  run = function(chat)
    local passphrase = chat:ask_secret("Passphrase: ")
    if not passphrase or passphrase:is_empty() then return end
    chat:call("identity.unlock", { passphrase = passphrase })
    chat:print("Unlocked.")
  end,
}
