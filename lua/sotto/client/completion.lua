-- SPDX-License-Identifier: GPL-3.0-or-later
-- What Tab offers: commands, what may follow one, people's names in a message, and names of Lua. Nothing here waits for
-- the core.
local lua_names = require "sotto.client.lua_names"
local names = require "sotto.client.names"
local script_commands = require "sotto.client.script_commands"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"

local M = {}

-- candidates of a directory, at most
local PATHS_MAX = 500

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

--- Files and directories that a path may go on to: for a command's complete.
---@param text string "~/no", "/tmp/"
---@return string[]
function M.paths(text)
  local folder, last = text:match("^(.*/)([^/]*)$")
  local user = sys.user()
  local real = folder and user and folder:gsub("^~/", (user.home:gsub("%%", "%%%%")) .. "/") or folder
  local found = {}
  for _, name in ipairs(sys.list(real or ".") or {}) do
    local shown = #found < PATHS_MAX and names.safe(name) == name and (name:sub(1, 1) ~= "." or last:sub(1, 1) == ".")
    if shown then
      local stat = sys.stat((real or "./") .. name)
      found[#found + 1] = (folder or "") .. name .. (stat and stat.kind == "directory" and "/" or "")
    end
  end
  return found
end

-- people who may be spoken of
local function people(chat, word)
  local at, part = word:match("^(@?)(.+)$")
  if not part then return {} end
  local list, seen = {}, {}
  for _, member in ipairs(chat.known.current and chat.known.current.members or {}) do
    local name = member.name
    if not member.you and name and name:find("^%S+$") and names.safe(name) == name and not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  local found = arguments(list, part, part)
  for i, name in ipairs(found) do found[i] = at .. name end
  return found
end

local function command_words(chat)
  local list = { table.unpack(chat.command_names) }
  for name in pairs(chat.aliases) do list[#list + 1] = name end
  for _, command in ipairs(script_commands.list(chat)) do list[#list + 1] = command.name end
  return list
end

---@param chat sotto.chat
---@param word string what is being completed
---@param line string up to the end of the word
---@return string[] found what may stand in the word's place
---@return boolean more the only one goes on: no space behind it
function M.complete(chat, word, line)
  if line == word and word:sub(1, 1) == "/" then return with_prefix(command_words(chat), word:sub(2), "/"), false end
  local name, typed = line:match("^/(%S+)%s+(.*)$")
  local command = name and chat.commands[(chat.aliases[name] or name):match("%S+")]
  if command and command.complete then
    local ok, candidates = pcall(command.complete, chat, typed)
    local found = arguments(ok and type(candidates) == "table" and candidates or {}, typed, word)
    return found, #found == 1 and found[1]:find("[/=]$") ~= nil
  end
  if name and script_commands.find(chat, name) then return people(chat, word), false end
  if name and name ~= "lua" then return {}, false end
  if chat.current and not name and not chat.pending and line:sub(1, 1) ~= "=" then return people(chat, word), false end
  local text = name and typed or line:gsub("^=", "")
  return lua_names.complete(chat, word:gsub("^=", ""), text), true
end

-- --- choices -----------------------------------------------------------------------------------------------

local GAP, ROWS_MAX = 2, 12

-- "sotto.messages.send" stands behind "sotto.messages." already, "/tmp/notes" behind "/tmp/"
local function without_path(words)
  local path = words[1]:match("^.*[.:/]") or ""
  for _, word in ipairs(words) do
    while word:sub(1, #path) ~= path or word == path do path = path:sub(1, -2):match("^.*[.:/]") or "" end
  end
  local short = {}
  for i, word in ipairs(words) do short[i] = word:sub(#path + 1) end
  return short
end

--- What there is to choose from, in columns, and so that it leaves the screen in sight.
---@param words string[]
---@param width integer of the screen
---@return string
function M.columns(words, width)
  words = without_path(words)
  local longest = 1
  for _, word in ipairs(words) do longest = math.max(longest, terminal.width(word)) end
  local columns = math.max(1, (width + GAP) // (longest + GAP))
  local shown = math.min(#words, columns * ROWS_MAX)
  local rows = math.max(1, math.ceil(shown / columns))
  local lines = {}
  for row = 1, rows do
    local parts = {}
    for i = row, shown, rows do
      parts[#parts + 1] = words[i] .. (" "):rep(longest + GAP - terminal.width(words[i]))
    end
    lines[row] = table.concat(parts):gsub(" +$", "")
  end
  if shown < #words then lines[#lines + 1] = ("(and %d more)"):format(#words - shown) end
  return table.concat(lines, "\n")
end

return M
