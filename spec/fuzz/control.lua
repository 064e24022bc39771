-- SPDX-License-Identifier: GPL-3.0-or-later
-- For control.c: a function that takes a line as the control socket does, and checks what is made of it.
package.path = "./lua/?.lua;" .. package.path
local api = require "sotto.core.api"
local control = require "sotto.control"
local json = require "sotto.json"
local rpc = require "sotto.core.rpc"

control.secrets(api.secret_names())

local secrets = {}
for _, name in ipairs(api.secret_names()) do secrets[name] = true end

local replies, later
local client = { reply = function(_, text) replies[#replies + 1] = text end }
local turn = 0

-- What reaches an engine has been checked: known names, and no secret as a string.
local function check_params(method, params)
  local known = {}
  for _, param in ipairs(api.methods[method].params) do known[param.name] = param end
  for name, value in pairs(params) do
    assert(known[name], name)
    if secrets[name] then assert(type(value) == "userdata", name) end
  end
end

-- answers at once, later, or with an error, in turn
local engine = {}
function engine.call(_, method, params, answer)
  check_params(method, params)
  turn = turn + 1
  if turn % 3 == 0 then return nil, "no", "wrong_state" end
  if turn % 3 == 1 then return '{"turn":1}' end
  later = answer
  return false
end

local dispatcher = rpc.new(engine, {
  ["system.methods"] = function() return json.raw "[]" end,
  ["events.subscribe"] = function() return {} end,
  ["events.unsubscribe"] = function() return {} end,
})

local function check_reply(text)
  assert(not text:find("\n", 1, true))
  local reply = assert(json.decode(text))
  assert(reply.jsonrpc == "2.0" and reply.id ~= nil)
  assert((reply.result == nil) ~= (reply.error == nil))
  if reply.error then
    assert(math.type(reply.error.code) == "integer" and #reply.error.message > 0 and #reply.error.data.name > 0)
  end
  return reply
end

local function is_object(value) return type(value) == "table" and not json.is_array(value) end

return function(line)
  replies, later = {}, nil
  local request, message, name = control.parse(line)
  if request == nil then
    assert(name == "bad_input" or name == "too_large", name)
    rpc.refuse(client, message, name)
  else
    dispatcher:handle(client, request)
    if later then later('{"turn":2}') end
  end
  if #replies == 0 then
    -- only who has not asked for an answer gets none
    assert(is_object(request) and request.id == nil)
    return
  end
  assert(#replies == 1)
  local reply = check_reply(replies[1])
  if is_object(request) and (type(request.id) == "string" or math.type(request.id) == "integer") then
    assert(reply.id == request.id)
  end
  assert((client.outstanding or 0) == 0)
end
