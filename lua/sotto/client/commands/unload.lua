-- SPDX-License-Identifier: GPL-3.0-or-later
local scripts = require "sotto.client.commands.scripts"

return {
  name = "unload", args = "NAME", help = "ends a script; what it has stored is kept",
  complete = function(chat) return scripts.names(chat) end,
  run = function(chat, text)
    if text == "" then error("/unload takes the name of a script; /scripts lists them", 0) end
    scripts.run(chat, "unload " .. text)
  end,
}
