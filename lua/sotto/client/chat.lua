-- SPDX-License-Identifier: GPL-3.0-or-later
-- The interactive Lua chat: a line is a command, a message or Lua; what comes in appears above the prompt.
local commands = require "sotto.client.commands"
local completion = require "sotto.client.completion"
local core = require "sotto.client.core"
local inspect = require "sotto.client.inspect"
local loop = require "sotto.loop"
local names = require "sotto.client.names"
local news = require "sotto.client.news"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"
local values = require "sotto.client.values"
local welcome = require "sotto.client.welcome"

local M = {}

---@class sotto.chat
---@field connection sotto.connection
---@field own string|nil own fingerprint
---@field current string|nil id of the discussion that plain text goes to
---@field opening table<string, boolean> discussions to enter once they are open
local chat = {}
chat.__index = chat

-- --- what commands use -----------------------------------------------------------------------------------------------

function chat.print(_, text) terminal.print(text) end

--- A call that raises its error for people; from inside a coroutine.
function chat:call(method, params)
  local result, message, name = self.connection:call(method, params)
  if message then
    if name == "locked" then message = message .. " (/unlock)" end
    error(message, 0)
  end
  return result
end

--- Asks without echo; nil where the person gives up.
---@return sotto.secret|nil
function chat.ask_secret(_, prompt)
  local thread = coroutine.running()
  local ok, message = terminal.read_secret(prompt, function(secret) assert(coroutine.resume(thread, secret)) end)
  if not ok then error(message, 0) end
  return coroutine.yield()
end

--- Asks for a line.
---@return string|nil
function chat:ask(prompt)
  self.asking = coroutine.running()
  terminal.prompt(prompt)
  local line = coroutine.yield()
  self.asking = nil
  self:show_prompt()
  return line
end

function chat:current_discussion()
  if not self.current then error("you are in no discussion: /list shows yours, /go NAME enters one", 0) end
  return self:call("discussions.show", { discussion = self.current })
end

--- The discussion that the text names, or the only one in that state.
function chat:choose(text, state)
  if text ~= "" then return self:call("discussions.show", { discussion = text }) end
  local found = {}
  for _, discussion in ipairs(self:call("discussions.list")) do
    if discussion.state == state then found[#found + 1] = discussion end
  end
  if #found == 0 then error("nobody asks for you", 0) end
  if #found > 1 then error("several ask for you: name one (/list)", 0) end
  return found[1]
end

--- How to name a peer on the command line.
function chat.peer_word(_, peer)
  if peer.name ~= "" and not peer.name:find("[%s%c]") and names.safe(peer.name) == peer.name then return peer.name end
  return peer.fingerprint:sub(1, 16)
end

function chat:peer_words() return self.known.peers end

function chat:discussion_words(state)
  local words = {}
  for _, discussion in pairs(self.known.discussions) do
    if not state or discussion.state == state then words[#words + 1] = discussion.id:sub(1, 8) end
  end
  return words
end

--- From now on plain text goes there; nil: nowhere.
function chat:enter(discussion)
  self.current = discussion and discussion.id
  self.known.current = discussion
  self:show_prompt()
  if not discussion then return end
  self:print("— " .. names.discussion(discussion) .. " —")
  self:mark_read(discussion)
end

function chat:mark_read(discussion)
  if discussion.unread == 0 then return end
  self.connection:request("messages.read", { discussion = discussion.id }, function() end)
end

function chat:run_lua(text)
  local results = table.pack(values.run(text, self.environment, "chat"))
  if not results[1] then
    self:print("! " .. terminal.escape(tostring(results[2]), true))
    return
  end
  for i = 2, results.n do
    if results[i] ~= nil or results.n == 2 then self:print(inspect.value(results[i])) end
  end
end

function chat:quit(reason)
  if self.over then return end
  self.over = true
  if reason then self:print(reason) end
  terminal.stop()
  self.connection.on_close = nil
  self.connection:close()
  loop.defer(function() assert(coroutine.resume(self.thread, reason and 1 or 0)) end)
end

-- --- lines ---------------------------------------------------------------------------------------------------------

function chat:show_prompt()
  local here = self.known.current
  local place = here and names.discussion(here) or "lua"
  if here and here.state ~= "open" then place = place .. " (" .. here.state .. ")" end
  terminal.prompt(("%s@%s> "):format(names.safe(self.name or "you"), place))
end

function chat:run_command(line)
  local name, text = line:match("^/(%S*)%s*(.-)%s*$")
  local command = self.commands[name]
  if not command then error(("there is no command /%s; /help lists them"):format(names.safe(name)), 0) end
  command.run(self, text)
end

function chat:send(text)
  local message = self:call("messages.send", { discussion = self.current, text = text })
  local here = self.known.current
  if message.state == "queued" and here and here.state == "suspended" then
    self:print(("(%s cannot be reached now: it waits on your disk)"):format(names.discussion(here)))
  end
end

function chat:handle(line)
  if line:match("^%s*$") then return end
  if line:sub(1, 1) == "/" then
    self:run_command(line)
  elseif line:sub(1, 1) == "=" then
    self:run_lua(line:sub(2))
  elseif self.current then
    self:send(line)
  else
    self:run_lua(line)
  end
end

--- Each line runs in a coroutine of its own, so that one that waits keeps nobody waiting.
function chat:take_line(line)
  if self.asking then return assert(coroutine.resume(self.asking, line)) end
  if not line then return self:quit() end
  terminal.remember(line)
  self:run(function() self:handle(line) end)
end

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

-- --- life ------------------------------------------------------------------------------------------------------------

local function new(connection, thread)
  local self = setmetatable({
    connection = connection, thread = thread, opening = {}, known = { peers = {}, discussions = {} },
  }, chat)
  self.commands, self.command_names = commands.load()
  self.environment = values.environment(connection, {
    print = function(...)
      local parts = table.pack(...)
      for i = 1, parts.n do parts[i] = tostring(parts[i]) end
      self:print(terminal.escape(table.concat(parts, "\t"), true))
    end,
    chat = self,
  })
  connection.on_event = function(event) news.take(self, event) end
  connection.on_close = function() self:quit("! the core has ended; 'sotto' starts it again") end
  return self
end

local function start_terminal(self)
  terminal.start {
    line = function(line) self:take_line(line) end,
    complete = function(word, line, from) return completion.complete(self, word, line, from) end,
  }
  loop.signal("SIGINT", function() terminal.interrupt() end)
  loop.signal("SIGWINCH", function() terminal.resized() end)
  loop.signal("SIGTERM", function() self:quit() end)
end

--- `sotto` without a command. From inside a coroutine.
---@return integer status
function M.run(options, place)
  if options.json then
    io.stderr:write("sotto: --json goes with a command\n")
    return 2
  end
  if not sys.isatty(0) then
    io.stderr:write("sotto: the chat needs a terminal; 'sotto --help' lists commands for scripts\n")
    return 2
  end
  local connection, message = core.connect(place, true)
  if not connection then
    io.stderr:write("sotto: ", message, "\n")
    return 1
  end
  local self = new(connection, coroutine.running())
  start_terminal(self)
  self:run(function() welcome.run(self) end)
  return coroutine.yield()
end

return M
