-- SPDX-License-Identifier: GPL-3.0-or-later
local who = require "sotto.client.commands.who"

return {
  name = "members", help = "as /who: who is here, who can be reached, and on whose word somebody came", run = who.run,
}
