-- SPDX-License-Identifier: GPL-3.0-or-later
-- The interactive Lua chat: a line is a command, a message or Lua; what comes in appears above the prompt.
local commands = require "sotto.client.commands"
local completion = require "sotto.client.completion"
local core = require "sotto.client.core"
local inspect = require "sotto.client.inspect"
local loop = require "sotto.loop"
local names = require "sotto.client.names"
local news = require "sotto.client.news"
local rooms = require "sotto.client.rooms"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"
local values = require "sotto.client.values"
local welcome = require "sotto.client.welcome"
local wrap = require "sotto.client.wrap"

local M = {}

-- a command that has asked for a password, or is about to, keeps other lines waiting so long at most
local HOLD_MS = 10000

---@class sotto.chat : sotto.chat.rooms
---@field connection sotto.connection
---@field place sotto.place
---@field own string|nil own fingerprint
---@field name string|nil own name
---@field started integer milliseconds since 1970
---@field commands table<string, sotto.chat.command>
---@field command_names string[]
local chat = setmetatable({}, { __index = rooms })
chat.__index = chat

-- --- what commands use -------------------------------------------------------------------------------------

--- Our own words, broken to the width of the screen.
---@param text string harmless already
---@param indent? integer of lines that are broken
function chat.print(_, text, indent) terminal.print(wrap.wrap(text, (terminal.size()), indent)) end

--- What is not ours to break: messages, values.
---@param text string harmless already
function chat.write(_, text) terminal.print(text) end

--- A call that raises its error for people; from inside a coroutine.
function chat:call(method, params)
  local result, message, name = self.connection:call(method, params)
  if message then
    if name == "locked" then message = "your key is locked: /unlock asks for its passphrase" end
    error(message, 0)
  end
  return result
end

--- Asks without echo; nil where the person gives up.
---@return sotto.secret|nil
function chat:ask_secret(prompt)
  local thread = coroutine.running()
  local ok, message = terminal.read_secret(prompt, function(secret) assert(coroutine.resume(thread, secret)) end)
  if not ok then error(message, 0) end
  local secret = coroutine.yield()
  if self.held then self:hold_on() end
  return secret
end

--- Asks for a line; nil at Ctrl-D.
---@return string|nil
function chat:ask(prompt)
  self.asking = coroutine.running()
  terminal.resume()
  self:set_prompt(prompt)
  local line = coroutine.yield()
  self.asking = nil
  if self.held then self:hold_on() end
  self:show_prompt()
  return line
end

function chat:hold_on()
  self.held:restart(HOLD_MS)
  terminal.pause()
end

--- Until the handle is closed, what is typed waits unless it is asked for: a password that somebody types a moment too
--- early is no line, and not shown.
---@return table handle to be closed
function chat:hold_input()
  self.held = loop.after(HOLD_MS, terminal.resume)
  self:hold_on()
  return setmetatable({}, { __close = function()
    self.held:stop()
    self.held = nil
    terminal.resume()
  end })
end

--- Evaluates Lua, and shows what comes out of it.
function chat:run_lua(text)
  local results = table.pack(values.run(text, self.environment, "chat", terminal))
  if not results[1] then
    self:write("! " .. terminal.escape(tostring(results[2]), true))
    return false
  end
  for i = 2, results.n do
    if results[i] ~= nil or results.n == 2 then self:write(inspect.value(results[i])) end
  end
  return true
end

--- Ends the chat. With a reason it has failed.
---@param reason string|nil
function chat:quit(reason)
  if self.over then return end
  self.over = true
  if reason then self:print(reason) end
  terminal.stop()
  self.connection.on_close = nil
  self.connection:close()
  loop.defer(function() assert(coroutine.resume(self.thread, reason and 1 or 0)) end)
end

-- --- lines -------------------------------------------------------------------------------------------------

function chat:show_prompt()
  if not self.own then return self:set_prompt("") end
  local here = self.known.current
  local place = here and names.discussion(here) or "lua"
  if here and here.state ~= "open" then place = place .. " (" .. here.state .. ")" end
  self:set_prompt(("%s@%s> "):format(names.safe(self.name), place))
end

function chat:set_prompt(text)
  self.prompt = text
  terminal.prompt(text)
end

function chat:run_command(line)
  local name, text = line:match("^/(%S*)%s*(.-)%s*$")
  local command = self.commands[name]
  if not command then
    error(("there is no command /%s: /help lists them, and //%s says it"):format(names.safe(name), names.safe(name)), 0)
  end
  local _ <close> = command.asks and self:hold_input()
  command.run(self, text)
end

local TEXT_MAX = 65536

function chat:send(text)
  if #text > TEXT_MAX then
    error(("not sent: a message has at most 65,536 bytes, and this one %d; the up key brings it back"):format(#text), 0)
  end
  if not utf8.len(text) then error("not sent: this is no UTF-8 text", 0) end
  local here = self.known.current
  local message = self:call("messages.send", { discussion = self.current, text = text })
  self.mine[message.id] = true
  if message.state == "queued" and here and here.state == "suspended" then
    self:print(("(%s cannot be reached now: it waits on your disk)"):format(names.discussion(here)))
  end
end

-- Outside a discussion a line is Lua. Who writes to somebody gets a hint instead of a riddle.
function chat:run_stray(line)
  local is_word = line:find("^[%a_][%w_]*$") and self.environment[line] == nil
  if not is_word and (self:run_lua(line) or load("return " .. line) or load(line)) then return end
  self:print("(You are in no discussion, so that was taken as Lua. /list shows yours, /go NAME enters one.)")
end

function chat:handle(line)
  line = line:gsub("[\r\n]+$", "")
  if not line:find("%S") then return end
  local first = line:sub(1, 1)
  if line:sub(1, 2) == "//" and self.current then
    self:send(line:sub(2))
  elseif first == "/" then
    self:run_command(line)
  elseif first == "=" then
    self:run_lua(line:sub(2))
  elseif self.current then
    self:send(line)
  else
    self:run_stray(line)
  end
end

--- Each line runs in a coroutine of its own, so that one that waits keeps nobody waiting.
function chat:take_line(line, taken_off)
  if taken_off and (self.asking or line:find("%S")) then
    self:write((self.prompt .. terminal.escape(line, true)):gsub(" +$", ""))
  end
  if self.asking then return assert(coroutine.resume(self.asking, line)) end
  if not line then return self:leave() end
  if not self.own then return end -- the key is being made
  terminal.remember(line)
  self:run(function() self:handle(line) end)
end

--- Runs the work in a coroutine; its error is shown.
---@param work fun()
function chat:run(work)
  local thread = coroutine.create(function()
    local ok, message = xpcall(work, function(failure)
      if type(failure) == "string" then return failure end
      return debug.traceback(tostring(failure))
    end)
    if not ok and not self.over then self:print("! " .. terminal.escape(message, true)) end
  end)
  assert(coroutine.resume(thread))
end

--- As /quit.
function chat:leave()
  if self.own then
    self:print(("The core goes on, and your discussions with it. '%s stop' ends it."):format(self.place.command))
  end
  self:quit()
end

-- --- life --------------------------------------------------------------------------------------------------

local function new(connection, place, thread)
  local self = setmetatable({
    connection = connection, place = place, thread = thread, started = sys.now_ms(), mine = {}, opening = {},
    known = { peers = {}, discussions = {} }, prompt = "",
  }, chat)
  self.commands, self.command_names = commands.load()
  self.environment = values.environment(connection, {
    print = function(...)
      local parts = table.pack(...)
      for i = 1, parts.n do parts[i] = tostring(parts[i]) end
      self:write(terminal.escape(table.concat(parts, "\t"), true))
    end,
    chat = self,
  })
  connection.on_event = function(event) news.take(self, event) end
  connection.on_close = function()
    self:quit(("! The core has ended. '%s' starts it again; what you sent is on disk."):format(place.command))
  end
  return self
end

local function start_terminal(self)
  terminal.start {
    line = function(line, taken_off) self:take_line(line, taken_off) end,
    complete = function(word, line, _, to)
      local found = completion.complete(self, word, line:sub(1, to))
      return found, #found == 1 and found[1]:find("[.(:=]$") ~= nil
    end,
    interrupt = function(had)
      if not had and not self.asking and self.own then self:print("(/quit or Ctrl-D leaves.)") end
    end,
  }
  loop.signal("SIGINT", function() terminal.interrupt() end)
  loop.signal("SIGWINCH", function() terminal.resized() end)
  loop.signal("SIGTERM", function() self:quit() end)
  loop.signal("SIGHUP", function() self:quit() end)
end

--- `sotto` without a command. From inside a coroutine.
---@return integer status
function M.run(options, place)
  if options.json then
    io.stderr:write("sotto: --json goes with a command\n")
    return 2
  end
  if not sys.isatty(0) or not sys.isatty(1) then
    io.stderr:write("sotto: the chat needs a terminal; 'sotto help' lists the commands for scripts\n")
    return 2
  end
  local connection, message = core.connect(place, true)
  if not connection then
    io.stderr:write("sotto: ", terminal.escape(message), "\n")
    return 1
  end
  local self = new(connection, place, coroutine.running())
  start_terminal(self)
  self:run(function() welcome.run(self) end)
  return coroutine.yield()
end

return M
