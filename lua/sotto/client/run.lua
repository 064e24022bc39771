-- SPDX-License-Identifier: GPL-3.0-or-later
-- `sotto run [--grant] [--watch] [--inherit] [--discussion ID]… FILE [ARG…]`: a script in the foreground. The core runs
-- it as any other, for as long as this program is there; what it says is printed here.
local core = require "sotto.client.core"
local granting = require "sotto.client.granting"
local help = require "sotto.client.help"
local json = require "sotto.json"
local loop = require "sotto.loop"
local paths = require "sotto.core.paths"
local script_path = require "sotto.client.script_path"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"

local M = {}

-- what scripts.load has under the same names
local MARKS = { ["--grant"] = "grant", ["--watch"] = "watch", ["--inherit"] = "inherit" }

-- options stand before the file: what follows it is the script's
local function parse(words)
  local options, i = { discussions = {} }, 1
  while words[i] and words[i]:sub(1, 2) == "--" do
    local word = words[i]
    if MARKS[word] then
      options[MARKS[word]] = true
    elseif word == "--discussion" then
      i = i + 1
      if not words[i] then return nil, "--discussion needs an id" end
      table.insert(options.discussions, words[i])
    else
      return nil, ("run knows no '%s'"):format(word)
    end
    i = i + 1
  end
  if not words[i] then return nil, "run takes a script, and what the script takes" end
  options.file, options.arguments = words[i], table.move(words, i + 1, #words, 1, {})
  return options
end

-- a script's lines of a level that is worth it go where errors go
local function print_line(line)
  local stream = line.level == "info" and io.stdout or io.stderr
  stream:write(line.level == "info" and "" or line.level .. ": ", terminal.escape(line.text, true), "\n")
  stream:flush()
end

-- What happens to the script from now on; finish(status) ends the program.
local function follow(there, running, finish)
  there.on_event = function(event)
    local about = event.log or event.script
    if not about or not running[about.name] then return end
    if event.type == "script.log" then return print_line(event.log) end
    if event.type == "script.failed" then
      help.failure(("%s: %s"):format(about.name, about.reason or "it has failed"))
      if about.state == "disabled" then finish(1) end
    elseif event.type == "script.changed" and event.script.state == "stopped" then
      finish(help.failure(about.name .. " was unloaded"))
    end
  end
  there.on_close = function() finish(help.failure "the core has ended") end
end

-- whole ids: the core compares them with those of events
local function find_discussions(there, words)
  if #words == 0 then return nil end
  local ids = json.array {}
  for i, word in ipairs(words) do
    local found, message = there:call("discussions.show", { discussion = word })
    if not found then return nil, message end
    ids[i] = found.id
  end
  return ids
end

local function load_script(there, options, running)
  local path, message = paths.absolute(options.file)
  if not path then return nil, message end
  path = script_path.resolve(path)
  local discussions, problem = find_discussions(there, options.discussions)
  if problem then return nil, problem end
  -- until it has said its name, it is called as its file
  running[(path:gsub("/+$", ""):match("[^/]*$"):gsub("%.lua$", ""))] = true
  local params = {
    path = path, temporary = true, grant = options.grant, watch = options.watch, inherit = options.inherit,
    discussions = discussions,
    arguments = #options.arguments > 0 and json.array(options.arguments) or nil,
  }
  local script, failure, name = granting.call(function(...) return there:call(...) end, "scripts.load", params,
    granting.ask_terminal)
  if script then return script end
  if granting.missing("scripts.load", name, failure) then failure = failure .. "; --grant grants that" end
  return nil, failure
end

--- `sotto run`. From inside a coroutine.
---@param place sotto.place
---@param words string[]
---@return integer status
function M.run(_, place, words)
  local options, wrong = parse(words)
  if not options then return help.usage(wrong) end
  local there, message = core.connect(place, false)
  if not there then return help.failure(message) end
  local thread, over, running = coroutine.running(), nil, {}
  local function finish(status)
    if over then return end
    over = status
    loop.defer(function()
      if coroutine.status(thread) == "suspended" then assert(coroutine.resume(thread)) end
    end)
  end
  follow(there, running, finish)
  there:call("events.subscribe", { types = json.array { "script.*" } })
  local script, problem = load_script(there, options, running)
  if not script then return help.failure(problem) end
  running[script.name] = true
  for _, name in ipairs { "SIGINT", "SIGTERM", "SIGHUP" } do
    loop.signal(name, function()
      -- the terminal has shown ^C
      if name == "SIGINT" and sys.isatty(1) then io.stdout:write("\n") end
      finish(0)
    end)
  end
  if not over then coroutine.yield() end
  -- it ends with the connection, but its process may be gone before this one
  there.on_close, there.on_event = nil, nil
  there:call("scripts.unload", { name = script.name })
  return over
end

return M
