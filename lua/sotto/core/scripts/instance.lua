-- SPDX-License-Identifier: GPL-3.0-or-later
-- One process of one script, from its start to its end: what it has declared, what it may do, what it hears.
local api = require "sotto.core.api"
local belongings = require "sotto.core.scripts.belongings"
local errors = require "sotto.core.errors"
local grants = require "sotto.core.scripts.grants"
local host = require "sotto.core.scripts.host"
local json = require "sotto.json"
local loop = require "sotto.loop"
local services = require "sotto.core.scripts.services"
local writes = require "sotto.core.scripts.writes"

local M = {}

-- changes of what a script offers are told together
local CHANGED_MS = 100

---@class sotto.instance.options
---@field manager sotto.scripts
---@field source sotto.source
---@field script sotto.scripts.entry
---@field granted string[] what was granted before
---@field grant boolean grants what is named now, too
---@field inherit boolean|nil it may have what another script has stored under its name
---@field state any for `restore`
---@field done fun(ok: boolean|nil, message?: string, name?: string) once, when the main chunk has run, or could not
---@field failed fun(reason: string, last: integer|nil) once, after done: it has ended; and the last event's seq

---@class sotto.instance
---@field declared {name: string, version: string, needs: string[], help: string|nil}|nil
---@field grants sotto.grants|nil
---@field commands {name: string, args: string, help: string}[]
local Instance = {}
Instance.__index = Instance

-- --- what the host declares --------------------------------------------------------------------------------

local function missing_text(missing)
  local texts = {}
  for i, need in ipairs(missing) do texts[i] = grants.describe(need) end
  return "not granted: " .. table.concat(texts, "; ")
end

local function check_declaration(self, params)
  local name, needs = params.name, params.needs
  if type(name) ~= "string" or not name:find("^[a-z][a-z0-9_-]*$") or #name > 32 or type(needs) ~= "table" then
    return "the declaration is not in order", "bad_params"
  end
  if self.declared then return "a script declares itself once", "wrong_state" end
  if math.type(params.api) ~= "integer" or params.api < 1 or params.api > api.version then
    local text = "the script is written for version %s of the API; this core has %d"
    return text:format(tostring(params.api), api.version), "unsupported"
  end
  local other = self.options.manager:find(name)
  if other and other.name == name and other ~= self.options.script then
    return ("there is a script '%s' already"):format(name), "wrong_state"
  end
  local problem = grants.check(needs)
  if problem then return problem, "bad_params" end
  local missing = grants.missing(needs, self.options.granted)
  if #missing > 0 and not self.options.grant then
    self.missing = missing_text(missing)
    return self.missing, "refused"
  end
end

-- where its store is
local function kept_values(self) return self.options.script.memory or self.options.manager.registry end

-- what it has stored before
local function stored(self, name)
  local script, registry = self.options.script, self.options.manager.registry
  if script.memory then return script.memory:values() end
  return belongings.open(registry, name, script, self.options.inherit)
end

function Instance:declare(params)
  local message, name = check_declaration(self, params)
  if message then return nil, message, name end
  local granted, leaves = grants.new(params.needs, self.options.script.discussions), nil
  if granted.names.store then
    local problem, kind
    leaves, problem, kind = stored(self, params.name)
    if not leaves then
      self.missing = kind == "refused" and problem or nil
      return nil, problem, kind
    end
  end
  self.declared = {
    name = params.name, version = tostring(params.version), needs = params.needs,
    help = type(params.help) == "string" and params.help or nil,
  }
  self.grants = granted
  self.services = services.new(params.needs, self.options.granted, self.options.manager.limits, self.host)
  return { hears = json.array(granted:event_types()), store = leaves }
end

-- --- events to it ------------------------------------------------------------------------------------------

-- a narrowed script hears of its discussions only
local function covers(self, entry)
  if not self.grants.discussions then return true end
  local object = json.decode(entry.text, { nulls = false })
  if type(object) ~= "table" then return false end
  local id = entry.noun == "discussion" and object.id or object.discussion
  if id ~= nil then return self.grants:covers(id) end
  return entry.noun == "warning"
end

function Instance:subscribe()
  if #self.types == 0 then return end
  local params = { types = self.types, after = self.after }
  self.after = nil -- what it listens to later begins then
  self.options.manager.events:subscribe(self.host, params, function(entry) return covers(self, entry) end)
end

--- From here on it hears what happens, and first what came after that event.
---@param after integer|nil seq of the last event that an earlier process was given
function Instance:listen(after)
  self.after = after
  self:subscribe()
end

local said = {}

said["script.hello"] = function(self) self:begin() end

said["script.listen"] = function(self, params)
  local type = params.type
  if math.type(#self.types) == "integer" and #self.types >= 100 then return end
  if self.grants and self.grants:hears(tostring(type)) then
    self.types[#self.types + 1] = type
    if self.running then self:subscribe() end
  end
end

said["script.log"] = function(self, params)
  self.options.manager:log(self.options.script, tostring(params.level), tostring(params.text))
end

said["script.changed"] = function(self, params)
  self:describe(params)
  -- whoever adds ten commands has changed once
  if not self.running or self.telling then return end
  self.telling = loop.after(CHANGED_MS, function()
    local manager = self.options.manager
    self.telling = nil
    if not self.host.over then manager:publish("script.changed", "script", manager.view(self.options.script)) end
  end):background()
end

local function are_writes(set, drop)
  for _, leaf in ipairs(set) do
    if type(leaf) ~= "table" or type(leaf[1]) ~= "table" or #leaf[1] == 0 or leaf[2] == nil then return false end
  end
  for _, path in ipairs(drop) do
    if type(path) ~= "table" or #path == 0 then return false end
  end
  return true
end

local function new_writes(self)
  return writes.new {
    put = function(set, drop) return kept_values(self):put_values(self.declared.name, set, drop) end,
    -- a script that goes on with what is not on disk would be surprised later
    failed = function(message) self.host:fail("its store could not be written: " .. message) end,
    defer = loop.defer, after = function(ms, f) return loop.after(ms, f):background() end, now = loop.now,
  }
end

said["script.put"] = function(self, params)
  if not self.grants or not self.grants.names.store then return end
  local set = type(params.set) == "table" and params.set or {}
  local drop = type(params.drop) == "table" and params.drop or {}
  if not are_writes(set, drop) then return self.host:fail "it sent what is no write to a store" end
  self.writes = self.writes or new_writes(self)
  self.writes:put(set, drop)
end

--- What the script has stored is on the disk afterwards.
function Instance:flush()
  if self.writes then self.writes:flush() end
end

function Instance:event(method, params)
  local take = said[method]
  if take then take(self, params) end
end

-- --- its calls ---------------------------------------------------------------------------------------------

local function refuse(self, request, name, message)
  if request.id == nil then return end
  self.host:reply(assert(json.encode { jsonrpc = "2.0", id = request.id, error = errors.make(name, message) }))
end

-- a narrowed script names the discussions it means by their whole ids
local function narrowed_problem(self, method, params)
  if not self.grants.discussions then return nil end
  for _, param in ipairs(method.params) do
    if param.type == "discussion" or param.name == "discussion" then
      if self.grants:covers(params.discussion) then return nil end
      return "this script was given other discussions only"
    end
  end
  if method.noun == "messages" or method.noun == "discussions" or method.noun == "proposals" then
    return "this script was given some discussions only, and the call is about all"
  end
end

function Instance:call(request)
  local method = api.methods[request.method]
  if not self.grants then return refuse(self, request, "refused", "a script calls sotto.script first") end
  -- who sees what the call does may believe that what the script wrote before is kept
  self:flush()
  if services.has(request.method) then return self.services:call(request) end
  if method then
    local ok, needed = self.grants:allows(method)
    if not ok then
      return refuse(self, request, "refused", ("%s needs the capability '%s'"):format(method.name, needed))
    end
    local problem = narrowed_problem(self, method, type(request.params) == "table" and request.params or {})
    if problem then return refuse(self, request, "refused", problem) end
  end
  self.options.manager.rpc:handle(self.host, request)
end

-- --- life --------------------------------------------------------------------------------------------------

local function finish_start(self, ...)
  local done = self.options.done
  if not done then return end
  self.options.done = nil
  done(...)
end

function Instance:describe(description)
  if type(description) ~= "table" then return end
  self.commands = json.array {}
  for _, command in ipairs(type(description.commands) == "table" and description.commands or {}) do
    self.commands[#self.commands + 1] = {
      name = tostring(command.name), args = tostring(command.args), help = tostring(command.help),
    }
  end
  self.admission, self.health = description.admission == true, description.health == true
end

local function method_names()
  local names = json.array {}
  for name, method in pairs(api.methods) do
    if method.noun ~= "scripts" and method.noun ~= "events" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function event_types()
  local types = json.array {}
  for i, event in ipairs(api.events) do types[i] = event.type end
  return types
end

-- the process has given up what it must not have: now it may have the text
function Instance:begin()
  local options = self.options
  self.host:ask("start", {
    source = { main = options.source.main, files = json.array(options.source.files) },
    methods = method_names(), event_types = event_types(), state = options.state,
    arguments = json.array { table.unpack(options.script.arguments) },
    clock = options.script.memory and "standing" or nil,
  }, function(description, message, name)
    if message then
      if self.missing then return finish_start(self, nil, self.missing, "refused") end
      return finish_start(self, nil, message, name == "script" and "bad_input" or name)
    end
    self:describe(description)
    self.running = true
    finish_start(self, true)
  end)
end

-- from the host: it is over
function Instance:ended(reason)
  local last = self.options.manager.events:unsubscribe(self.host)
  if self.services then self.services:close() end
  self:flush()
  local starting = self.options.done ~= nil
  finish_start(self, nil, reason, "wrong_state")
  if not starting then self.options.failed(reason, last) end
end

--- Ends it without a word. Returns the seq of the last event that it was given.
---@return integer|nil
function Instance:kill()
  local last = self.options.manager.events:unsubscribe(self.host)
  self.options.done = nil
  if self.services then self.services:close() end
  self:flush()
  self.host:kill()
  return last
end

--- It hears nothing until `listen`, at the latest in `done`.
---@param options sotto.instance.options
---@return sotto.instance|nil, string? message, string? name
function M.start(options)
  local self = setmetatable({ options = options, types = {}, commands = json.array {} }, Instance)
  local manager = options.manager
  local started, message, name = host.start {
    limits = manager.limits, owner = self, adopt = manager.adopt, program = manager.program,
  }
  if not started then return nil, message, name end
  self.host = started
  return self
end

return M
