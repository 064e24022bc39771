-- SPDX-License-Identifier: GPL-3.0-or-later
-- The object that sotto.script{} gives: what a script registers. Everything it registers is held here and ends with
-- its process.
local handlers = require "sotto.script.handlers"
local times = require "sotto.script.times"

local M = {}

M.COMMANDS_MAX, M.TIMERS_MAX, M.POLICIES_MAX = 100, 1000, 100

---@class sotto.script.declaration
---@field name string 1 to 32 of a-z, 0-9, - and _
---@field version string
---@field api integer the API version that it was written for
---@field needs? string[] capabilities
---@field help? string one line

---@class sotto.script
---@field name string
---@field store table kept by the core; needs "store"
---@field log table gate.log(text), gate.log.warn(text), gate.log.error(text)
local Script = {}
Script.__index = Script
M.class = Script

---@param declaration sotto.script.declaration
---@return string|nil problem
function M.check(declaration)
  if type(declaration) ~= "table" then return "sotto.script takes a table" end
  local name = declaration.name
  if type(name) ~= "string" or not name:find("^[a-z][a-z0-9_-]*$") or #name > 32 then
    return "'name' is 1 to 32 of a-z, 0-9, - and _, a letter first"
  end
  if type(declaration.version) ~= "string" or #declaration.version > 32 then return "'version' is a short text" end
  if math.type(declaration.api) ~= "integer" then return "'api' is the number of the API version, 1" end
  local needs = declaration.needs or {}
  if type(needs) ~= "table" then return "'needs' is a list of capabilities" end
  for i, need in ipairs(needs) do
    if type(need) ~= "string" or #need > 1024 then return ("'needs': number %d is no capability"):format(i) end
  end
  if #needs > 32 then return "'needs' names too many capabilities" end
  for key in pairs(declaration) do
    if not ({ name = 1, version = 1, api = 1, needs = 1, help = 1 })[key] then
      return ("there is no field '%s'"):format(tostring(key))
    end
  end
end

-- --- events, commands, policies ----------------------------------------------------------------------------

-- f(options, function) or f(function, options)
local function split(first, second)
  if type(first) == "function" then first, second = second, first end
  if type(second) ~= "function" then error("a function is missing", 3) end
  if first ~= nil and type(first) ~= "table" then error("options are a table", 3) end
  return first or {}, second
end

--- Calls the function for each event of that type: with its object, the captures of `match`, and the event last. A
--- function that returns true keeps the later ones from it.
---@param type string "message.received"
---@param options? sotto.script.filter may stand behind the function, too
---@param f function
---@return {stop: fun(self)}
function Script:on(type, options, f)
  options, f = split(options, f)
  local problem = self.host.check_event(type)
  if problem then error(problem, 2) end
  self.events[type] = self.events[type] or handlers.new()
  local handle = self.events[type]:add(options, f)
  self.host.listen(type)
  return handle
end

--- A command of the script: `/name args` in the chat, `sotto scripts command`. What the function returns is the reply.
---@param name string
---@param options {args?: string, help?: string}
---@param f fun(ctx: table, ...: string): string|nil
function Script:command(name, options, f)
  options, f = split(options, f)
  if type(name) ~= "string" or not name:find("^[a-z][a-z0-9_-]*$") or #name > 32 then
    error("a command's name is 1 to 32 of a-z, 0-9, - and _", 2)
  end
  if not self.commands[name] and self.command_count >= M.COMMANDS_MAX then error("too many commands", 2) end
  if not self.commands[name] then self.command_count = self.command_count + 1 end
  self.commands[name] = { name = name, args = options.args or "", help = options.help or "", f = f }
  self.host.changed()
end

--- Who is to be admitted; needs "proposals". The function answers sotto.consent(reason), sotto.refuse(reason),
--- sotto.later(time), or nil: no opinion. Of several, also of other scripts, the one with the highest priority counts
--- that has an opinion.
---@param options? {priority?: number}
---@param f fun(request: table): table|nil
function Script:admission(options, f)
  options, f = split(options, f)
  if not self.host.may_admit() then error("an admission needs the capability 'proposals'", 2) end
  if options.priority ~= nil and type(options.priority) ~= "number" then error("a priority is a number", 2) end
  if #self.policies >= M.POLICIES_MAX then error("too many policies", 2) end
  self.policies[#self.policies + 1] = { f = f, priority = options.priority or 0, number = #self.policies + 1 }
  table.sort(self.policies, function(a, b)
    if a.priority ~= b.priority then return a.priority > b.priority end
    return a.number < b.number
  end)
  self.host.changed()
end

-- --- timers ------------------------------------------------------------------------------------------------

local function start_timer(self, time, f, period)
  local ms, problem = times.parse(time)
  if not ms then error(problem, 3) end
  if type(f) ~= "function" then error("a function is missing", 3) end
  if period and ms < 100 then error("a period is at least 100 ms", 3) end
  if self.timer_count >= M.TIMERS_MAX then error("too many timers", 3) end
  return self.host.start_timer(ms, f, period)
end

--- Calls the function again and again; needs "timers". The handle has stop() and reschedule(time).
---@param time string|number "10m"
---@param f function
function Script:every(time, f) return start_timer(self, time, f, true) end

--- Calls the function once; needs "timers".
---@param time string|number "5s"
---@param f function
function Script:after(time, f) return start_timer(self, time, f, false) end

-- --- health and reloads ------------------------------------------------------------------------------------

local function set_hook(self, name, f)
  if type(f) ~= "function" then error("a function is missing", 3) end
  self[name] = f
end

--- Asked by scripts.list and doctor: h.ok(text), h.warn(text), h.fail(text).
---@param f fun(h: {ok: fun(text: string), warn: fun(text: string), fail: fun(text: string)})
function Script:health(f)
  set_hook(self, "health_check", f)
  self.host.changed()
end

--- Before a reload: what the function returns goes to the new text's `restore`.
---@param f fun(): any
function Script:save(f) set_hook(self, "save_state", f) end

--- After a reload, once the main chunk has run.
---@param f fun(state: any)
function Script:restore(f) set_hook(self, "restore_state", f) end

---@param declaration sotto.script.declaration
---@param host table what the host does for it
---@return sotto.script
function M.new(declaration, host)
  local self = setmetatable({
    name = declaration.name, version = declaration.version, host = host,
    events = {}, commands = {}, command_count = 0, policies = {}, timer_count = 0,
  }, Script)
  self.log = setmetatable({
    info = function(text) host.log("info", tostring(text)) end,
    warn = function(text) host.log("warn", tostring(text)) end,
    error = function(text) host.log("error", tostring(text)) end,
  }, { __call = function(_, text) host.log("info", tostring(text)) end })
  return self
end

return M
