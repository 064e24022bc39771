-- SPDX-License-Identifier: GPL-3.0-or-later
-- What Tab offers: commands, what may follow one, and names of Lua. Nothing here waits for the core.
local M = {}

local function with_prefix(list, prefix, before)
  local found = {}
  for _, word in ipairs(list) do
    if word:sub(1, #prefix) == prefix then found[#found + 1] = (before or "") .. word end
  end
  table.sort(found)
  return found
end

-- What follows a command goes to the end of the line, and names have spaces: only what is behind the last one is given.
local function arguments(candidates, typed, word)
  local found = {}
  for _, candidate in ipairs(candidates) do
    if candidate:sub(1, #typed):lower() == typed:lower() then found[#found + 1] = candidate:sub(#typed - #word + 1) end
  end
  table.sort(found)
  return found
end

local function lua_names(word, more)
  local path, last = word:match("^(.-)([%w_]*)$")
  local holder = _G
  for name in path:gmatch("([%w_]+)[.:]") do
    holder = type(holder) == "table" and rawget(holder, name) or nil
  end
  if type(holder) ~= "table" then return {} end
  local list = {}
  for name in next, holder do
    if type(name) == "string" and name:match("^[%a_][%w_]*$") then list[#list + 1] = name end
  end
  if path == "" then table.move(more, 1, #more, #list + 1, list) end
  return with_prefix(list, last, path)
end

local VALUES = { "sotto", "peers", "discussions", "me", "chat" }

---@param chat sotto.chat
---@param word string what is being completed
---@param line string up to the end of the word
---@return string[] what may stand in the word's place
function M.complete(chat, word, line)
  if line == word and word:sub(1, 1) == "/" then return with_prefix(chat.command_names, word:sub(2), "/") end
  local name, typed = line:match("^/(%S+)%s+(.*)$")
  local command = name and chat.commands[name]
  if command and command.complete then return arguments(command.complete(chat), typed, word) end
  if name and name ~= "lua" then return {} end
  if chat.current and not name and line:sub(1, 1) ~= "=" then return {} end
  return lua_names((word:gsub("^=", "")), VALUES)
end

return M
