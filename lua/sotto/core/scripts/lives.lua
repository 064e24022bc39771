-- SPDX-License-Identifier: GPL-3.0-or-later
-- The lives of scripts: what the supervisor asks for, carried out. Part of sotto.core.scripts.
local instance = require "sotto.core.scripts.instance"
local json = require "sotto.json"
local log = require "sotto.log"
local loop = require "sotto.loop"
local sys = require "sotto.sys"

local lives = {}

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

-- a script that has failed, or waits for the user
local function tell(self, entry, reason)
  log.warn("script %s: %s", self.label(entry), (reason:match("^[^\n]*")))
  entry.journal:add(sys.now_ms(), "error", reason)
  self:publish("script.failed", "script", self.view(entry))
end

local function runs(entry) return entry.instance ~= nil and not entry.instance.host.over end

-- ends the start of a text that has not run its main chunk yet
local function give_up(entry, reason, name)
  local refuse = entry.attempt
  entry.attempt = nil
  if refuse then refuse(reason, name) end
end

--- Does what the supervisor asks for.
function lives:carry_out(entry, act, told)
  if act == "kill" and entry.attempt and not runs(entry) then
    -- whoever loads it hears of that, and nothing is there that could start again
    return give_up(entry, entry.life.reason, "timeout")
  end
  if act == "kill" and entry.instance then
    entry.last = entry.instance:kill() or entry.last
    entry.instance = nil
  end
  if told then tell(self, entry, entry.life.reason) end
  if act == "spawn" then self:spawn(entry) end
  plan(self, entry)
end

function lives:fail(entry, reason, alive) self:carry_out(entry, entry.life:failed(loop.now(), reason, alive)) end

--- It does not run until a person says so.
---@param entry sotto.scripts.entry
---@param reason string
function lives:wait(entry, reason)
  self:carry_out(entry, entry.life:stop())
  entry.waits = reason
  tell(self, entry, reason, false)
end

--- Ends it, and forgets it.
function lives:end_entry(entry)
  entry.ended = true
  give_up(entry, "it was ended before its main chunk had run", "canceled")
  self:carry_out(entry, entry.life:stop())
  if entry.instance then entry.instance:kill() end
  entry.instance = nil
  self:remove(entry)
end

-- --- grants --------------------------------------------------------------------------------------------------------

--- What it may have: what a person has granted, and what config.lua grants for as long as it says so.
---@param entry sotto.scripts.entry
---@return string[] granted, boolean all config.lua grants whatever the script names
local function grants_of(entry)
  local config = entry.config or {}
  local granted = { table.unpack(entry.granted) }
  for _, need in ipairs(type(config.grant) == "table" and config.grant or {}) do granted[#granted + 1] = need end
  return granted, config.grant == true
end

-- a person has agreed to these: what config.lua has granted, it goes on granting
local function note_granted(entry, needs)
  local config, kept = entry.config or {}, {}
  if config.grant == true then return end
  local by_config = {}
  for _, need in ipairs(config.grant or {}) do by_config[need] = true end
  for _, need in ipairs(needs) do
    if not by_config[need] then kept[#kept + 1] = need end
  end
  entry.granted = kept
end

-- --- starts --------------------------------------------------------------------------------------------------------

local function copy_list(list) return json.array { table.unpack(list) } end

local function keep(self, entry)
  if entry.owner then return true end
  return self.registry:put {
    name = entry.name, path = entry.path, hash = entry.hash, needs = copy_list(entry.granted),
    discussions = entry.discussions and copy_list(entry.discussions) or nil,
    arguments = copy_list(entry.arguments), watch = entry.watch, configured = entry.config ~= nil,
  }
end

-- the new process has run its main chunk: it takes the place of the old one
local function take_place(self, entry, fresh, text)
  if entry.instance and entry.instance ~= fresh then entry.last = entry.instance:kill() or entry.last end
  local before = entry.name
  entry.instance, entry.source, entry.hash = fresh, text, text.hash
  entry.name, entry.needs, entry.waits = fresh.declared.name, fresh.declared.needs, nil
  note_granted(entry, entry.needs)
  local ok, message, name = keep(self, entry)
  -- under its old name it would come again with the next core
  if ok and before and before ~= entry.name and not entry.owner then
    ok, message, name = self.registry:drop(before)
  end
  if not ok then return nil, "it could not be remembered: " .. tostring(message), name end
  fresh:listen(entry.last)
  entry.life:has_started(loop.now())
  plan(self, entry)
  self:publish("script.changed", "script", self.view(entry))
  if fresh.admission then self.policies_changed() end
  return true
end

--- A start of what has run before, or of what config.lua names: nothing new is granted.
function lives:spawn(entry)
  local granted, all = grants_of(entry)
  local fresh
  local started, message = instance.start({
    manager = self, source = entry.source, script = entry, granted = granted, grant = all,
    done = function(ok, problem, kind)
      if not ok and kind == "refused" then return self:wait(entry, problem) end
      if ok then ok, problem = take_place(self, entry, fresh, entry.source) end
      if not ok then self:fail(entry, problem, true) end
    end,
    failed = function(reason, last)
      entry.last = last or entry.last
      self:fail(entry, reason, false)
    end,
  })
  if not started then return self:fail(entry, message, false) end
  fresh, entry.instance = started, started
end

---@class sotto.scripts.attempt
---@field grant boolean what the text names is granted
---@field inherit boolean|nil
---@field state any for `restore`
---@field refused fun(message: string, name: string|nil)

--- Starts a text beside what may run already; answer gets the script, or options.refused why not.
---@param entry sotto.scripts.entry
---@param text sotto.source
---@param options sotto.scripts.attempt
---@param answer fun(script: table)
function lives:start_text(entry, text, options, answer)
  if entry.ended then return options.refused("it was ended meanwhile", "canceled") end
  local granted, all = grants_of(entry)
  local fresh
  local function refuse(problem, kind)
    fresh:kill()
    options.refused(problem, kind)
  end
  local started, message, name = instance.start({
    manager = self, source = text, script = entry, granted = granted, grant = all or options.grant,
    inherit = options.inherit,
    state = options.state,
    done = function(ok, problem, kind)
      entry.attempt = nil
      if not ok then return refuse(problem, kind) end
      -- what ran before may have failed meanwhile: this start is a person's, and takes its place
      if entry.life.state == "resting" or entry.life.state == "disabled" then entry.life:load(loop.now()) end
      ok, problem, kind = take_place(self, entry, fresh, text)
      if not ok then return options.refused(problem, kind) end
      answer(self.view(entry))
    end,
    failed = function(reason, last)
      if entry.instance ~= fresh then return end
      entry.last = last or entry.last
      self:fail(entry, reason, false)
    end,
  })
  if not started then return options.refused(message, name) end
  fresh, entry.attempt = started, refuse
  plan(self, entry)
end

return lives
