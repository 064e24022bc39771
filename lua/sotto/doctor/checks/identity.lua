-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"

return {
  name = "identity", where = "core",
  text = "there is a key, and it is not locked",
  look = function(context)
    local state = context.facts.identity
    if state == "none" then
      return finding.warn("There is no identity yet: nobody can talk to you.",
        ("'%s' makes one, and opens the chat."):format(context.command))
    elseif state == "locked" then
      return finding.warn("Your key is locked: nothing is read, sent or received.",
        ("'%s identity unlock' asks for its passphrase; in the chat, /unlock."):format(context.command))
    end
    return finding.ok "Your key is there, and open."
  end,
}
