-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "lua", args = "CHUNK", help = "runs Lua: sotto, peers, discussions and me are there",
  run = function(chat, text) chat:run_lua(text) end,
}
