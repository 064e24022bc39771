-- SPDX-License-Identifier: GPL-3.0-or-later
-- The chat's commands: one table a file in commands/, as a chat.lua would give them to chat.command.
local M = {}

---@class sotto.chat.command
---@field name string without the slash
---@field args? string what follows it, for help
---@field help string one line
---@field more? string what else /help NAME says: lines
---@field asks? boolean it asks for a password: what is typed meanwhile waits
---@field holds? boolean what is typed meanwhile waits until it is done: it may belong to another discussion then
---@field private? boolean what follows it is not kept in the history file
---@field yours? boolean it comes from chat.lua
---@field run fun(chat: sotto.chat, text: string) in a coroutine; an error() is shown
---@field complete? fun(chat: sotto.chat, text: string): string[] what may follow, where that is known so far

-- in the order of help
local NAMES = {
  "help", "demo", "peers", "probe", "open", "accept", "refuse", "list", "go", "next", "history", "search", "who",
  "members", "words", "invite", "proposals", "consent", "remove", "leave", "charter", "release", "discard", "close",
  "forget", "export", "import", "me", "adopt", "passphrase", "lock", "unlock", "doctor", "scripts", "load", "unload",
  "set", "reload", "clear", "lua", "quit",
}

---@return sotto.chat.command[]
function M.load()
  local list = {}
  for i, name in ipairs(NAMES) do list[i] = require("sotto.client.commands." .. name) end
  return list
end

return M
