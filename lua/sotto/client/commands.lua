-- SPDX-License-Identifier: GPL-3.0-or-later
-- The chat's commands: one table a file in commands/, each with name, args, help, run and, where it helps, complete.
local M = {}

---@class sotto.chat.command
---@field name string without the slash
---@field args? string what follows it, for help
---@field help string one line
---@field asks? boolean it asks for a password
---@field run fun(chat: sotto.chat, text: string) in a coroutine; an error() is shown
---@field complete? fun(chat: sotto.chat): string[] what may follow

local NAMES = {
  "help", "peers", "probe", "open", "accept", "refuse", "list", "go", "history", "close", "words", "me", "unlock",
  "lock", "lua", "quit",
}

---@return table<string, sotto.chat.command> by_name, string[] in the order of help
function M.load()
  local by_name = {}
  for _, name in ipairs(NAMES) do by_name[name] = require("sotto.client.commands." .. name) end
  return by_name, NAMES
end

return M
