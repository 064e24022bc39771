-- SPDX-License-Identifier: GPL-3.0-or-later
-- Scripts in the core's care: loading, reloading, watching over and ending them. The methods of the noun `scripts`.
local instance = require "sotto.core.scripts.instance"
local journal = require "sotto.core.scripts.journal"
local json = require "sotto.json"
local log = require "sotto.log"
local loop = require "sotto.loop"
local paths = require "sotto.core.paths"
local registry = require "sotto.core.scripts.registry"
local source = require "sotto.core.scripts.source"
local supervisor = require "sotto.core.scripts.supervisor"
local sys = require "sotto.sys"

local M = {}

M.SCRIPTS_MAX = 200
local WATCH_MS, UNLOCK_MS = 1000, 200

---@class sotto.scripts.entry
---@field name string|nil nil until its first declaration
---@field path string
---@field hash string of what runs
---@field needs string[] granted
---@field discussions string[]|nil
---@field arguments string[]
---@field life sotto.supervisor
---@field instance sotto.instance|nil
---@field journal sotto.journal
---@field source sotto.source|nil
---@field waits string|nil why it waits for the user
---@field owner table|nil the client that it ends with

---@class sotto.scripts
---@field entries sotto.scripts.entry[]
---@field limits table<string, integer>
local Scripts = {}
Scripts.__index = Scripts

-- --- finding and telling -----------------------------------------------------------------------------------

---@param name string
---@return sotto.scripts.entry|nil
function Scripts:find(name)
  for _, entry in ipairs(self.entries) do
    if entry.name == name then return entry end
  end
end

local function remove(self, entry)
  for i, other in ipairs(self.entries) do
    if other == entry then table.remove(self.entries, i) end
  end
end

local STATES = {
  stopped = "stopped", starting = "starting", running = "running", resting = "failed", disabled = "disabled",
}

local function copy_list(list) return json.array { table.unpack(list) } end

local function view(entry)
  local own = entry.instance
  local declared = own and own.declared or {}
  return {
    name = entry.name or json.null, path = entry.path,
    version = declared.version or json.null, help = declared.help or "",
    state = entry.waits and "waiting" or STATES[entry.life.state],
    reason = entry.waits or entry.life.reason or json.null,
    needs = copy_list(entry.needs), discussions = entry.discussions and copy_list(entry.discussions) or json.null,
    commands = own and own.commands or json.array {}, admission = own ~= nil and own.admission == true,
    pid = own and not own.host.over and own.host.pid or json.null,
    temporary = entry.owner ~= nil, watch = entry.watch,
  }
end

function Scripts:publish(type, noun, object) self.event(type, noun, assert(json.encode(object))) end

--- A line that a script has printed.
---@param entry sotto.scripts.entry
---@param level string
---@param text string
function Scripts:log(entry, level, text)
  entry.journal:add(sys.now_ms(), level, text)
  self:publish("script.log", "log", { name = entry.name or entry.path:match "[^/]*$", level = level, text = text })
end

-- --- life --------------------------------------------------------------------------------------------------

local function plan(self, entry)
  if entry.timer then entry.timer:stop() end
  entry.timer = nil
  local wake = entry.life.wake
  if not wake then return end
  entry.timer = loop.after(math.max(0, wake - loop.now()), function()
    local act, told = entry.life:tick(loop.now())
    self:carry_out(entry, act, told)
  end):background()
end

--- Does what the supervisor asks for.
function Scripts:carry_out(entry, act, told)
  if act == "kill" and entry.instance then
    entry.last = entry.instance:kill() or entry.last
    entry.instance = nil
  end
  if told then
    log.warn("script %s: %s", entry.name or entry.path, entry.life.reason)
    entry.journal:add(sys.now_ms(), "error", entry.life.reason)
    local object = view(entry)
    object.disabled = told == "disabled"
    self:publish("script.failed", "script", object)
  end
  if act == "spawn" then self:spawn(entry) end
  plan(self, entry)
end

function Scripts:fail(entry, reason, alive) self:carry_out(entry, entry.life:failed(loop.now(), reason, alive)) end

-- a start of what has run before: nothing new is granted
function Scripts:spawn(entry)
  local started, message = instance.start({
    manager = self, source = entry.source, script = entry, granted = entry.needs, grant = false,
    done = function(ok, problem)
      if not ok then return self:fail(entry, problem, true) end
      entry.life:has_started(loop.now())
      plan(self, entry)
    end,
    failed = function(reason) self:fail(entry, reason, false) end,
  }, entry.last)
  if not started then return self:fail(entry, message, false) end
  entry.instance = started
end

local function keep(self, entry)
  if entry.owner then return true end
  return self.registry:put {
    name = entry.name, path = entry.path, hash = entry.hash, needs = copy_list(entry.needs),
    discussions = entry.discussions and copy_list(entry.discussions) or nil,
    arguments = copy_list(entry.arguments), watch = entry.watch,
  }
end

local function end_entry(self, entry)
  self:carry_out(entry, entry.life:stop())
  if entry.instance then entry.instance:kill() end
  entry.instance = nil
  remove(self, entry)
end

-- --- load and reload ---------------------------------------------------------------------------------------

local function same_path(self, path)
  for _, entry in ipairs(self.entries) do
    if entry.path == path then return entry end
  end
end

-- the new process has run its main chunk: it takes the place of the old one
local function adopt_instance(self, entry, fresh, text)
  if entry.instance then entry.last = entry.instance:kill() or entry.last end
  entry.instance, entry.source, entry.hash = fresh, text, text.hash
  entry.name, entry.needs, entry.waits = fresh.declared.name, fresh.declared.needs, nil
  return keep(self, entry)
end

-- Starts the text beside what may run already; answer gets the script, or why not.
local function start_text(self, entry, text, options, answer)
  local fresh
  local started, message, name = instance.start({
    manager = self, source = text, script = entry,
    granted = options.granted, grant = options.grant, state = options.state,
    done = function(ok, problem, kind)
      if not ok then
        fresh:kill()
        return options.refused(problem, kind)
      end
      local kept, reason, reason_name = adopt_instance(self, entry, fresh, text)
      if not kept then return options.refused("it could not be remembered: " .. tostring(reason), reason_name) end
      entry.life:has_started(loop.now())
      plan(self, entry)
      answer(view(entry))
    end,
    failed = function(reason)
      if entry.instance == fresh then self:fail(entry, reason, false) end
    end,
  }, entry.last)
  if not started then return options.refused(message, name) end
  fresh = started
end

function Scripts:load(client, params, answer)
  if #self.entries >= M.SCRIPTS_MAX then return nil, "too many scripts", "busy" end
  local path, message, name = sys.realpath(params.path)
  if not path then return nil, message, name end
  local there = same_path(self, path)
  if there and there.life.state ~= "stopped" then
    return nil, ("it is loaded already, as '%s': reload reads it again"):format(there.name or path), "wrong_state"
  end
  local text, problem, kind = source.read(path)
  if not text then return nil, problem, kind end
  if there then remove(self, there) end
  local entry = {
    path = path, hash = text.hash, needs = {}, discussions = params.discussions, arguments = params.arguments or {},
    life = supervisor.new(), journal = journal.new(),
    owner = params.temporary and client or nil, watch = params.watch == true,
  }
  self.entries[#self.entries + 1] = entry
  entry.life:load(loop.now())
  start_text(self, entry, text, {
    granted = self.granted_by_config[path] or {}, grant = params.grant,
    refused = function(reason, reason_name)
      end_entry(self, entry)
      answer(nil, reason, reason_name)
    end,
  }, answer)
  plan(self, entry)
  return answer
end

local function saved_state(entry, continue)
  if not entry.instance or entry.instance.host.over then return continue(nil) end
  entry.instance.host:ask("save", {}, function(state) continue(state) end)
end

function Scripts:reload(_, params, answer)
  local entry = self:find(params.name)
  if not entry then return nil, ("there is no script '%s'"):format(params.name), "not_found" end
  if entry.reloading then return nil, "it is being reloaded already", "busy" end
  local text, problem, kind = source.read(entry.path)
  if not text then return nil, problem, kind end
  entry.reloading = true
  saved_state(entry, function(state)
    local was_running = entry.instance ~= nil and not entry.instance.host.over
    if not was_running then entry.life:load(loop.now()) end
    start_text(self, entry, text, {
      granted = entry.needs, grant = params.grant, state = state,
      refused = function(reason, name)
        entry.reloading = nil
        if not was_running then self:carry_out(entry, entry.life:stop()) end
        answer(nil, was_running and reason .. " (the old text keeps running)" or reason, name)
      end,
    }, function(result)
      entry.reloading = nil
      answer(result)
    end)
  end)
  return answer
end

function Scripts:unload(_, params)
  local entry = self:find(params.name)
  if not entry then return nil, ("there is no script '%s'"):format(params.name), "not_found" end
  end_entry(self, entry)
  if not entry.owner then
    local ok, message, name = self.registry:drop(entry.name)
    if not ok then return nil, message, name end
  end
  return {}
end

-- --- the other methods -------------------------------------------------------------------------------------

function Scripts:list()
  local out = json.array {}
  for _, entry in ipairs(self.entries) do out[#out + 1] = view(entry) end
  return out
end

function Scripts:show_log(_, params)
  local entry = self:find(params.name)
  if not entry then return nil, ("there is no script '%s'"):format(params.name), "not_found" end
  return { name = entry.name, lines = json.array(entry.journal:list()) }
end

function Scripts:command(_, params, answer)
  local entry = self:find(params.name)
  if not entry then return nil, ("there is no script '%s'"):format(params.name), "not_found" end
  if not entry.instance then return nil, ("'%s' is not running"):format(params.name), "wrong_state" end
  entry.instance.host:ask("command", {
    name = params.command, arguments = json.array { table.unpack(params.arguments or {}) },
  }, answer)
  return answer
end

--- The handlers of rpc.
---@return table<string, sotto.rpc.handler>
function Scripts:handlers()
  local function later(method)
    return function(client, params, answer)
      local result, message, name = method(self, client, params, answer)
      if result == answer then return false end
      return result, message, name
    end
  end
  return {
    ["scripts.load"] = later(self.load), ["scripts.reload"] = later(self.reload),
    ["scripts.unload"] = later(self.unload), ["scripts.list"] = later(self.list),
    ["scripts.log"] = later(self.show_log), ["scripts.command"] = later(self.command),
  }
end

-- --- the core's start and end ------------------------------------------------------------------------------

-- A script of an earlier core: it starts again as it was, unless its text has changed meanwhile.
local function restore(self, row)
  local entry = {
    name = row.name, path = row.path, hash = row.hash, needs = row.needs, discussions = row.discussions,
    arguments = row.arguments or {}, life = supervisor.new(), journal = journal.new(), watch = row.watch == true,
  }
  self.entries[#self.entries + 1] = entry
  local text, message = source.read(row.path)
  if not text then
    entry.waits = message
  elseif text.hash ~= row.hash then
    entry.waits = "its files have changed since it was loaded: reload it once you have looked at them"
  else
    entry.source = text
    self:carry_out(entry, entry.life:load(loop.now()))
  end
  if entry.waits then log.warn("script %s waits: %s", row.name, entry.waits) end
end

-- scripts live in an unlocked store
local function is_unlocked(self)
  local text = self.engine:call("system.info", {}, function() end)
  local info = text and json.decode(text, { nulls = false })
  return info and info.fingerprint and not info.locked
end

--- Starts what was loaded before, as soon as the store is unlocked.
function Scripts:open()
  self.opener = loop.every(UNLOCK_MS, function()
    if not is_unlocked(self) then return end
    self.opener:stop()
    local rows, message = self.registry:rows()
    if not rows then return log.error("scripts: %s", message) end
    for _, row in ipairs(rows) do restore(self, row) end
  end):background()
end

--- A client has gone: what was loaded for as long as it is there ends.
---@param client table
function Scripts:client_gone(client)
  for i = #self.entries, 1, -1 do
    local entry = self.entries[i]
    if entry.owner == client then end_entry(self, entry) end
  end
end

--- Ends all of them.
function Scripts:close()
  for _, entry in ipairs(self.entries) do
    if entry.timer then entry.timer:stop() end
    if entry.instance then entry.instance:kill() end
    entry.instance = nil
  end
  if self.opener then self.opener:stop() end
  self.watcher:stop()
  self.entries = {}
end

---@class sotto.scripts.options
---@field engine sotto.rpc.engine
---@field rpc sotto.rpc
---@field events sotto.events
---@field event fun(type: string, noun: string, text: string) publishes
---@field adopt fun(fd: integer, client: table): table
---@field limits table<string, integer>
---@field granted_by_config table<string, string[]> by path

---@param options sotto.scripts.options
---@return sotto.scripts
function M.new(options)
  local self = setmetatable({ entries = {}, registry = registry.new(options.engine) }, Scripts)
  for name, value in pairs(options) do self[name] = value end
  self.program = paths.program "sotto-host"
  self.environment = {}
  self.watcher = loop.every(WATCH_MS, function() self:look_at_files() end):background()
  return self
end

--- Watched scripts are reloaded once their files have changed.
function Scripts:look_at_files()
  for _, entry in ipairs(self.entries) do
    if entry.watch and not entry.reloading and entry.name then
      local text = source.read(entry.path)
      if text and text.hash ~= entry.hash and text.hash ~= entry.tried then
        entry.tried = text.hash
        self:reload(nil, { name = entry.name }, function(result, message)
          self:log(entry, result and "info" or "error", result and "reloaded" or message)
        end)
      end
    end
  end
end

return M
