-- SPDX-License-Identifier: GPL-3.0-or-later
-- One host at work, seen from the core: a process, its line to the core, and the clock that runs while it owes an
-- answer. It is one more client of rpc and events, with less in its reach.
local environment = require "sotto.core.scripts.environment"
local errors = require "sotto.core.errors"
local json = require "sotto.json"
local loop = require "sotto.loop"
local rates = require "sotto.core.scripts.rates"
local services = require "sotto.core.scripts.services"
local sys = require "sotto.sys"

local M = {}

--- A wait of the host's may last so many times the limit of running time: it runs at nice 19, and the machine may be
--- busy.
M.WALL_FACTOR = 10
--- An idle host is asked for a sign of life so often.
M.PING_MS = 15000
local WATCH_MS = 50

---@class sotto.host.options
---@field limits table<string, integer> see sotto.core.scripts.init
---@field owner sotto.host.owner
---@field adopt fun(fd: integer, client: table): table the control socket's handle for our end
---@field program string

---@class sotto.host.owner what it is told
---@field declare fun(self, params: table): table|nil, string?, string?
---@field event fun(self, method: string, params: table)
---@field call fun(self, request: table) a call of the API or of a service, that the rates let through
---@field flush fun(self) what it has stored is on the disk before it is answered for
---@field ended fun(self, reason: string) once; the process is gone, or killed

---@class sotto.host
---@field pid integer
local Host = {}
Host.__index = Host
--- What it says in its user's name is marked as a policy's.
Host.is_script = true

-- --- the clock ---------------------------------------------------------------------------------------------

-- what it owes: lines that were sent and not acknowledged, oldest first; and its own timers' work
local function owe(self, limit)
  self.owed[#self.owed + 1] = { limit = limit, since = loop.now(), cpu = sys.cpu_ms(self.pid) or 0 }
  if not self.watch then self.watch = loop.every(WATCH_MS, function() self:look() end):background() end
end

local function settle(self)
  table.remove(self.owed, 1)
  -- what comes next could not begin before
  local following = self.owed[1]
  if following then
    following.since, following.cpu = loop.now(), sys.cpu_ms(self.pid) or following.cpu
  elseif self.watch then
    self.watch:stop()
    self.watch = nil
  end
end

function Host:look()
  local oldest = self.owed[1]
  if not oldest or self.over then return end
  local used = (sys.cpu_ms(self.pid) or oldest.cpu) - oldest.cpu
  local waited = loop.now() - oldest.since
  if used >= oldest.limit then
    self:fail(("a handler ran for more than %d ms"):format(oldest.limit))
  elseif waited >= oldest.limit * M.WALL_FACTOR then
    self:fail(("a handler gave no sign of life for %d ms"):format(waited))
  end
end

-- --- as a client -------------------------------------------------------------------------------------------

-- the answer to a call of the host's
function Host:reply(text)
  if self.over then return end
  local ok, _, name = self.handle:send(text)
  if ok then
    owe(self, self.limits.handler_ms)
  elseif name == "busy" then
    self:fail "it does not read what it is sent"
  end
end

--- An event's line; nil where there is no room, and events.lua tells the lag later.
function Host:send(line)
  if self.over then return nil, "the host has ended", "wrong_state" end
  local ok, message, name = self.handle:send(line)
  if ok then owe(self, self.limits.handler_ms) end
  return ok, message, name
end

--- Tells the host something.
---@param method string
---@param params table
function Host:tell(method, params)
  return self:send(assert(json.encode { jsonrpc = "2.0", method = method, params = params }))
end

function Host:queued() return self.over and math.maxinteger or self.handle:queued() end

--- Asks the host. The answer comes once: the result; or nil, a message and a name.
---@param method string
---@param params table
---@param answer fun(result: any, message?: string, name?: string)
---@param limit? integer milliseconds of running time
function Host:ask(method, params, answer, limit)
  if self.over then return answer(nil, "the script is not running", "wrong_state") end
  self.last = self.last + 1
  local line, problem = json.encode { jsonrpc = "2.0", id = self.last, method = method, params = params }
  if not line then return answer(nil, problem, "internal") end
  local ok, message, name = self.handle:send(line)
  if not ok then return answer(nil, message, name) end
  self.asked[self.last] = answer
  owe(self, limit or self.limits.handler_ms)
end

local function take_answer(self, message)
  local answer = self.asked[message.id]
  self.asked[message.id] = nil
  if not answer then return end
  self.owner:flush()
  if message.error then
    local problem = type(message.error) == "table" and message.error or {}
    local name = type(problem.data) == "table" and problem.data.name
    return answer(nil, tostring(problem.message), errors.codes[name] and name or "internal")
  end
  answer(message.result == nil and json.null or message.result)
end

-- --- what the host says ------------------------------------------------------------------------------------

local own = {}

own["script.done"] = function(self) settle(self) end
own["script.busy"] = function(self) owe(self, self.limits.handler_ms) end
own["script.idle"] = function(self) settle(self) end
own["script.declare"] = function(self, params, id)
  local result, message, name = self.owner:declare(params)
  local problem = not result and errors.make(name or "refused", message) or nil
  self:reply(assert(json.encode { jsonrpc = "2.0", id = id, result = result, error = problem }))
end

local function texts_of(request)
  if request.method ~= "messages.send" then return 0 end
  local texts = type(request.params) == "table" and request.params.texts
  return type(texts) == "table" and math.max(1, #texts) or 1
end

-- Reads on after a moment.
local function pause(self, ms)
  self.handle:pause()
  if self.rest then return end
  self.rest = loop.after(ms, function()
    self.rest = nil
    if not self.over then self.handle:resume() end
  end):background()
end

local function take_call(self, request)
  local verdict = self.rates:take(texts_of(request), loop.now())
  if verdict == "ok" then return self.owner:call(request) end
  if verdict == "flood" then return self:fail "it floods the core with calls" end
  if request.id ~= nil then
    local problem = errors.make("busy", "too many calls: a script may make so many a second, and no more")
    self:reply(assert(json.encode { jsonrpc = "2.0", id = request.id, error = problem }))
  end
  pause(self, rates.REFUSED_MS)
end

-- what it says: not more than anybody reads
local function take_log(self, params)
  local may, unsaid = self.rates:say(loop.now())
  if not may then return end
  if unsaid > 0 then
    self.owner:event("script.log", { level = "warn", text = ("(%d lines were left out.)"):format(unsaid) })
  end
  self.owner:event("script.log", params)
end

own["script.log"] = take_log

--- A line of the host's that was read; nil and why where it could not be.
function Host:take(message, problem)
  if self.over then return end
  local verdict = self.rates:line(loop.now())
  if verdict == "flood" then return self:fail "it floods the core with lines" end
  if verdict == "pause" then pause(self, rates.PAUSE_MS) end
  if message == nil then return self:fail("it sent what is no line of JSON: " .. tostring(problem)) end
  local method = type(message) == "table" and message.method
  if own[method] then
    own[method](self, type(message.params) == "table" and message.params or {}, message.id)
  elseif type(method) == "string" and method:find("^script%.") and not services.has(method) then
    self.owner:event(method, type(message.params) == "table" and message.params or {})
  elseif type(method) == "string" then
    take_call(self, message)
  elseif type(message) == "table" and message.id ~= nil then
    take_answer(self, message)
  end
end

-- --- life --------------------------------------------------------------------------------------------------

local function finish(self, reason)
  if self.over then return end
  self.over = true
  if self.watch then self.watch:stop() end
  if self.rest then self.rest:stop() end
  self.ping:stop()
  self.handle:close()
  local asked = self.asked
  self.asked = {}
  for _, answer in pairs(asked) do answer(nil, "the script has ended: " .. reason, "canceled") end
  self.owner:ended(reason)
end

--- Ends it at once, for a reason that is told.
---@param reason string
function Host:fail(reason)
  if self.over then return end
  self.process:kill "SIGKILL"
  finish(self, reason)
end

--- Ends it without a word.
function Host:kill()
  local function nothing() end
  self.owner = { ended = nothing, event = nothing, call = nothing, flush = nothing }
  self:fail "stopped"
end

--- The control socket has lost it.
function Host:gone() if not self.over then self:fail "it has closed its line to the core" end end

--- Starts one. The owner is told of its end once, unless it is killed before.
---@param options sotto.host.options
---@return sotto.host|nil, string? message, string? name
function M.start(options)
  local limits = options.limits
  local self = setmetatable({
    owner = options.owner, limits = limits, owed = {}, asked = {}, last = 0, outstanding = 0,
    rates = rates.new({
      calls = { rate = limits.calls_per_second, burst = 4 * limits.calls_per_second },
      sends = { rate = limits.sends_per_second, burst = 2 * limits.sends_per_second },
      lines = { rate = limits.lines_per_second, burst = 2 * limits.lines_per_second },
    }, loop.now()),
  }, Host)
  local process, message, name = loop.spawn {
    program = options.program, tostring(limits.memory), tostring(limits.descriptors), tostring(limits.file_size),
    tostring(limits.processor),
    stdin = "socket", stdout = "null", stderr = "pipe", session = true, directory = "/", bare = true,
    environment = environment.passed(),
    on_stderr = function(line)
      if not self.over then take_log(self, { level = "error", text = line:sub(1, 4096) }) end
    end,
    on_exit = function(status, signal)
      local how = signal and "was ended by " .. signal or ("ended with status %d"):format(status)
      finish(self, "its process " .. how)
    end,
  }
  if not process then return nil, message, name end
  self.process, self.pid = process, process.pid
  self.handle = options.adopt(process.socket, self)
  self.ping = loop.every(M.PING_MS, function()
    if #self.owed == 0 then self:ask("ping", {}, function() end) end
  end):background()
  return self
end

return M
