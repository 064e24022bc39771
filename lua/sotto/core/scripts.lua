-- SPDX-License-Identifier: GPL-3.0-or-later
-- Scripts in the core's care: loading, reloading, watching over and ending them. The methods of the noun `scripts`.
local asking = require "sotto.core.scripts.asking"
local journal = require "sotto.core.scripts.journal"
local json = require "sotto.json"
local lives = require "sotto.core.scripts.lives"
local loop = require "sotto.loop"
local paths = require "sotto.core.paths"
local registry = require "sotto.core.scripts.registry"
local source = require "sotto.core.scripts.source"
local startup = require "sotto.core.scripts.startup"
local supervisor = require "sotto.core.scripts.supervisor"
local sys = require "sotto.sys"
local trial = require "sotto.core.scripts.trial"

local M = {}

M.SCRIPTS_MAX = 200
local WATCH_MS = 1000

---@class sotto.scripts.entry
---@field name string|nil nil until its first declaration
---@field path string
---@field hash string of what runs
---@field needs string[] what the running text names
---@field granted string[] what a person has granted
---@field config sotto.configured|nil what config.lua says of it
---@field discussions string[]|nil
---@field arguments string[]
---@field life sotto.supervisor
---@field instance sotto.instance|nil
---@field journal sotto.journal
---@field source sotto.source|nil
---@field waits string|nil why it waits for the user
---@field owner table|nil the client that it ends with
---@field memory sotto.scripts.memory|nil it is on trial
---@field attempt fun(reason: string, name: string)|nil ends the start of a text that has not run its main chunk yet
---@field last integer|nil seq of the last event that a process of it was given
---@field ended boolean|nil it is no longer among the entries

---@class sotto.scripts
---@field entries sotto.scripts.entry[]
---@field limits table<string, integer>
---@field config sotto.configured[] in order
---@field configured table<string, sotto.configured> by path
local Scripts = {}
Scripts.__index = Scripts

for _, part in ipairs { lives, startup, trial, asking } do
  for name, f in pairs(part) do Scripts[name] = f end
end

-- --- finding and telling -----------------------------------------------------------------------------------

--- What it is called: as it has declared itself, and before that as its file.
---@param entry sotto.scripts.entry
---@return string
function Scripts.label(entry) return entry.name or (entry.path:match("[^/]*$"):gsub("%.lua$", "")) end

---@param name string
---@return sotto.scripts.entry|nil, string? message, string? error
function Scripts:find(name)
  for _, of in ipairs { function(entry) return entry.name end, self.label } do
    for _, entry in ipairs(self.entries) do
      if of(entry) == name then return entry end
    end
  end
  return nil, ("there is no script '%s'"):format(name), "not_found"
end

---@param path string
---@return sotto.scripts.entry|nil
function Scripts:at_path(path)
  for _, entry in ipairs(self.entries) do
    if entry.path == path then return entry end
  end
end

--- A script that does not run yet.
---@param fields table
---@return sotto.scripts.entry
function Scripts:add_entry(fields)
  local entry = {
    needs = {}, granted = {}, arguments = {}, watch = false, life = supervisor.new(), journal = journal.new(),
  }
  for name, value in pairs(fields) do entry[name] = value end
  self.entries[#self.entries + 1] = entry
  return entry
end

function Scripts:remove(entry)
  for i, other in ipairs(self.entries) do
    if other == entry then table.remove(self.entries, i) end
  end
end

local STATES = {
  stopped = "stopped", starting = "starting", running = "running", resting = "failed", disabled = "disabled",
}

local function copy_list(list) return json.array { table.unpack(list) } end

function Scripts.view(entry)
  local own = entry.instance
  local declared = own and own.declared or {}
  return {
    name = Scripts.label(entry), path = entry.path,
    version = declared.version or json.null, help = declared.help or "",
    state = entry.waits and "waiting" or STATES[entry.life.state],
    reason = entry.waits or entry.life.reason or json.null,
    needs = copy_list(entry.needs), discussions = entry.discussions and copy_list(entry.discussions) or json.null,
    commands = own and own.commands or json.array {}, admission = own ~= nil and own.admission == true,
    pid = own and not own.host.over and own.host.pid or json.null,
    temporary = entry.owner ~= nil, configured = entry.config ~= nil, watch = entry.watch,
  }
end

function Scripts:publish(type, noun, object) self.event(type, noun, assert(json.encode(object))) end

--- A line that a script has printed.
---@param entry sotto.scripts.entry
---@param level string
---@param text string
function Scripts:log(entry, level, text)
  entry.journal:add(sys.now_ms(), level, text)
  self:publish("script.log", "log", { name = self.label(entry), level = level, text = text })
end

-- --- load and reload ---------------------------------------------------------------------------------------

function Scripts:load(client, params, answer)
  if #self.entries >= M.SCRIPTS_MAX then return nil, "too many scripts", "busy" end
  local path, message, name = sys.realpath(params.path)
  if not path then return nil, message, name end
  local there = self:at_path(path)
  if there and there.life.state ~= "stopped" then
    return nil, ("it is loaded already, as '%s': reload reads it again"):format(self.label(there)), "wrong_state"
  end
  local text, problem, kind = source.read(path)
  if not text then return nil, problem, kind end
  if there then self:remove(there) end
  local config = self.configured[path]
  local entry = self:add_entry {
    path = path, hash = text.hash, config = config,
    discussions = params.discussions or config and config.discussions,
    arguments = params.arguments or config and config.arguments or {},
    owner = (params.temporary or params.trial) and client or nil, memory = params.trial and trial.memory() or nil,
    watch = params.watch or config ~= nil and config.watch,
  }
  entry.life:load(loop.now())
  self:start_text(entry, text, {
    grant = params.grant, inherit = params.inherit,
    refused = function(reason, reason_name)
      self:end_entry(entry)
      answer(nil, reason, reason_name)
    end,
  }, answer)
  return answer
end

local function saved_state(entry, continue)
  if not entry.instance or entry.instance.host.over then return continue(nil) end
  -- a host that ends meanwhile is seen to first: what comes next must not be taken for its replacement
  entry.instance.host:ask("save", {}, function(state) loop.defer(function() continue(state) end) end)
end

function Scripts:reload(_, params, answer)
  local entry, missing, missing_name = self:find(params.name)
  if not entry then return nil, missing, missing_name end
  if entry.reloading or entry.attempt then return nil, "it is being loaded already", "busy" end
  local text, problem, kind = source.read(entry.path)
  if not text then return nil, problem, kind end
  entry.reloading = true
  saved_state(entry, function(state)
    local was_running = entry.instance ~= nil and not entry.instance.host.over
    if not was_running then entry.life:load(loop.now()) end
    self:start_text(entry, text, {
      grant = params.grant, state = state,
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
  local entry, missing, missing_name = self:find(params.name)
  if not entry then return nil, missing, missing_name end
  local admitted = entry.instance ~= nil and entry.instance.admission
  self:end_entry(entry)
  local object = self.view(entry)
  object.state = "stopped"
  self:publish("script.changed", "script", object)
  if admitted then self.policies_changed() end
  -- what config.lua names is there again with the next core, unless its text has changed meanwhile
  if not entry.owner and not entry.config and entry.name then
    local ok, message, name = self.registry:drop(entry.name)
    if not ok then return nil, message, name end
  end
  return {}
end

--- Erases what a script has stored that is loaded no longer.
function Scripts:erase(_, params)
  local entry = self:find(params.name)
  if entry then return nil, ("'%s' is loaded: unload it first"):format(params.name), "wrong_state" end
  return self.registry:drop_values(params.name)
end

-- --- the other methods -------------------------------------------------------------------------------------

function Scripts:show_log(_, params)
  local entry, missing, missing_name = self:find(params.name)
  if not entry then return nil, missing, missing_name end
  return { name = self.label(entry), lines = json.array(entry.journal:list()) }
end

function Scripts:command(_, params, answer)
  local entry, missing, missing_name = self:find(params.name)
  if not entry then return nil, missing, missing_name end
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
      local returned = false
      -- an answer that is there at once still comes on a later turn
      local function answer_later(...)
        if returned then return answer(...) end
        local results = table.pack(...)
        loop.defer(function() answer(table.unpack(results, 1, results.n)) end)
      end
      local result, message, name = method(self, client, params, answer_later)
      returned = true
      if result == answer_later then return false end
      return result, message, name
    end
  end
  return {
    ["scripts.load"] = later(self.load), ["scripts.reload"] = later(self.reload),
    ["scripts.unload"] = later(self.unload), ["scripts.list"] = later(self.list),
    ["scripts.log"] = later(self.show_log), ["scripts.command"] = later(self.command),
    ["scripts.erase"] = later(self.erase),
    ["scripts.explain"] = later(self.explain),
    ["scripts.advance"] = later(self.advance),
  }
end

-- --- the core's end ----------------------------------------------------------------------------------------

--- A client has gone: what was loaded for as long as it is there ends.
---@param client table
function Scripts:client_gone(client)
  for i = #self.entries, 1, -1 do
    local entry = self.entries[i]
    if entry.owner == client then self:end_entry(entry) end
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
---@field config sotto.configured[]
---@field opened fun() those of before were started
---@field policies_changed fun() policies run that have not run before, or the other way round

---@param options sotto.scripts.options
---@return sotto.scripts
function M.new(options)
  local self = setmetatable({ entries = {}, registry = registry.new(options.engine) }, Scripts)
  for name, value in pairs(options) do self[name] = value end
  self.program = paths.program "sotto-host"
  self.configured = {}
  for _, item in ipairs(self.config) do self.configured[item.path] = item end
  self.watcher = loop.every(WATCH_MS, function() self:look_at_files() end):background()
  return self
end

-- Reloads it where its text is neither what runs nor what was tried, or tells why it cannot be. A file that has gone
-- for a moment, as some editors save, is looked for again.
local function look_at_text(self, entry)
  local text, problem, kind = source.read(entry.path)
  if not text and kind ~= "bad_input" then return end
  local found = text and text.hash or problem
  if found == entry.hash then entry.tried = nil end
  if found == entry.hash or found == entry.tried then return end
  entry.tried = found
  if not text then return self:log(entry, "error", problem .. " (the old text keeps running)") end
  self:reload(nil, { name = entry.name }, function(result, message)
    self:log(entry, result and "info" or "error", result and "reloaded" or message)
  end)
end

--- Watched scripts are reloaded once their files have changed; one that waits for the user goes on waiting.
function Scripts:look_at_files()
  for _, entry in ipairs(self.entries) do
    if entry.watch and entry.name and not entry.waits and not entry.reloading and not entry.attempt then
      local stamp = source.stamp(entry.path)
      if not stamp or stamp ~= entry.stamp then
        entry.stamp = stamp
        look_at_text(self, entry)
      end
    end
  end
end

return M
