-- SPDX-License-Identifier: GPL-3.0-or-later
-- sotto-host: the process of one script. It speaks JSON-RPC with the core over descriptor 0, both ways. Nothing of a
-- script runs before the process has given up what a script must not have.
local bot = require "sotto.script.bot"
local calls = require "sotto.script.calls"
local clock = require "sotto.script.clock"
local confine = require "sotto.confine"
local json = require "sotto.json"
local loop = require "sotto.loop"
local objects = require "sotto.script.objects"
local policies = require "sotto.script.policies"
local sandbox = require "sotto.script.sandbox"
local script = require "sotto.script.script"
local services = require "sotto.script.services"
local store = require "sotto.script.store"
local tasks = require "sotto.script.tasks"
local times = require "sotto.script.times"

local M = {}

-- the core takes lines of 1 MiB, and sends longer ones
local LINE_MAX, READ_MAX, QUEUE_MAX = (1 << 20) - 1, 16 << 20, 8 << 20
local PRINT_MAX = 16 << 10

---@class sotto.script.host
---@field script sotto.script|nil
local Host = {}
Host.__index = Host

-- --- the wire ----------------------------------------------------------------------------------------------

-- a core that cannot be told anything any more will end this process, or has ended
function Host:send(message)
  message.jsonrpc = "2.0"
  local line, problem = json.encode(message)
  if not line then return nil, problem, "bad_params" end
  if #line > LINE_MAX then return nil, "this is too long for one call", "too_large" end
  return self.stream:send(line)
end

function Host:notify(method, params) return self:send { method = method, params = params } end

function Host:request(method, params, answer)
  self.last = self.last + 1
  self.waiting[self.last] = answer
  local sent, message, name = self:send { id = self.last, method = method, params = params }
  if not sent then
    self.waiting[self.last] = nil
    answer(nil, message, name)
  end
end

--- From inside a task.
function Host:call(method, params)
  return self.tasks:wait(function(answer) self:request(method, params, answer) end)
end

local function answer_call(self, message)
  local answer = self.waiting[message.id]
  self.waiting[message.id] = nil
  if not answer then return end
  if not message.error then return answer(message.result == nil and json.null or message.result) end
  answer(nil, message.error.message, message.error.data and message.error.data.name or "internal")
end

--- Calls the function once no call waits for the core's answer.
function Host:when_settled(f)
  if not next(self.waiting) then return f() end
  self.settling = f
end

local function take_answer(self, message)
  answer_call(self, message)
  local settling = self.settling
  if not settling or next(self.waiting) then return end
  self.settling = nil
  settling()
end

function Host:log(level, text)
  if #text > PRINT_MAX then text = text:sub(1, PRINT_MAX) .. " …" end
  if not utf8.len(text) then text = text:gsub("[\x80-\xff]", "?") end
  self:notify("script.log", { level = level, text = (text:gsub("%z", "")) })
end

-- --- what a script is given --------------------------------------------------------------------------------

local function host_services(self)
  return {
    check_event = function(type)
      if not self.event_types[type] then return ("there is no event '%s'"):format(tostring(type)) end
      if self.hears[type] then return nil end
      return ("'%s' does not come to this script: it needs another capability"):format(type)
    end,
    log = function(level, text) self:log(level, text) end,
    listen = function(type)
      if self.listening[type] then return end
      self.listening[type] = true
      self:notify("script.listen", { type = type })
    end,
    changed = function() if self.started then self:notify("script.changed", self:description()) end end,
    start_timer = function(ms, f, period) return self:start_timer(ms, f, period) end,
    may_admit = function() return self.granted.proposals end,
  }
end

-- A timer's work is announced, so that the core's clock runs meanwhile.
function Host:start_timer(ms, f, period)
  if not self.granted.timers then error("timers need the capability 'timers'", 4) end
  local own = self.script
  own.timer_count = own.timer_count + 1
  local timer, active
  local function stop()
    if active then own.timer_count = own.timer_count - 1 end
    active = false
    timer:stop()
  end
  local function fire()
    if not period then stop() end
    self:notify("script.busy")
    self.tasks:run("a timer", f, function(_, problem)
      if problem then self:log("error", "a timer: " .. problem) end
    end)
    self:notify("script.idle")
  end
  active = true
  timer = (period and self.clock.every or self.clock.after)(ms, fire)
  return {
    stop = stop,
    reschedule = function(_, time)
      local again, problem = times.parse(time)
      if not again then error(problem, 2) end
      if not active then own.timer_count = own.timer_count + 1 end
      active = true
      timer:restart(again)
    end,
  }
end

-- what the core is told of a script once its main chunk has run, and when it changes
function Host:description()
  local own = self.script
  local commands = json.array {}
  for name, command in pairs(own.commands) do
    commands[#commands + 1] = { name = name, args = command.args, help = command.help }
  end
  table.sort(commands, function(a, b) return a.name < b.name end)
  return { commands = commands, admission = #own.policies > 0, health = own.health_check ~= nil }
end

local function declare(self, declaration)
  local problem = script.check(declaration)
  if problem then error(problem, 3) end
  if self.script then error("a script calls sotto.script once", 3) end
  local needs = json.array { table.unpack(declaration.needs or {}) }
  local answer, message = self:call("script.declare", {
    name = declaration.name, version = declaration.version, api = declaration.api, needs = needs,
    help = declaration.help,
  })
  if message then error(message, 3) end
  for _, need in ipairs(needs) do self.granted[need] = true end
  for _, type in ipairs(answer.hears or {}) do self.hears[type] = true end
  local own = script.new(declaration, host_services(self))
  self.script = own
  if self.granted.store then
    own.store = store.new(answer.store or {}, function(set, drop)
      return self:notify("script.put", { set = json.array(set), drop = json.array(drop) })
    end)
  end
  return own
end

local function print_line(self)
  return function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    self:log("info", table.concat(parts, "\t"))
  end
end

-- the module that require "sotto" gives
function Host:module(methods)
  local nouns = calls.nouns(methods, function(method, params) return self:call(method, params) end)
  local module = setmetatable({}, { __index = function(_, name)
    error(("there is no sotto.%s"):format(tostring(name)), 2)
  end })
  for noun, list in pairs(nouns) do module[noun] = list end
  local sources = { time = self.clock.time, now = self.clock.now }
  -- with "files:PATH"
  function sources.read(path) return module.files.read(path) end

  for name, value in pairs(policies.library(sources)) do module[name] = value end
  -- no tail call: errors name the script's line
  module.script = function(declaration)
    local own = declare(self, declaration)
    return own
  end
  module.bot = function(declaration)
    local options, problem = bot.options(declaration)
    if not options then error(problem, 2) end
    local own = declare(self, options.declaration)
    bot.make(own, options, { nouns = nouns, now = self.clock.now })
    return own
  end
  module.null, module.array = json.null, json.array
  module.json = { encode = json.encode, decode = json.decode }
  module.sleep = function(time)
    local ms, problem = times.parse(time)
    if not ms then error(problem, 2) end
    self.tasks:wait(function(answer) self.clock.after(ms, answer) end)
  end
  local world, take_process = services.new {
    call = function(method, params) return self:call(method, params) end,
    run = function(name, f, ...)
      self.tasks:run(name, f, function(_, problem)
        if problem then self:log("error", name .. ": " .. problem) end
      end, ...)
    end,
  }
  for name, service in pairs(world) do module[name] = service end
  self.take_process = take_process
  self.objects = objects.new(nouns)
  return module
end

-- --- what the core asks ------------------------------------------------------------------------------------

local requests = {}

-- Reads the text before anything of it runs; then it runs as a task.
function Host:start(params, answer)
  local files = {}
  for _, file in ipairs(params.source.files) do files[file.path] = file.text end
  for _, type in ipairs(params.event_types) do self.event_types[type] = true end
  if params.clock == "standing" then self.clock = clock.standing() end
  local environment = sandbox.environment {
    files = files, modules = { sotto = self:module(params.methods) }, print = print_line(self),
    coroutine = tasks.coroutine_library(), time = self.clock.time,
  }
  environment.arg = params.arguments or {}
  local main = params.source.main
  local chunk, problem = load(files[main], "@" .. main, "t", environment)
  if not chunk then return answer(nil, problem) end
  self.tasks:run("the main chunk", function(...)
    chunk(...)
    if not self.script then error("the script has not called sotto.script{ name = …, version = …, api = 1 }", 0) end
    if params.state ~= nil and params.state ~= json.null and self.script.restore_state then
      self.script.restore_state(params.state)
    end
    return true
  end, function(ok, failure)
    if not ok then return answer(nil, failure) end
    self.started = true
    answer(self:description())
  end, table.unpack(environment.arg))
end

requests["start"] = function(self, params, answer) self:start(params, answer) end

requests["ping"] = function(_, _, answer) answer {} end

requests["stop"] = function(self, _, answer)
  answer {}
  self.stream:close()
  loop.defer(loop.stop)
end

-- Of a clock that stands: what is due meanwhile happens, one after the other, each with the calls that it makes.
requests["advance"] = function(self, params, answer)
  if not self.clock.advance then return answer(nil, "this script has the machine's time", "wrong_state") end
  self.clock.advance(params.ms, function(go_on) self:when_settled(go_on) end, function() answer {} end)
end

requests["save"] = function(self, _, answer)
  local save = self.script and self.script.save_state
  if not save then return answer(json.null) end
  self.tasks:run("save", save, function(state, problem)
    if problem then return answer(nil, problem) end
    answer(state == nil and json.null or state)
  end)
end

requests["health"] = function(self, _, answer)
  local results = json.array {}
  local check = self.script and self.script.health_check
  if not check then return answer(results) end
  local function say(status)
    return function(text) results[#results + 1] = { status = status, text = tostring(text) } end
  end
  self.tasks:run("health", check, function(_, problem)
    if problem then say("fail")(problem) end
    answer(results)
  end, { ok = say "ok", warn = say "warn", fail = say "fail" })
end

requests["command"] = function(self, params, answer)
  local command = self.script and self.script.commands[params.name]
  if not command then return answer(nil, ("there is no command '%s'"):format(tostring(params.name)), "not_found") end
  self.tasks:run("/" .. params.name, command.f, function(reply, problem)
    if problem then return answer(nil, problem) end
    answer { reply = reply ~= nil and tostring(reply) or json.null }
  end, { name = params.name, from = params.from }, table.unpack(params.arguments or {}))
end

requests["admission"] = function(self, params, answer)
  self.tasks:run("an admission", function()
    for _, policy in ipairs(self.script and self.script.policies or {}) do
      local ok, opinion = pcall(policy.f, params.request)
      if not ok then
        self:log("error", "an admission: " .. tostring(opinion))
      elseif policies.is_answer(opinion) then
        return {
          answer = opinion.answer, reason = opinion.reason, time = opinion.time, priority = policy.priority,
        }
      elseif opinion ~= nil then
        self:log("error", "an admission answered neither consent, refuse, later nor nil: it has no opinion")
      end
    end
    return json.null
  end, function(opinion, problem)
    if problem then return answer(nil, problem) end
    answer(opinion)
  end)
end

-- An event's handlers run one after the other, those of higher priority first.
function Host:take_event(event)
  local list = self.script and self.script.events[event.type]
  if not list then return end
  local noun = self.noun_of(event)
  local object = self.objects.wrap(noun, event[noun] or {})
  for _, wanting in ipairs(list:wanting(object)) do
    local stop
    local arguments = table.move(wanting.captures, 1, #wanting.captures, 2, { object })
    arguments[#arguments + 1] = event
    self.tasks:run(event.type, wanting.f, function(result, problem)
      if problem then self:log("error", event.type .. ": " .. tostring(problem)) end
      stop = result == true
    end, table.unpack(arguments))
    if stop then return end
  end
end

-- the field that holds the object: the one that is neither seq, type nor time
function Host.noun_of(event)
  for name, value in pairs(event) do
    if type(value) == "table" then return name end
  end
  return ""
end

function Host:take_request(message)
  local handle = requests[message.method]
  local function answer(result, problem, name)
    if problem == nil then
      local sent, failure = self:send { id = message.id, result = result }
      if not sent then answer(nil, failure, "internal") end
      return
    end
    local failure = { code = -32000, message = tostring(problem), data = { name = name or "script" } }
    self:send { id = message.id, error = failure }
  end
  if not handle then return answer(nil, "this host knows no " .. tostring(message.method), "not_found") end
  handle(self, message.params or {}, answer)
end

-- Each line is acknowledged once the work that it began has ended, or waits.
function Host:take_line(line)
  local message = json.decode(line, { nulls = true })
  if type(message) ~= "table" then return end
  if message.method == "event" then
    self:take_event(message.params)
  elseif message.method == "process" then
    self.take_process(message.params)
  elseif message.method then
    self:take_request(message)
  elseif message.id then
    take_answer(self, message)
  end
  self:notify("script.done")
end

-- --- life --------------------------------------------------------------------------------------------------

local function new()
  local self = setmetatable({
    waiting = {}, last = 0, listening = {}, event_types = {}, hears = {}, granted = {}, started = false,
    clock = clock.real(),
  }, Host)
  self.tasks = tasks.new {
    after = function(ms, f) return loop.after(ms, f) end,
    complain = function(text) self:log("error", text) end,
  }
  self.stream = loop.stream(0, {
    line = function(line) self:take_line(line) end,
    -- without a core there is nothing to do
    close = function() loop.stop() end,
    max_line = READ_MAX, max_queue = QUEUE_MAX,
  })
  return self
end

--- The program.
---@param arguments string[] memory, descriptors, file_size, processor: the limits in bytes, numbers, percent
---@return integer status
function M.run(arguments)
  local limits = {
    memory = math.tointeger(tonumber(arguments[1])), descriptors = math.tointeger(tonumber(arguments[2])),
    file_size = math.tointeger(tonumber(arguments[3])), processor = math.tointeger(tonumber(arguments[4])),
  }
  local self = new()
  -- the loop's own descriptors are made with its first turn
  loop.defer(function()
    local ok, message = confine.enter(limits)
    if ok then
      self:notify("script.hello")
    else
      io.stderr:write("sotto-host: ", message, "\n")
      loop.stop()
    end
  end)
  loop.run()
  return 0
end

return M
