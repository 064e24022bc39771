-- SPDX-License-Identifier: GPL-3.0-or-later
-- A connection to a core's control socket as specs use it: calls that wait for their answers, events that wait to be
-- taken, and lines of any kind.
local json = require "sotto.json"
local loop = require "sotto.loop"
local waiting = require "support.waiting"

local M = {}

---@class support.control
---@field name string of its person, for messages
---@field events table[] those that nobody has taken yet
---@field counts table<string, integer> how many events of each type came
---@field strays table[] answers to nobody's question: id null
---@field closed boolean
local Control = {}
Control.__index = Control

local LINE_MAX = 16 << 20

local function take_line(self, line)
  local message = assert(json.decode(line, { nulls = false }), "a line that is no JSON: " .. line:sub(1, 100))
  if message.method == "event" then
    local event = message.params
    self.counts[event.type] = (self.counts[event.type] or 0) + 1
    self.events[#self.events + 1] = event
    if self.on_event then self.on_event(event) end
  elseif message.id then
    self.answered = self.answered + 1
    message.place = self.answered
    self.answers[message.id] = message
  else
    self.strays[#self.strays + 1] = message
  end
  waiting.wake()
end

--- Connects at once; nil where nobody listens.
---@param path string
---@param name string
---@return support.control|nil, string? message
function M.connect(path, name)
  local self = setmetatable({
    name = name, events = {}, counts = {}, answers = {}, strays = {}, last = 0, answered = 0, closed = false,
  }, Control)
  local stream, message = loop.connect_unix(path, {
    max_line = LINE_MAX,
    max_queue = 64 << 20,
    line = function(line) take_line(self, line) end,
    close = function()
      self.closed = true
      waiting.wake()
    end,
  })
  if not stream then return nil, message end
  self.stream = stream
  return self
end

--- A line as it is, without its newline.
function Control:send(line) assert(self.stream:send(line)) end

--- Sends a request and does not wait; the number is for `answer`.
---@param method string
---@param params? table
---@return integer id
function Control:request(method, params)
  self.last = self.last + 1
  assert(self.stream:send_json { jsonrpc = "2.0", id = self.last, method = method, params = params })
  return self.last
end

--- The whole answer to a request.
---@param id any
---@param what? string
---@param ms? integer
---@return table answer with its `place` among all that have come
function Control:answer(id, what, ms)
  local answer = waiting.wait(("%s: an answer to %s"):format(self.name, what or id), function()
    return self.answers[id] or self.closed
  end, ms)
  if answer == true then error(("%s: the core has ended the connection before it answered %s"):format(self.name,
    what or id), 0) end
  self.answers[id] = nil
  return answer
end

--- The core's system.info; nil where the connection ends before there is an answer.
function Control:greet()
  local id = self:request "system.info"
  waiting.wait(self.name .. ": a greeting", function() return self.answers[id] or self.closed end)
  local answer = self.answers[id]
  self.answers[id] = nil
  return answer and answer.result
end

--- Calls, whatever the answer is.
---@param method string
---@param params? table
---@return any result, string? name, string? message nil, and the error's
function Control:try(method, params)
  local answer = self:answer(self:request(method, params), method)
  local problem = answer.error
  if not problem then return answer.result end
  return nil, problem.data.name, problem.message
end

--- Calls, and fails the spec where the answer is an error.
---@param method string
---@param params? table
---@param ms? integer
---@return any result
function Control:call(method, params, ms)
  local answer = self:answer(self:request(method, params), method, ms)
  local problem = answer.error
  if not problem then return answer.result end
  error(("%s: %s: %s (%s)"):format(self.name, method, problem.message, problem.data and problem.data.name), 2)
end

--- Calls, and fails the spec where the answer is no error.
---@param method string
---@param params? table
---@return string name, string message, table error
function Control:fails(method, params)
  local answer = self:answer(self:request(method, params), method)
  local problem = answer.error
  if not problem then error(("%s: %s was expected to fail"):format(self.name, method), 2) end
  return problem.data.name, problem.message, problem
end

local function fits(event, type, match)
  if event.type ~= type then return false end
  if not match then return true end
  local noun = event[type:match "^[^.]*"] or event
  if _G.type(match) == "function" then return match(noun, event) end
  for key, value in pairs(match) do
    if noun[key] ~= value then return false end
  end
  return true
end

--- The first such event that nobody has taken, without waiting.
---@param type string
---@param match? table<string, any>|fun(object: table, event: table): boolean fields of the event's object
---@return table|nil object, table|nil event
function Control:take_event(type, match)
  for i, event in ipairs(self.events) do
    if fits(event, type, match) then
      table.remove(self.events, i)
      return event[type:match "^[^.]*"] or event, event
    end
  end
end

--- Waits for an event, and takes it. The order in which different ones are taken does not matter.
---@return table object, table event
function Control:event(type, match, ms)
  local object, event
  waiting.wait(function()
    local seen = {}
    for _, other in ipairs(self.events) do seen[#seen + 1] = other.type end
    return ("%s: %s (there are: %s)"):format(self.name, type, table.concat(seen, " ", math.max(1, #seen - 20)))
  end, function()
    object, event = self:take_event(type, match)
    return object or self.closed
  end, ms)
  if not object then error(("%s: the core has ended before %s"):format(self.name, type), 2) end
  return object, event
end

--- Forgets the events that came so far.
function Control:forget_events() self.events = {} end

function Control:close() self.stream:close() end

return M
