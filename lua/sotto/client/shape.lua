-- SPDX-License-Identifier: GPL-3.0-or-later
-- All of the chat that a person can change in a chat.lua: commands, aliases, keys, events, the prompt, formats,
-- colours and settings. A shape begins as the chat is shipped; a chat.lua is run over a new one, which then takes
-- the old one's place. So nothing is ever registered twice, and nothing of an older chat.lua is left.
local commands = require "sotto.client.commands"
local format = require "sotto.client.format"
local keymap = require "sotto.client.keymap"
local keys = require "sotto.client.keys"
local loop = require "sotto.loop"
local news = require "sotto.client.news"
local prompt = require "sotto.client.prompt"
local settings = require "sotto.client.settings"
local theme = require "sotto.client.theme"
local values = require "sotto.client.values"

local M = {}

---@class sotto.chat.shape
---@field commands table<string, sotto.chat.command>
---@field command_names string[] in the order of help
---@field aliases table<string, string> what a command's name stands for
---@field handlers table<string, (fun(object: any, event: sotto.event): any)[]> by type of event
---@field keys table<string, sotto.chat.key> by name
---@field timers table[]
---@field environment table what Lua sees, and what it sets
---@field theme sotto.chat.theme
---@field paint fun(part: string, text: string): string
---@field settings table<string, any>
---@field format table<string, function>
---@field news table<string, fun(chat: sotto.chat, event: sotto.event)>
---@field prompt fun(chat: sotto.chat): string
---@field notify fun(chat: sotto.chat, message: sotto.message, discussion: sotto.discussion)
local Shape = {}
Shape.__index = Shape

-- --- as it is shipped ------------------------------------------------------------------------------------

--- How things are written; each may be replaced. They get what is harmless already, but for view.message.
---@class sotto.chat.format
M.format = {
  message = function(view) return format.line(view) end,
  peer = function(peer) return format.peer(peer) end,
  discussion = function(discussion) return format.discussion(discussion) end,
}

--- A message has come.
---@param chat sotto.chat
---@param message sotto.message
function M.notify(chat, message)
  local bell = chat.settings.bell
  if bell == "on" or bell == "elsewhere" and message.discussion ~= chat.current then chat:bell() end
end

local function over(shipped) return setmetatable({}, { __index = shipped }) end

--- The names under which a chat's shape is reached as chat.NAME; those with a type can be set.
M.fields = {
  prompt = "function", notify = "function", theme = "table", format = "table", news = "table", settings = "table",
  commands = false, command_names = false, aliases = false, environment = false, paint = false, keys = false,
}

--- What chat.NAME = value keeps; nil and a message where it is not to be.
---@param name string
---@param value any
---@return any kept, string? message
function M.accept(name, value)
  local wanted = M.fields[name]
  if not wanted then return nil, ("chat.%s cannot be set"):format(name) end
  if type(value) ~= wanted then return nil, ("chat.%s must be a %s"):format(name, wanted) end
  if name == "theme" then return setmetatable(value, { __index = theme.standard }) end
  if name == "format" then return setmetatable(value, { __index = M.format }) end
  if name == "news" then return setmetatable(value, { __index = news.shown }) end
  if name == "settings" then
    local kept = settings.new()
    for key, given in pairs(value) do kept[key] = given end
    return kept
  end
  return value
end

--- As the chat is shipped.
---@param chat sotto.chat
---@return sotto.chat.shape
function M.new(chat)
  local self = setmetatable({
    chat = chat, commands = {}, command_names = {}, aliases = {}, handlers = {}, keys = {}, key_names = {}, timers = {},
    theme = theme.new(), settings = settings.new(), format = over(M.format), news = over(news.shown),
    prompt = prompt.standard, notify = M.notify,
  }, Shape)
  self.paint = function(part, text) return theme.painter(self.theme, chat.wants_colour)(part, text) end
  for _, command in ipairs(commands.load()) do self:add_command(command) end
  for _, key in ipairs(keymap) do self:add_key(key) end
  self.environment = values.environment(chat.connection, {
    chat = chat,
    print = function(...) chat:print_values(...) end,
  })
  return self
end

-- --- what a chat.lua adds ----------------------------------------------------------------------------------

---@param command sotto.chat.command
function Shape:add_command(command)
  if not self.commands[command.name] then self.command_names[#self.command_names + 1] = command.name end
  self.commands[command.name] = command
end

---@param key sotto.chat.key
function Shape:add_key(key)
  if not self.keys[key.name] then self.key_names[#self.key_names + 1] = key.name end
  self.keys[key.name] = key
end

local function is_name(name) return type(name) == "string" and name:find("^[%w_-]+$") ~= nil end

local function check_command(given)
  if type(given) ~= "table" then return "a table is needed: name, help, run" end
  if not is_name(given.name) then return "name: letters and digits, no slash" end
  if type(given.run) ~= "function" then return "run: a function is needed" end
  for _, field in ipairs { "help", "args", "more" } do
    if given[field] ~= nil and type(given[field]) ~= "string" then return field .. ": a text is needed" end
  end
  if given.complete ~= nil and type(given.complete) ~= "function" then return "complete: a function is needed" end
end

-- called as chat.command{…} or chat:command{…}
local function without_chat(chat, first, ...)
  if first == chat then return ... end
  return first, ...
end

-- each of these raises where chat.lua is wrong, so that the error names its line
local registering = {}

function registering.command(shape, given)
  local problem = check_command(given)
  if problem then error("chat.command: " .. problem, 2) end
  local command = {}
  for key, value in pairs(given) do command[key] = value end
  command.help, command.yours = command.help or "yours", true
  shape:add_command(command)
end

function registering.alias(shape, name, text)
  if not is_name(name) then error("chat.alias: a name is needed, without a slash", 2) end
  if type(text) ~= "string" or not text:find("^%S") then error("chat.alias: what it stands for is needed", 2) end
  shape.aliases[name] = text:gsub("^/", "")
end

function registering.on(shape, type_of_event, f)
  if type(type_of_event) ~= "string" then error("chat.on: an event's type is needed", 2) end
  if type(f) ~= "function" then error("chat.on: a function is needed", 2) end
  shape.handlers[type_of_event] = shape.handlers[type_of_event] or {}
  table.insert(shape.handlers[type_of_event], f)
end

function registering.bind(shape, name, f, help)
  local sequences, message = keys.sequences(tostring(name))
  if not sequences then error("chat.bind: " .. message, 2) end
  if type(f) ~= "function" then error("chat.bind: a function is needed", 2) end
  shape:add_key { name = name, run = f, help = type(help) == "string" and help or "yours" }
  if shape.worn then shape.chat:bind_keys() end
end

local function add_timer(shape, start, ms, f)
  if type(ms) ~= "number" or ms < 1 then error("milliseconds are needed, 1 or more", 2) end
  if type(f) ~= "function" then error("a function is needed", 2) end
  local chat = shape.chat
  local timer = start(ms, function() chat:run_yours(f) end):background()
  table.insert(shape.timers, timer)
  return timer
end

function registering.after(shape, ms, f) return add_timer(shape, loop.after, ms, f) end
function registering.every(shape, ms, f) return add_timer(shape, loop.every, ms, f) end

--- The functions chat.command, chat.alias, chat.on, chat.bind, chat.after and chat.every: they write into the shape
--- that the chat has at the moment.
---@param chat sotto.chat
---@return table<string, function>
function M.registers(chat)
  local found = {}
  for name, f in pairs(registering) do
    found[name] = function(...) return f(chat.shape, without_chat(chat, ...)) end
  end
  return found
end

-- --- at work -----------------------------------------------------------------------------------------------

--- The functions for an event: those of its type, of "noun.*" and of "*".
---@param type string
---@return function[]
function Shape:listeners(type)
  local found = {}
  for _, pattern in ipairs { type, type:match("^%a+") .. ".*", "*" } do
    for _, f in ipairs(self.handlers[pattern] or {}) do found[#found + 1] = f end
  end
  return found
end

--- What is wrong with what was set; nil: nothing.
---@return string|nil
function Shape:problem()
  local wrong = theme.problem(self.theme)
  return wrong and "chat." .. wrong
end

function Shape:stop()
  for _, timer in ipairs(self.timers) do timer:stop() end
  self.timers = {}
end

return M
