-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a line means that was typed: a command, a message, or Lua, which may go on in the next line.
local guard = require "sotto.client.guard"
local inspect = require "sotto.client.inspect"
local names = require "sotto.client.names"
local prompt = require "sotto.client.prompt"
local script_commands = require "sotto.client.script_commands"
local terminal = require "sotto.terminal"
local values = require "sotto.client.values"

-- aliases of aliases, at most
local ALIASES_MAX = 10

---@class sotto.chat.lines
---@field pending string|nil what was typed so far of a chunk that goes on
local lines = {}

-- --- Lua ---------------------------------------------------------------------------------------------------

-- where an error was, in words: of what was typed there is no file
local function located(message) return (message:gsub("chat:(%d+):", "line %1:")) end

--- Evaluates Lua, and shows what comes out of it.
---@return boolean ok
function lines:run_lua(text)
  local results = table.pack(values.run(text, self.environment, "chat", terminal))
  if not results[1] then
    self:print("! " .. terminal.escape(located(tostring(results[2])), true))
    return false
  end
  for i = 2, results.n do
    if results[i] ~= nil or results.n == 2 then self:write(inspect.value(results[i])) end
  end
  return true
end

-- Outside a discussion a line is Lua. Who writes to somebody gets a hint instead of a riddle.
local function run_stray(chat, text)
  local is_word = text:find("^%s*[%a_][%w_]*%s*$") and chat.environment[text:match("[%w_]+")] == nil
  if not is_word and (chat:run_lua(text) or load("return " .. text) or load(text)) then return end
  chat:print("(You are in no discussion, so that was taken as Lua. /list shows yours, /go NAME enters one.)")
end

-- --- commands ------------------------------------------------------------------------------------------------

-- what an alias stands for
local function unalias(chat, line)
  for _ = 1, ALIASES_MAX do
    local name, rest = line:match("^/(%S*)(.*)$")
    local text = chat.aliases[name]
    if not text then return line end
    line = "/" .. text .. rest
  end
  error("this alias has no end", 0)
end

--- The command that a line begins with, and what follows its name.
---@param line string
---@return sotto.chat.command command, string text
function lines:parse_command(line)
  local name, text = unalias(self, line):match("^/(%S*)%s*(.-)%s*$")
  local command = self.commands[name] or script_commands.find(self, name)
  if not command then
    local safe = names.safe(name)
    error(("there is no command /%s: /help lists them"):format(safe) ..
      (self.current and (", and //%s says it"):format(safe) or ""), 0)
  end
  return command, text
end

local function run_command(chat, command, text)
  local _ <close> = (command.asks or command.holds) and chat:hold_input()
  if not command.yours then return command.run(chat, text) end
  local ok, message = guard.call(terminal, command.run, chat, text)
  if not ok then error(message, 0) end
end

-- --- lines ---------------------------------------------------------------------------------------------------

-- the Lua in a line: of "=…", "/lua …", and of every line outside of discussions
local function lua_of(chat, line)
  if line:sub(1, 1) == "=" then return line:sub(2) end
  local rest = line:match("^/lua%s+(.*)$")
  if rest or line:sub(1, 1) == "/" then return rest end
  return not chat.current and line or nil
end

local function goes_on(chat, text)
  local lua = lua_of(chat, text)
  return lua ~= nil and lua:find("%S") ~= nil and values.is_incomplete(lua)
end

-- one that is kept back is kept for the keys of this time, and not on the disk: it failed, and may be a slip
local function handle(chat, line)
  local first = line:sub(1, 1)
  if first == "/" and not (line:sub(1, 2) == "//" and chat.current) then
    local command, text = chat:parse_command(line)
    run_command(chat, command, text)
    if not command.private then chat:keep(line) end
  elseif chat.current and first ~= "=" then
    chat:say(first == "/" and line:sub(2) or line)
  else
    chat:keep(line)
    if first == "=" then chat:run_lua(line:sub(2)) else run_stray(chat, line) end
  end
end

--- Gives up a chunk that goes on.
---@return boolean there was one
function lines:give_up()
  local had = self.pending ~= nil
  self.pending = nil
  if had then self:show_prompt() end
  return had
end

local function ask_for_more(chat, text)
  chat.pending = text
  if not chat.told_of_more then
    chat.told_of_more = true
    chat:print("(This Lua goes on in the next line; Ctrl-C gives it up.)")
  end
  chat:show_prompt()
end

-- A message shows itself. Everything else is shown as it was typed.
local function show_typed(chat, text, shown_prompt)
  local said = chat.current and not chat.pending and text:sub(1, 1) ~= "=" and
    (text:sub(1, 1) ~= "/" or text:sub(1, 2) == "//")
  if not said then chat:write(shown_prompt .. terminal.escape(text, true)) end
end

--- Takes what was typed. From the terminal's callback.
---@param line string
---@param taken_off boolean it is not on the screen any more
function lines:take_text(line, taken_off)
  line = line:gsub("[\r\n]+$", "")
  if not line:find("%S") and not self.pending then return end
  if taken_off then show_typed(self, line, self.shown_prompt) end
  local text = self.pending and self.pending .. "\n" .. line or line
  local more = goes_on(self, text)
  if more then return ask_for_more(self, text) end
  if self.pending then
    self.pending = nil
    self:show_prompt()
  end
  self:remember(text)
  self:run(function()
    local answer = self:tell("line", text)
    if answer ~= true then handle(self, type(answer) == "string" and answer or text) end
  end)
end

--- The prompt before further lines.
---@return string|nil
function lines:more_prompt() return self.pending and prompt.MORE end

return lines
