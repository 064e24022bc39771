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

local function lua_names(word)
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
  if path == "" then
    for _, name in ipairs { "sotto", "peers", "discussions", "me", "chat" } do list[#list + 1] = name end
  end
  return with_prefix(list, last, path)
end

---@param chat sotto.chat
---@param word string what is being completed
---@param line string
---@param from integer where it begins
---@return string[]
function M.complete(chat, word, line, from)
  if from == 1 and word:sub(1, 1) == "/" then return with_prefix(chat.command_names, word:sub(2), "/") end
  local name = line:match("^/(%S+)%s")
  if name then
    local command = chat.commands[name]
    if command and command.complete then return with_prefix(command.complete(chat), word) end
    if name ~= "lua" then return {} end
  end
  if chat.current and line:sub(1, 1) ~= "=" and name ~= "lua" then return {} end
  return lua_names((word:gsub("^=", "")))
end

return M
