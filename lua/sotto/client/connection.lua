-- SPDX-License-Identifier: GPL-3.0-or-later
-- A connection to the core's control socket: JSON-RPC 2.0, one object a line. Calls look blocking inside a coroutine.
local json = require "sotto.json"
local loop = require "sotto.loop"

local M = {}

---@class sotto.connection
---@field on_event fun(event: table)|nil every event, after events.subscribe
---@field on_close fun(reason: string|nil)|nil once, when the core ended it
local connection = {}
connection.__index = connection

local function take_answer(self, answer)
  local waiting = self.waiting[answer.id]
  if not waiting then return end
  self.waiting[answer.id] = nil
  if answer.error then
    local data = answer.error.data or {}
    waiting(nil, answer.error.message, data.name or "internal", answer.error)
  else
    waiting(answer.result)
  end
end

local function take_line(self, line)
  local message = json.decode(line, self.decoding)
  if type(message) ~= "table" then return end
  if message.method == "event" then
    if self.on_event then self.on_event(message.params) end
  elseif message.id then
    take_answer(self, message)
  end
end

local function end_all(self, reason)
  self.stream = nil
  local waiting = self.waiting
  self.waiting = {}
  for _, callback in pairs(waiting) do callback(nil, "the core has ended", "canceled") end
  if self.on_close then self.on_close(reason) end
end

--- Connects at once: a core that does not run is "not_found".
---@param path string of the control socket
---@param options? { nulls?: boolean } nulls: fields that are null come as json.null, and are not left out
---@return sotto.connection|nil, string? message, string? name
function M.open(path, options)
  local nulls = options ~= nil and options.nulls == true
  local self = setmetatable({ waiting = {}, last = 0, decoding = { nulls = nulls } }, connection)
  local stream, message, name = loop.connect_unix(path, {
    line = function(line) take_line(self, line) end,
    close = function(reason) end_all(self, reason) end,
    max_line = 16 * 1024 * 1024,
  })
  if not stream then return nil, message, name end
  self.stream = stream
  return self
end

--- The callback gets the result; or nil, a message, the error's name, and the error object.
---@param method string
---@param params table|nil may hold secrets
---@param callback fun(result: any, message: string?, name: string?, object: table?)
function connection:request(method, params, callback)
  if not self.stream then return callback(nil, "there is no connection to the core", "canceled") end
  self.last = self.last + 1
  local id = self.last
  self.waiting[id] = callback
  local call = { jsonrpc = "2.0", id = id, method = method, params = params or {} }
  local sent, message, name = self.stream:send_json(call)
  if not sent then
    self.waiting[id] = nil
    callback(nil, message, name)
  end
end

--- As request, from inside a coroutine: returns what the callback would get.
---@param method string
---@param params table|nil
---@return any result, string? message, string? name, table? object
function connection:call(method, params)
  local thread, done, answer = coroutine.running(), false, nil
  self:request(method, params, function(...)
    if done == "waits" then return assert(coroutine.resume(thread, ...)) end
    done, answer = true, table.pack(...)
  end)
  if done then return table.unpack(answer, 1, answer.n) end
  done = "waits"
  return coroutine.yield()
end

function connection:close()
  if self.stream then self.stream:close() end
  self.stream = nil
end

return M
