-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "quit", help = "leaves the chat; your core and discussions go on",
  run = function(chat) chat:leave() end,
}
