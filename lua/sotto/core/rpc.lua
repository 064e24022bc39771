-- SPDX-License-Identifier: GPL-3.0-or-later
-- JSON-RPC 2.0, one object a line: a request is checked against the API table, called, answered. Nothing here knows of
-- sockets: a client is whoever has reply(text).
local api = require "sotto.core.api"
local errors = require "sotto.core.errors"
local json = require "sotto.json"
local log = require "sotto.log"
local params = require "sotto.core.params"

local M = {}

--- Calls of one client that wait for their answers.
M.OUTSTANDING_MAX = 64
--- A longer answer would not fit into a client's queue.
M.ANSWER_MAX = 4 << 20

--- What carries out methods. It answers at once with JSON text; or with false, and calls back once later with the text;
--- or fails, now or in the callback, with nil, a message and a name.
---@alias sotto.rpc.answer fun(text: string|nil, message?: string, name?: string)
---@class sotto.rpc.engine
---@field call fun(self, method: string, params: table, answer: sotto.rpc.answer): string|false|nil, string?, string?

--- A method that is answered in Lua: a value, or nil, message, name. Or false: the callback is then given the same,
--- once, on a later turn.
---@alias sotto.rpc.handler fun(client: sotto.rpc.client, params: table, answer: fun(...)): any, string?, string?

---@class sotto.rpc.client
---@field reply fun(self, text: string)
---@field outstanding integer|nil kept here
---@field asking integer|nil likewise: of those, the ones whose person is asked meanwhile

---@class sotto.rpc
---@field engine sotto.rpc.engine
---@field handlers table<string, sotto.rpc.handler>
local Rpc = {}
Rpc.__index = Rpc

---@param engine sotto.rpc.engine
---@param handlers? table<string, sotto.rpc.handler> methods that are answered here and not by the engine
---@return sotto.rpc
function M.new(engine, handlers)
  return setmetatable({ engine = engine, handlers = handlers or {} }, Rpc)
end

-- id: JSON text, or nil for a notification
local function reply_text(client, id, text)
  if not id then return end
  if #text > M.ANSWER_MAX then
    local problem = errors.make("too_large", "the answer is too long: ask for less")
    client:reply(('{"error":%s,"id":%s,"jsonrpc":"2.0"}'):format(json.encode(problem), id))
    return
  end
  client:reply('{"id":' .. id .. ',"jsonrpc":"2.0","result":' .. text .. "}")
end

local function reply_error(client, id, problem)
  if not id then return end
  client:reply(('{"error":%s,"id":%s,"jsonrpc":"2.0"}'):format(json.encode(problem), id))
end

local function log_exception(method, trace)
  log.error("%s failed:", method)
  for line in trace:gmatch("[^\n]+") do log.error("  %s", (line:gsub("^%s+", ""))) end
end

-- runs f; an exception is logged, and becomes an internal error without any detail for the client
local function protected(method, f, ...)
  local result = table.pack(xpcall(f, debug.traceback, ...))
  if result[1] then return table.unpack(result, 2, result.n) end
  log_exception(method, tostring(result[2]))
  return nil, "an error inside the core; its log says more", "internal"
end

-- a handler's answer as the engine's would be
local function encode_answer(value, message, name)
  if value == nil then return nil, message or "the method gave no answer", name or "internal" end
  local text, problem = json.encode(value)
  if not text then error("an answer that is no JSON: " .. problem) end
  return text
end

local function call_handler(handler, client, given, answer)
  local value, message, name = handler(client, given, function(...)
    answer(protected("an answer", encode_answer, ...))
  end)
  if value == false then return false end
  return encode_answer(value, message, name)
end

local function reply(client, id, text, message, name)
  if text then
    reply_text(client, id, text)
  else
    reply_error(client, id, errors.make(name or "internal", message))
  end
end

-- Replies with what `start` gives: text, or nil, message, name; or, where it gives false, with what it calls back with.
local function reply_with(client, id, method, start)
  local asks = method.asks and 1 or 0
  local text, message, name = protected(method.name, start, function(...)
    client.outstanding = client.outstanding - 1
    client.asking = client.asking - asks
    reply(client, id, ...)
  end)
  if text == false then
    client.outstanding = (client.outstanding or 0) + 1
    client.asking = (client.asking or 0) + asks
  else
    reply(client, id, text, message, name)
  end
end

-- the id as JSON text; nil for a notification; false for one that JSON-RPC does not allow
local function id_text(request)
  local id = request.id
  if id == nil then return nil end
  if id == json.null or type(id) == "string" or type(id) == "number" then return json.encode(id) or false end
  return false
end

local function invalid(client, id, message, name)
  reply_error(client, id or "null", errors.make(name or "bad_input", message, errors.invalid_request))
end

-- answers what is wrong with the envelope itself; true when it is in order
local function check_envelope(client, request, id)
  if json.is_array(request) then
    invalid(client, nil, "batches are not supported: one object a line", "unsupported")
  elseif type(request) ~= "table" then
    invalid(client, nil, "a request is an object")
  elseif id == false then
    invalid(client, nil, "'id' must be a string, a number or null")
  elseif request.jsonrpc ~= "2.0" then
    invalid(client, id, "'jsonrpc' must be \"2.0\"")
  elseif type(request.method) ~= "string" then
    invalid(client, id, "'method' must be a string")
  else
    return true
  end
end

function Rpc:dispatch(client, id, request)
  local method = api.methods[request.method]
  if not method then
    local message = ("there is no method '%s'"):format(request.method:sub(1, 64))
    return reply_error(client, id, errors.make("not_found", message, errors.unknown_method))
  end
  local given = request.params
  if given == nil then given = {} end
  if type(given) ~= "table" or json.is_array(given) then
    return reply_error(client, id, errors.make("bad_params", "'params' must be an object: parameters have names"))
  end
  local checked, message, problem = params.check(method, given)
  if not checked then
    local details = { param = problem.param, expected = problem.expected }
    return reply_error(client, id, errors.make(problem.name, message, nil, details))
  end
  local handler = self.handlers[method.name]
  if (client.outstanding or 0) >= M.OUTSTANDING_MAX then
    return reply_error(client, id, errors.make("busy", "too many calls wait for their answers"))
  end
  reply_with(client, id, method, function(answer)
    if handler then return call_handler(handler, client, checked, answer) end
    return self.engine:call(method.name, checked, answer)
  end)
end

-- Whoever goes on with a secret has taken a reference of its own; ours does not wait for the collector.
local function wipe_secrets(given)
  if type(given) ~= "table" then return end
  for _, value in pairs(given) do
    if type(value) == "userdata" and value ~= json.null then value:wipe() end
  end
end

--- A request that was read, its secrets being userdata; they are wiped here.
---@param client sotto.rpc.client
---@param request any
function Rpc:handle(client, request)
  local id = type(request) == "table" and not json.is_array(request) and id_text(request)
  if check_envelope(client, request, id) then self:dispatch(client, id, request) end
  if type(request) == "table" then wipe_secrets(request.params) end
end

--- The client has gone: its person is asked no more.
---@param client sotto.rpc.client
function Rpc:gone(client)
  if (client.asking or 0) > 0 then self.engine:call("identity.cancel", {}, function() end) end
end

--- A line that could not be read: answered with the id null.
---@param client sotto.rpc.client
---@param message string
---@param name "bad_input"|"too_large"
function M.refuse(client, message, name)
  local code = name == "bad_input" and errors.parse or nil
  reply_error(client, "null", errors.make(name, message, code))
end

return M
