-- SPDX-License-Identifier: GPL-3.0-or-later
-- The command line: call, NOUN VERB, events, eval, start, stop, status. Each command runs in a coroutine and returns
-- the exit status.
local api = require "sotto.core.api"
local arguments = require "sotto.client.arguments"
local core = require "sotto.client.core"
local doctor = require "sotto.client.doctor"
local errors = require "sotto.core.errors"
local granting = require "sotto.client.granting"
local help = require "sotto.client.help"
local inspect = require "sotto.client.inspect"
local json = require "sotto.json"
local loop = require "sotto.loop"
local report = require "sotto.client.report"
local script_path = require "sotto.client.script_path"
local secret = require "sotto.secret"
local session = require "sotto.client.session"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"
local values = require "sotto.client.values"

local M = {}

-- --- what comes out ----------------------------------------------------------------------------------------

local function out(text) io.stdout:write(text, "\n") end

-- what steers a terminal is written as "\u001b": the same JSON
local function json_text(value) return terminal.escape_json(assert(json.encode(value))) end

--- An error for people is one line; with --json it is the error object.
local function fail(options, message, name, object)
  if options.json then
    io.stderr:write(json_text(object or errors.make(name or "internal", message)), "\n")
  else
    io.stderr:write("sotto: ", terminal.escape((message:gsub("%s*\n%s*", " "))), "\n")
  end
  return 1
end

local usage = help.usage

-- as_json: what is null is shown, too
local function connect(options, place, as_json)
  local there, message, name = core.connect(place, false, { nulls = as_json })
  if not there then return nil, fail(options, message, name) end
  return there
end

-- --- call --------------------------------------------------------------------------------------------------

local function read_parameters(text)
  local given, message = json.decode(text == "-" and io.stdin:read("a") or text)
  if type(given) ~= "table" or json.is_array(given) then
    return nil, "the parameters are no JSON object" .. (message and ": " .. message or "")
  end
  return given
end

-- Secrets do not stand among the arguments, where every process could read them: "-" in their place.
local function read_secrets(method, given)
  for _, param in ipairs(method and method.params or {}) do
    local value = given[param.name]
    if param.type == "secret" and value ~= nil and value ~= json.null then
      if value ~= "-" then
        return ("'%s' is a secret: give it as \"-\", and then on standard input"):format(param.name)
      end
      local message
      given[param.name], message = secret.read_line(0)
      if message then return ("'%s' could not be read: %s"):format(param.name, message) end
    end
  end
end

--- `sotto call METHOD [PARAMS-JSON]`
function M.call(options, place, words)
  local name, text = words[1], words[2] or "{}"
  if not name or words[3] then return usage("call takes METHOD and PARAMS-JSON") end
  options.json = true
  local given, message = read_parameters(text)
  if given and text ~= "-" then message = read_secrets(api.methods[name], given) end
  if message then return usage(message) end
  local there, status = connect(options, place, true)
  if not there then return status end
  local result, failure, failure_name, object = there:call(name, given)
  if failure then return fail(options, failure, failure_name, object) end
  out(json_text(result))
  return 0
end

-- --- NOUN VERB ---------------------------------------------------------------------------------------------

-- secrets that a person invents: a slip of the finger would lock them out
local INVENTED = { ["identity.create"] = "passphrase", ["identity.passphrase"] = "new" }

local function ask_secret(method, param)
  local empty = (param.required or param.unless) and "" or " (empty: none)"
  local value, message = secret.ask(param.name .. empty .. ": ")
  if not value or value:is_empty() or INVENTED[method.name] ~= param.name then return value, message end
  local again
  again, message = secret.ask("once more: ")
  if again and again ~= value then return nil, "the two differ" end
  return again and value, message
end

-- whether the identity has the mark that makes a secret one too many
local function has_mark(place, mark)
  local there = core.connect(place, false)
  local identity = there and there:call("identity.show")
  if there then there:close() end
  return identity and identity[mark] == true
end

local function secret_reader(place, method)
  return function(param, given)
    local value, message
    if not given and param.unless and has_mark(place, param.unless) then return nil end
    if sys.isatty(0) then
      value, message = ask_secret(method, param)
    elseif given then
      value, message = secret.read_line(0)
    end
    return value, message and ("no %s: %s"):format(param.name, message)
  end
end

-- fingerprint → name, asked for once and only where it is needed
local function name_finder(there)
  local known
  return function(fingerprint)
    if not known then
      known = {}
      for _, peer in ipairs(there:call("peers.list") or {}) do known[peer.fingerprint] = peer.name end
      local me = there:call("identity.show")
      if me and me.fingerprint then known[me.fingerprint] = "you" end
    end
    local name = known[fingerprint]
    return name and name ~= "" and terminal.escape(name) or fingerprint:sub(1, 8)
  end
end

local function show(options, method, result, there)
  if options.json then return out(json_text(result)) end
  if type(result) == "table" and next(result) ~= nil and next(result, next(result)) == nil then
    if result.text then return io.stdout:write(result.text) end
    -- a script's own word, which may hold those of others
    if type(result.reply) == "string" then
      return out(sys.isatty(1) and terminal.escape(result.reply, true) or result.reply)
    end
  end
  local text = report.text(result, method.returns, name_finder(there))
  if text then out(text) end
end

local function take_json_option(options, method, words)
  for i = 3, #words do
    if words[i] == "--" then return end
    if words[i] == "--json" and not arguments.find_param(method, "json") then
      table.remove(words, i)
      options.json = true
      return
    end
  end
end

local function call_asking(options, there, method, params)
  local result, message, name, object = granting.call(function(...) return there:call(...) end, method, params,
    function(missing) return not options.json and granting.ask_terminal(missing) end)
  if message and not options.json and granting.missing(method, name, message) then
    message = message .. "; --grant true grants that"
  end
  return result, message, name, object
end

--- `sotto NOUN VERB …`
function M.noun(options, place, words)
  local noun, verb = words[1], words[2]
  if not verb then return usage(("'%s' needs a verb; 'sotto help %s' lists them"):format(noun, noun)) end
  if verb == "--help" or verb == "-h" or words[3] == "--help" then return help.show(noun) end
  local method = api.methods[noun .. "." .. verb]
  if not method then return usage(("there is no '%s %s'; 'sotto help %s' lists the verbs"):format(noun, verb, noun)) end
  take_json_option(options, method, words)
  local given, message = arguments.collect(method, words, 3)
  local params
  if given then params, message = arguments.build(method, given, secret_reader(place, method)) end
  if not params then return usage(message) end
  if method.name == "scripts.load" then params.path = script_path.resolve(params.path) end
  session.fill(method, params)
  local there, status = connect(options, place, options.json)
  if not there then return status end
  local result, failure, name, object = call_asking(options, there, method.name, params)
  if failure then return fail(options, failure, name, object) end
  show(options, method, result, there)
  return 0
end

-- --- events, eval ------------------------------------------------------------------------------------------

-- whether the table has an event of that type ("message.*": of that noun)
local function is_event(type)
  for _, event in ipairs(api.events) do
    if type == event.type or type == event.type:match("^%a+") .. ".*" then return true end
  end
  return false
end

--- `sotto events [TYPE…]`: until the core or the reader has enough.
function M.events(options, place, words)
  for _, pattern in ipairs(words) do
    if not is_event(pattern) then return usage(("there is no event '%s'"):format(pattern)) end
  end
  local there, status = connect(options, place, true)
  if not there then return status end
  local thread, over = coroutine.running(), false
  local function finish(result)
    if over then return end
    over = true
    loop.defer(function() assert(coroutine.resume(thread, result)) end)
  end
  there.on_event = function(event)
    if over then return end
    local written = io.stdout:write(json_text(event), "\n")
    if not (written and io.stdout:flush()) then finish(0) end
  end
  local types = #words > 0 and json.array { table.unpack(words) } or nil
  local _, failure, name, object = there:call("events.subscribe", { types = types })
  if failure then return fail(options, failure, name, object) end
  there.on_close = function() finish(fail(options, "the core has ended", "canceled")) end
  return coroutine.yield()
end

local function show_value(options, value)
  if not options.json then
    local text = type(value) == "string" and value or inspect.value(value)
    if sys.isatty(1) then text = terminal.escape(text, true) end
    return out(text)
  end
  local text, message = json.encode(value)
  if not text then return message end
  out(terminal.escape_json(text))
end

--- `sotto eval 'LUA'`
function M.eval(options, place, words)
  if not words[1] or words[2] then return usage("eval takes one text of Lua") end
  local there, message, name = core.connect(place, false)
  if not there then return fail(options, message, name) end
  local results = table.pack(values.run(words[1], values.environment(there), "eval"))
  if not results[1] then return fail(options, tostring(results[2]), "script") end
  for i = 2, results.n do
    local problem = show_value(options, results[i])
    if problem then return fail(options, problem, "bad_params") end
  end
  return 0
end

-- --- the core's process ------------------------------------------------------------------------------------

local function no_more(words, command)
  if words[1] then return usage(command .. " takes no arguments") end
end

--- `sotto status`
function M.status(options, place, words)
  local wrong = no_more(words, "status")
  if wrong then return wrong end
  local there, status = connect(options, place, options.json)
  if not there then return status end
  local info, failure, name, object = there:call("system.info")
  if failure then return fail(options, failure, name, object) end
  if options.json then
    out(json_text(info))
    return 0
  end
  out(("running: process %d, listening on %s"):format(info.pid, info.listen.tcp))
  out("others find it at " .. table.concat(info.addresses, ", "))
  if not info.fingerprint then
    out(("no identity yet: '%s' makes one"):format(place.command))
  elseif info.locked then
    out(("identity: %s, locked: '%s identity unlock' asks for its passphrase"):format(info.fingerprint, place.command))
  else
    out("identity: " .. info.fingerprint)
  end
  return 0
end

--- `sotto doctor`: 1 where something is broken, whatever else is worth a look.
function M.doctor(options, place, words)
  if words[1] == "--json" and not words[2] then
    options.json, words = true, {}
  end
  local wrong = no_more(words, "doctor")
  if wrong then return wrong end
  local findings = doctor.examine(place)
  if options.json then
    out(json_text(json.array(findings)))
  else
    out(table.concat(doctor.report(findings, true), "\n"))
  end
  for _, one in ipairs(findings) do
    if one.status == "fail" then return 1 end
  end
  return 0
end

--- `sotto start`: then as status.
function M.start(options, place, words)
  local wrong = no_more(words, "start")
  if wrong then return wrong end
  local there, message, name = core.connect(place, true)
  if not there then return fail(options, message, name) end
  there:close()
  return M.status(options, place, words)
end

--- `sotto stop`
function M.stop(options, place, words)
  local wrong = no_more(words, "stop")
  if wrong then return wrong end
  local ok, message, name = core.stop(place)
  if not ok then return fail(options, message, name) end
  out(options.json and "{}" or "stopped")
  return 0
end

return M
