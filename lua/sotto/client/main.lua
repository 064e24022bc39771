-- SPDX-License-Identifier: GPL-3.0-or-later
-- sotto: the front end's program. Without a command it is the chat; it holds no data of its own.
local cli = require "sotto.client.cli"
local core = require "sotto.client.core"
local help = require "sotto.client.help"
local loop = require "sotto.loop"
local shell = require "sotto.client.shell"
local sys = require "sotto.sys"

local M = {}

local COMMANDS = {
  call = cli.call, events = cli.events, eval = cli.eval, start = cli.start, stop = cli.stop, status = cli.status,
  demo = function(...) return require("sotto.demo.main").run(...) end,
  doctor = cli.doctor,
  run = function(...) return require("sotto.client.run").run(...) end,
  new = function(...) return require("sotto.client.new").run(...) end,
  test = function(...) return require("sotto.client.test").run(...) end,
}

local function command_words()
  local words = { "help" }
  for name in pairs(COMMANDS) do words[#words + 1] = name end
  table.sort(words)
  return words
end

function COMMANDS.completion(_, place, words) return shell.completion(place, words, command_words()) end

local PLAIN = { ["--json"] = "json", ["--help"] = "help", ["-h"] = "help", ["--version"] = "version" }

--- Options stand before the command.
---@param arguments string[]
---@return table|nil options, string[]|string rest or what is wrong
function M.parse(arguments)
  local options, rest, i = {}, {}, 1
  while arguments[i] and arguments[i]:sub(1, 1) == "-" do
    local word = arguments[i]
    local home = word:match("^%-%-home=(.*)$")
    if word == "--home" then
      i = i + 1
      home = arguments[i] or ""
    end
    if home then
      if home == "" then return nil, "--home needs a directory" end
      options.home = home
    elseif PLAIN[word] then
      options[PLAIN[word]] = true
    else
      return nil, ("unknown option '%s'"):format(word)
    end
    i = i + 1
  end
  table.move(arguments, i, #arguments, 1, rest)
  return options, rest
end

-- the function for a command, and the words that are its own
local function choose(rest)
  local command = rest[1]
  if not command then return require("sotto.client.chat").run, rest end
  if COMMANDS[command] then return COMMANDS[command], table.move(rest, 2, #rest, 1, {}) end
  if help.is_noun(command) then return cli.noun, rest end
end

--- The program.
---@param arguments string[]
---@return integer status 0 done, 1 failed, 2 usage
function M.run(arguments)
  local options, rest = M.parse(arguments)
  if not options then
    return help.usage(rest --[[@as string]])
  end
  if options.version then
    io.stdout:write("sotto ", sys.version, "\n")
    return 0
  end
  if options.help or rest[1] == "help" then return help.show(options.help and rest[1] or rest[2]) end
  local run, words = choose(rest)
  if not run and rest[1] == "chat" then return help.usage("the chat is 'sotto' without a command") end
  if not run then return help.usage(("there is no command '%s'"):format(rest[1])) end
  local place, message = core.place(options.home)
  if not place then return help.usage(message) end
  return M.in_loop(function() return run(options, place, words) end)
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
