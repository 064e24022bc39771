-- SPDX-License-Identifier: GPL-3.0-or-later
-- The command line: call, NOUN VERB, events, eval, start, stop, status. Each command runs in a coroutine and returns
-- the exit status.
local api = require "sotto.core.api"
local core = require "sotto.client.core"
local inspect = require "sotto.client.inspect"
local json = require "sotto.json"
local loop = require "sotto.loop"
local secret = require "sotto.secret"
local sys = require "sotto.sys"
local values = require "sotto.client.values"

local M = {}

local function out(text) io.stdout:write(text, "\n") end

--- An error for people is one line; with --json it is the error object.
local function fail(options, message, name, object)
  if options.json then
    io.stderr:write(json.encode(object or { code = -32603, message = message, data = { name = name } }), "\n")
  else
    io.stderr:write("sotto: ", (message:gsub("[%c]", " ")), "\n")
  end
  return 1
end

local function usage(message)
  io.stderr:write("sotto: ", message, "; 'sotto --help' lists the commands\n")
  return 2
end

local function show(options, result)
  if options.json then
    out(assert(json.encode(result)))
  elseif type(result) == "table" and next(result) == nil then
    return
  elseif type(result) == "table" and result.text and next(result, next(result)) == nil then
    io.stdout:write(result.text)
  else
    out(inspect.value(result))
  end
end

local function connect(options, place)
  local there, message, name = core.connect(place, false)
  if not there then return nil, fail(options, message, name) end
  return there
end

-- --- call ---------------------------------------------------------------------------------------------------------

-- Names of secret parameters of that method: their values may not stand among the arguments.
local function secrets_of(method)
  local names = {}
  for _, param in ipairs(method and method.params or {}) do
    if param.type == "secret" then names[param.name] = true end
  end
  return names
end

function M.call(options, place, arguments)
  local name, text = arguments[1], arguments[2] or "{}"
  if not name or arguments[3] then return usage("call takes METHOD and PARAMS-JSON") end
  options.json = true
  if text == "-" then text = io.stdin:read("a") end
  local params, message = json.decode(text)
  if type(params) ~= "table" then return usage("the parameters are no JSON object: " .. (message or text)) end
  for key in pairs(secrets_of(api.methods[name])) do
    if params[key] and arguments[2] ~= "-" then
      if params[key] ~= "-" then
        return usage(("'%s' is a secret: give it as \"-\" and on standard input"):format(key))
      end
      params[key] = secret.read_line(0)
    end
  end
  local there, status = connect(options, place)
  if not there then return status end
  local result, failure, failure_name, object = there:call(name, params)
  if failure then return fail(options, failure, failure_name, object) end
  out(assert(json.encode(result == nil and {} or result)))
  return 0
end

-- --- NOUN VERB ----------------------------------------------------------------------------------------------------

local function read_secret(param, given)
  if given == "-" then return secret.read_line(0) end
  if given then return nil, ("--%s takes '-' (standard input) only, never the secret itself"):format(param.name) end
  if not sys.isatty(0) then return nil end
  return secret.ask(param.name .. ": ")
end

local converters = {
  integer = function(text) return math.tointeger(tonumber(text)), "a number" end,
  boolean = function(text)
    if text == "true" or text == "yes" then return true end
    if text == "false" or text == "no" then return false end
    return nil, "true or false"
  end,
  path = function(text)
    local path = text
    if path:sub(1, 1) ~= "/" then path = (sys.cwd() or "") .. "/" .. path end
    return path
  end,
}

local function convert(param, text)
  local converter = converters[param.type]
  if not converter then return text end
  local value, expected = converter(text)
  if value == nil then return nil, ("--%s takes %s"):format(param.name, expected) end
  return value
end

local function find_param(method, name)
  for _, param in ipairs(method.params) do
    if param.name == name then return param end
  end
end

-- `--name value`, `--name=value`, or in the table's order without names
local function collect(method, arguments, first)
  local given, position, i = {}, 0, first
  while arguments[i] do
    local word = arguments[i]
    local name, value = word:match("^%-%-([%w_]+)=(.*)$")
    name = name or word:match("^%-%-([%w_]+)$")
    if name and not value then
      i = i + 1
      value = arguments[i]
      if not value then return nil, "--" .. name .. " needs a value" end
    elseif not name then
      repeat position = position + 1 until not method.params[position] or method.params[position].type ~= "secret"
      local param = method.params[position]
      if not param then return nil, ("'%s' is one argument too many"):format(word) end
      name, value = param.name, word
    end
    local param = find_param(method, name)
    if not param then return nil, ("%s has no parameter '%s'"):format(method.name, name) end
    given[name] = given[name] or {}
    table.insert(given[name], value)
    i = i + 1
  end
  return given
end

local function build_params(method, given)
  local params = {}
  for _, param in ipairs(method.params) do
    local list = given[param.name]
    local value, message
    if param.type == "secret" then
      if list or param.required or method.name == "discussions.open" or method.name == "discussions.accept" then
        value, message = read_secret(param, list and list[1])
        if value and value:is_empty() and not param.required then value = nil end
      end
    elseif list and param.type == "strings" then
      value = json.array(list)
    elseif list then
      value, message = convert(param, list[#list])
    end
    if message then return nil, message end
    if value == nil and param.required then return nil, "--" .. param.name .. " is needed: " .. param.text end
    params[param.name] = value
  end
  return params
end

function M.noun(options, place, arguments)
  local method = api.methods[arguments[1] .. "." .. (arguments[2] or "")]
  if not method then return usage(("there is no '%s %s'"):format(arguments[1], arguments[2] or "")) end
  local given, message = collect(method, arguments, 3)
  if not given then return usage(message) end
  local params
  params, message = build_params(method, given)
  if not params then return usage(message) end
  local there, status = connect(options, place)
  if not there then return status end
  local result, failure, name, object = there:call(method.name, params)
  if failure then return fail(options, failure, name, object) end
  show(options, result)
  return 0
end

-- --- events, eval --------------------------------------------------------------------------------------------------

function M.events(options, place, arguments)
  local there, status = connect(options, place)
  if not there then return status end
  local thread = coroutine.running()
  there.on_event = function(event)
    io.stdout:write(assert(json.encode(event)), "\n")
    io.stdout:flush()
  end
  there.on_close = function() loop.defer(function() coroutine.resume(thread, 0) end) end
  local types = #arguments > 0 and json.array { table.unpack(arguments) } or nil
  local _, failure, name, object = there:call("events.subscribe", { types = types })
  if failure then return fail(options, failure, name, object) end
  return coroutine.yield()
end

function M.eval(options, place, arguments)
  if not arguments[1] or arguments[2] then return usage("eval takes one text of Lua") end
  local there, status = connect(options, place)
  if not there then return status end
  local results = table.pack(values.run(arguments[1], values.environment(there), "eval"))
  if not results[1] then return fail(options, tostring(results[2]), "script") end
  for i = 2, results.n do
    if options.json then
      local text, message = json.encode(results[i])
      if not text then return fail(options, message, "bad_params") end
      out(text)
    else
      out(type(results[i]) == "string" and results[i] or inspect.value(results[i]))
    end
  end
  return 0
end

-- --- the core's process ----------------------------------------------------------------------------------------------

function M.start(options, place)
  local there = core.connect(place, false)
  if there then
    out "a core runs already"
    return 0
  end
  local ok, message = core.start(place)
  if not ok then return fail(options, message, "io") end
  return M.status(options, place)
end

function M.stop(options, place)
  local ok, message = core.stop(place)
  if not ok then return fail(options, message, "not_found") end
  out "stopped"
  return 0
end

function M.status(options, place)
  local there, status = connect(options, place)
  if not there then return status end
  local info, failure, name, object = there:call("system.info")
  if failure then return fail(options, failure, name, object) end
  if options.json then
    show(options, info)
    return 0
  end
  out(("running: process %d, listening on %s"):format(info.pid, info.listen.tcp))
  local state = info.fingerprint and (info.locked and "locked" or "unlocked") or "no identity yet"
  out(("identity: %s (%s)"):format(info.fingerprint or "none", state))
  return 0
end

return M
