-- SPDX-License-Identifier: GPL-3.0-or-later
-- The interactive Lua chat: a line is a command, a message or Lua; what comes in appears above the prompt. This is the
-- object that commands, keys, events and chat.lua get, and its life.
local chatfile = require "sotto.client.chatfile"
local completion = require "sotto.client.completion"
local council = require "sotto.client.council"
local core = require "sotto.client.core"
local guard = require "sotto.client.guard"
local held = require "sotto.client.held"
local keys = require "sotto.client.keys"
local lines = require "sotto.client.lines"
local loop = require "sotto.loop"
local memory = require "sotto.client.memory"
local news = require "sotto.client.news"
local own = require "sotto.client.own"
local prompt = require "sotto.client.prompt"
local reach = require "sotto.client.reach"
local rooms = require "sotto.client.rooms"
local shape = require "sotto.client.shape"
local sys = require "sotto.sys"
local tail = require "sotto.client.tail"
local terminal = require "sotto.terminal"
local theme = require "sotto.client.theme"
local welcome = require "sotto.client.welcome"
local wrap = require "sotto.client.wrap"

local M = {}

-- a command that has asked for a password, or is about to, keeps other lines waiting so long at most
local HOLD_MS = 10000

-- the same complaint again, so long after it
local COMPLAIN_MS = 60000

---@class sotto.chat : sotto.chat.rooms, sotto.chat.own, sotto.chat.lines, sotto.chat.memory, sotto.chat.council,
---  sotto.chat.held, sotto.chat.reach, sotto.chat.shape
---@field connection sotto.connection
---@field place sotto.place
---@field own string|nil own fingerprint
---@field name string|nil own name
---@field started integer milliseconds since 1970
---@field shape sotto.chat.shape what a chat.lua can change: its fields are the chat's, too
local chat = {}

for _, part in ipairs { rooms, own, lines, memory, council, held, reach } do
  for name, f in pairs(part) do chat[name] = f end
end

local meta = {
  __index = function(self, name)
    local found = chat[name]
    if found == nil and shape.fields[name] ~= nil then found = rawget(self, "shape")[name] end
    return found
  end,
  __newindex = function(self, name, value)
    if shape.fields[name] == nil then return rawset(self, name, value) end
    local kept, message = shape.accept(name, value)
    if message then error(message, 2) end
    self.shape[name] = kept
    if name == "prompt" then self:show_prompt() end
  end,
}

meta.__inspect = "chat: what commands, keys and chat.lua get; Tab shows what is in it"

-- what completion knows of the chat: what is meant for others
meta.__fields = setmetatable({}, { __index = chat })
for name in pairs(shape.fields) do meta.__fields[name] = true end
for _, name in ipairs { "command", "alias", "on", "bind", "after", "every" } do meta.__fields[name] = print end
for _, name in ipairs { "current", "known", "name", "own", "connection", "place" } do meta.__fields[name] = true end

-- --- the screen --------------------------------------------------------------------------------------------

--- What is somebody's: messages, values. It is not broken into lines here: the terminal does that, and a copied line
--- stays one.
---@param text string harmless, but colours may be in it
---@param key? string by which it can be rewritten
function chat:write(text, key)
  text = terminal.clean(text)
  self.tail:add(text, key)
  terminal.print(text)
end

--- Puts another text in the place of one that was written with a key.
---@param key string
---@param text string
---@return boolean done false: it is out of reach by now
function chat:rewrite(key, text)
  local up, all = self.tail:change(key, terminal.clean(text))
  return up ~= nil and terminal.rewrite(up, all)
end

--- Our own sentences, broken to the width of the screen. Those in parentheses are said aside, those that begin with "!"
--- are problems.
---@param text string harmless already
---@param indent? integer of lines that are broken
---@param part? string of the theme
function chat:print(text, indent, part)
  local first = text:sub(1, 1)
  part = part or (first == "(" and "aside") or (first == "!" and "problem") or "note"
  self:write(self.paint(part, wrap.wrap(text, (terminal.size()), indent)))
end

--- As Lua's print.
function chat:print_values(...)
  local parts = table.pack(...)
  for i = 1, parts.n do parts[i] = tostring(parts[i]) end
  self:write(terminal.escape(table.concat(parts, "\t"), true))
end

function chat.bell() terminal.bell() end

--- Foreign text, made harmless: terminal.escape.
chat.safe = terminal.escape
--- What a path may go on to, for a command's complete.
chat.paths = completion.paths

--- The text in the chat's own format of that name; in the shipped one where that fails.
---@param name string
---@param ... any what the format takes
---@return string
function chat:formatted(name, ...)
  local ok, text = guard.call(terminal, self.format[name], ...)
  if ok and type(text) == "string" then return text end
  self:complain(ok and ("chat.format.%s gave no text"):format(name) or text)
  return shape.format[name](...)
end

--- What went wrong in somebody's Lua: not again and again.
---@param message string
function chat:complain(message)
  local now = sys.monotonic_ms()
  if self.complaint == message and now - self.complained < COMPLAIN_MS then return end
  self.complaint, self.complained = message, now
  self:print("! " .. terminal.escape(message, true))
end

-- --- the line ----------------------------------------------------------------------------------------------

function chat:set_prompt(text)
  self.shown_prompt = text
  terminal.prompt(prompt.for_readline(text))
end

function chat:show_prompt()
  if self.asking then return end
  if not self.own then return self:set_prompt("") end
  local text = self:more_prompt()
  if not text then
    local ok, made = guard.call(terminal, self.prompt, self)
    if not ok or type(made) ~= "string" then
      self:complain(ok and "chat.prompt gave no text" or made)
      made = prompt.standard(self)
    end
    text = made
  end
  self:set_prompt(text)
end

--- Text where the cursor is.
---@param text string
function chat.insert(_, text) terminal.insert(text) end

---@return string text, integer at of what is being typed
function chat.line() return terminal.line() end

---@param text string
---@param at? integer
function chat.set_line(_, text, at) terminal.set_line(text, at) end

--- Asks without echo; nil where the person gives up.
---@return sotto.secret|nil
function chat:ask_secret(question)
  local thread = coroutine.running()
  local ok, message = terminal.read_secret(question, function(secret) assert(coroutine.resume(thread, secret)) end)
  if not ok then error(message, 0) end
  local secret = coroutine.yield()
  if self.held then self:hold_on() end
  return secret
end

--- Asks for a line; nil at Ctrl-D, and at Ctrl-C where nothing is typed.
---@return string|nil
function chat:ask(question)
  self.asking = coroutine.running()
  terminal.resume()
  self:set_prompt(question)
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
--- early is no line, and not shown; and a line that is typed on the way to another discussion goes there.
---@return table handle to be closed
function chat:hold_input()
  if self.held then return setmetatable({}, { __close = function() end }) end
  self.held = loop.after(HOLD_MS, terminal.resume)
  self:hold_on()
  return setmetatable({}, { __close = function()
    self.held:stop()
    self.held = nil
    terminal.resume()
  end })
end

-- --- work --------------------------------------------------------------------------------------------------

--- A call that raises its error for people; from inside a coroutine.
function chat:call(method, params)
  local result, message, name = self.connection:call(method, params)
  if message then
    if name == "locked" then message = "your key is locked: /unlock asks for its passphrase" end
    error(message, 0)
  end
  return result
end

--- Runs the work in a coroutine; its error is shown.
---@param work fun()
function chat:run(work)
  local thread = coroutine.create(function()
    local ok, message = guard.call(nil, work)
    if not ok and not self.over then self:print("! " .. terminal.escape(message, true)) end
  end)
  assert(coroutine.resume(thread))
end

--- Likewise what comes from a chat.lua and may run often.
---@param f function
---@param ... any
---@return any what it answered, unless it waits
function chat:run_yours(f, ...)
  local arguments, answer = table.pack(...), nil
  local thread = coroutine.create(function()
    local ok, result = guard.call(terminal, f, table.unpack(arguments, 1, arguments.n))
    if ok then answer = result elseif not self.over then self:complain(result) end
  end)
  assert(coroutine.resume(thread))
  return answer
end

--- Shows an event as chat.news has it.
---@param event sotto.event
function chat:show_news(event)
  local show = self.news[event.type]
  if not show then return end
  local ok, message = guard.call(show ~= news.shown[event.type] and terminal or nil, show, self, event)
  if not ok and not self.over then self:complain(message) end
end

--- Tells those who listen (chat.on): events of the core, "line" (a text was typed), "entered" (a discussion, or nil)
--- and "started".
---@param type string
---@param object any
---@param event? sotto.event
---@return any answer the first that is not nil, of those who answer at once
function chat:tell(type, object, event)
  for _, f in ipairs(self.shape:listeners(type)) do
    local answer = self:run_yours(f, object, event)
    if answer ~= nil then return answer end
  end
end

---@param message sotto.message
---@param discussion sotto.discussion
function chat:notified(message, discussion) self:run_yours(self.notify, self, message, discussion) end

-- --- its shape ---------------------------------------------------------------------------------------------

--- Binds every key of the shape.
function chat:bind_keys()
  for _, sequence in ipairs(self.bound or {}) do terminal.bind(sequence, nil) end
  self.bound = {}
  for name, key in pairs(self.keys) do
    for _, sequence in ipairs(keys.sequences(name)) do
      table.insert(self.bound, sequence)
      terminal.bind(sequence, function()
        if self.own and not self.asking then self:run_yours(key.run, self) end
      end)
    end
  end
end

--- From now on the chat has this shape; the one before has ended.
---@param fresh sotto.chat.shape
function chat:wear(fresh)
  local before = self.shape
  self.shape = fresh
  before.worn, fresh.worn = false, true
  before:stop()
  self:bind_keys()
  self:show_prompt()
end

--- Runs chat.lua. From inside a coroutine.
---@return boolean|nil done false: there is none; nil: it failed, and that was said
function chat:load_file()
  local done, message = chatfile.load(self)
  if message then self:print("! " .. terminal.escape(message, true)) end
  return done
end

-- --- life --------------------------------------------------------------------------------------------------

--- Ends the chat. With a reason it has failed.
---@param reason string|nil
function chat:quit(reason)
  if self.over then return end
  self.over = true
  if reason then self:print(reason) end
  self.shape:stop()
  terminal.stop()
  self.connection.on_close = nil
  self:tell_read()
  self.connection:close()
  loop.defer(function() assert(coroutine.resume(self.thread, reason and 1 or 0)) end)
end

--- As /quit.
function chat:leave()
  if self.own then
    self:print(("The core goes on, and your discussions with it. '%s stop' ends it."):format(self.place.command))
  end
  self:quit()
end

--- Each line runs in a coroutine of its own, so that one that waits keeps nobody waiting.
---@param line string|nil
---@param taken_off boolean
function chat:take_line(line, taken_off)
  if self.asking then
    if line and taken_off then self:write(self.shown_prompt .. terminal.escape(line)) end
    return assert(coroutine.resume(self.asking, line))
  end
  if not line then
    if not self:give_up() then self:leave() end
    return
  end
  if self.own then self:take_text(line, taken_off) end -- else the key is being made
end

local function rows(text)
  local least, most = terminal.rows(text, (terminal.size()))
  return least == most and least or nil
end

local function new(connection, place, thread)
  local self = setmetatable({
    connection = connection, place = place, thread = thread, started = sys.now_ms(), shown_prompt = "",
    wants_colour = theme.is_wanted(sys.getenv), tail = tail.new(rows, terminal.disturbed),
    known = { peers = {}, discussions = {}, scripts = {}, proposals = {}, gone = {} },
    opening = {}, drafts = {}, mine = {}, waiting = {},
    late = {}, telling_held = {}, told_reach = {}, dropped = {},
    newcomers = {}, entries = {}, asked = {}, shown = {},
  }, meta)
  self.shape = shape.new(self)
  for name, register in pairs(shape.registers(self)) do rawset(self, name, register) end
  connection.on_event = function(event) news.take(self, event) end
  connection.on_close = function()
    self:quit(("! The core has ended. '%s' starts it again; what you sent is on disk."):format(place.command))
  end
  return self
end

local function start_terminal(self)
  terminal.start {
    line = function(line, taken_off) self:take_line(line, taken_off) end,
    complete = function(word, line, _, to) return completion.complete(self, word, line:sub(1, to)) end,
    choices = function(words) self:write(completion.columns(words, (terminal.size()))) end,
    interrupt = function(had)
      if self.lent then return self.lent() end
      had = self:give_up() or had
      if had then return end
      if self.asking then return assert(coroutine.resume(self.asking, nil)) end
      if self.own then self:print("(/quit or Ctrl-D leaves.)") end
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
  self.shape.worn = true
  self:bind_keys()
  self:run(function()
    local _ <close> = self:hold_input()
    self:recall()
    self:load_file()
    welcome.run(self)
    if self.own then self:tell("started") end
  end)
  return coroutine.yield()
end

return M
