-- SPDX-License-Identifier: GPL-3.0-or-later
local terminal = require "sotto.terminal"

return {
  name = "clear", help = "empties the screen, as Ctrl-L does; nothing is forgotten",
  run = function() terminal.clear() end,
}
