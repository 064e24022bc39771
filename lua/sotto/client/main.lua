-- SPDX-License-Identifier: GPL-3.0-or-later
-- sotto: the front end's program. Without a command it is the chat; it holds no data of its own.
local api = require "sotto.core.api"
local cli = require "sotto.client.cli"
local core = require "sotto.client.core"
local loop = require "sotto.loop"
local sys = require "sotto.sys"

local M = {}

local COMMANDS = {
  call = cli.call, events = cli.events, eval = cli.eval, start = cli.start, stop = cli.stop, status = cli.status,
}

local function help()
  local lines = {
    "usage: sotto [--home DIR] [--json] [COMMAND …]",
    "",
    "  (none)                     the chat; starts the core if none runs, makes an identity on first use",
    "  call METHOD [PARAMS-JSON]  one API call, JSON in and out ('-': the parameters from standard input)",
    "  NOUN VERB [--param value]  the same for people",
    "  events [TYPE…]             events as they come, one JSON object a line",
    "  eval 'LUA'                 a Lua expression: sotto, peers, discussions, me",
    "  start · stop · status      the core in the background",
    "",
    "nouns and verbs ('sotto help NOUN' says more):",
  }
  for _, noun in ipairs(api.nouns) do
    local verbs = {}
    for _, method in ipairs(noun.methods) do verbs[#verbs + 1] = method.verb end
    lines[#lines + 1] = ("  %-12s %s"):format(noun.name, table.concat(verbs, " "))
  end
  return table.concat(lines, "\n") .. "\n"
end

local function noun_help(name)
  for _, noun in ipairs(api.nouns) do
    if noun.name == name then
      local lines = { name .. ": " .. noun.text }
      for _, method in ipairs(noun.methods) do
        lines[#lines + 1] = ("\n  %s %s\n      %s"):format(name, method.verb, method.text)
        for _, param in ipairs(method.params) do
          local mark = param.required and "" or " (optional)"
          lines[#lines + 1] = ("      --%-12s %s%s"):format(param.name, param.text, mark)
        end
      end
      return table.concat(lines, "\n") .. "\n"
    end
  end
end

local function is_noun(name)
  for _, noun in ipairs(api.nouns) do
    if noun.name == name then return true end
  end
  return false
end

-- Options stand before the command.
local function parse(arguments)
  local options, rest, i = {}, {}, 1
  while arguments[i] and arguments[i]:sub(1, 1) == "-" do
    local word = arguments[i]
    local home = word:match("^%-%-home=(.+)$")
    if home then
      options.home = home
    elseif word == "--home" then
      i = i + 1
      options.home = arguments[i]
      if not options.home then return nil, "--home needs a directory" end
    elseif word == "--json" then
      options.json = true
    elseif word == "--help" or word == "-h" then
      options.help = true
    elseif word == "--version" then
      options.version = true
    else
      return nil, ("unknown option '%s'"):format(word)
    end
    i = i + 1
  end
  table.move(arguments, i, #arguments, 1, rest)
  return options, rest
end

local function usage(message)
  io.stderr:write("sotto: ", message, "; 'sotto --help' lists the commands\n")
  return 2
end

local function choose(command)
  if not command then return require("sotto.client.chat").run end
  if COMMANDS[command] then return COMMANDS[command], true end
  if is_noun(command) then return cli.noun end
end

local function show_help(noun)
  local text = noun and noun_help(noun) or help()
  io.stdout:write(text)
  return 0
end

--- The program.
---@param arguments string[]
---@return integer status 0 done, 1 failed, 2 usage
function M.run(arguments)
  local options, rest = parse(arguments)
  if not options then return usage(rest) end
  if options.version then
    io.stdout:write("sotto ", sys.version, "\n")
    return 0
  end
  if options.help or rest[1] == "help" then return show_help(rest[2]) end
  local run, named = choose(rest[1])
  if not run then return usage(("there is no command '%s'"):format(rest[1])) end
  if named then table.remove(rest, 1) end
  local place, message = core.place(options.home)
  if not place then return usage(message) end
  return M.in_loop(function() return run(options, place, rest) end)
end

--- Runs the function as a coroutine on the loop until it has returned its status.
---@param work fun(): integer
---@return integer
function M.in_loop(work)
  local status
  local thread = coroutine.create(function()
    local ok, result = xpcall(work, debug.traceback)
    if ok then
      status = result
    else
      io.stderr:write("sotto: ", tostring(result), "\n")
      status = 1
    end
    loop.stop()
  end)
  loop.defer(function() assert(coroutine.resume(thread)) end)
  loop.run()
  return status or 1
end

return M
