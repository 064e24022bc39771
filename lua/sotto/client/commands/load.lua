-- SPDX-License-Identifier: GPL-3.0-or-later
local scripts = require "sotto.client.commands.scripts"

return {
  name = "load", args = "PATH", asks = true,
  help = "loads a script, now and at every start of the core; asks for what it needs",
  complete = function(chat, text) return chat.paths(text) end,
  run = function(chat, text)
    if text == "" then error("/load takes a file or a folder", 0) end
    scripts.run(chat, "load " .. text)
  end,
}
