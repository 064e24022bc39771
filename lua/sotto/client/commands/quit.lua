-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "quit", help = "leaves the chat; the core goes on, and your discussions with it",
  run = function(chat) chat:leave() end,
}
