-- SPDX-License-Identifier: GPL-3.0-or-later
-- `sotto test FILE…`: a script's own specs. They run in this process and speak with real cores; the script runs where
-- scripts run. A script's specs are beside it: hello.lua has hello_spec.lua, a folder has its spec/ or NAME_spec.lua.
local assertions = require "sotto.testing.assertions"
local help = require "sotto.client.help"
local loop = require "sotto.loop"
local paths = require "sotto.core.paths"
local suite = require "sotto.testing.suite"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"
local world = require "sotto.testing.world"

local M = {}

local FILE_MAX = 1 << 20

local interrupted = false

local function out(text)
  if interrupted then return end
  io.stdout:write(terminal.escape(text, true), "\n")
  io.stdout:flush()
end

local function is_file(path)
  local stat = sys.stat(path)
  return stat ~= nil and stat.kind == "file"
end

-- "hello_spec.lua" and "spec/hello_spec.lua" may be given, too
local function script_of(spec)
  local folder, name = spec:match("^(.-)([^/]*)_spec%.lua$")
  for _, base in ipairs { folder, (folder:gsub("spec/$", "")) } do
    for _, path in ipairs { base .. name .. ".lua", base .. name, base .. "main.lua" } do
      if sys.exists(path) then return path:gsub("/main%.lua$", "") end
    end
  end
  return nil, ("there is no script beside %s"):format(spec)
end

local function specs_of(path)
  local beside = path:gsub("%.lua$", "") .. "_spec.lua"
  local found = { is_file(beside) and beside or nil }
  for _, name in ipairs(sys.list(path .. "/spec") or {}) do
    if name:find("_spec%.lua$") then found[#found + 1] = path .. "/spec/" .. name end
  end
  table.sort(found)
  return found
end

--- The script and its specs for what a person has named.
---@param word string
---@return string|nil path, string[]|string specs or what is wrong
function M.find(word)
  local path, problem = paths.absolute((word:gsub("/+$", "")))
  if not path then return nil, problem or word end
  if not sys.exists(path) then return nil, ("there is no %s"):format(word) end
  if path:find("_spec%.lua$") then
    local script, message = script_of(path)
    if not script then return nil, message or word end
    return script, { path }
  end
  local specs = specs_of(path)
  if #specs == 0 then
    return nil, ("%s has no specs: they are in %s_spec.lua"):format(word, (word:gsub("%.lua$", "")))
  end
  return path, specs
end

-- what a spec's file sees: all of Lua (it is the user's own program), and the words for specs
local function environment(words, there)
  local own = { assert = assertions.library(), world = there, you = there.you }
  for name, f in pairs(words) do own[name] = f end
  function own.person(name) return there:person(name) end
  function own.advance(time) there:advance(time) end
  function own.command(...) return there:command(...) end
  return setmetatable(own, { __index = _G })
end

local function read_specs(files, there)
  local own = suite.new()
  local values = environment(own:words(), there)
  for _, file in ipairs(files) do
    local text, message = sys.read_file(file, FILE_MAX)
    if not text then return nil, message end
    local chunk, problem = load(text, "@" .. file:match("[^/]*$"), "t", values)
    if not chunk then return nil, problem end
    local ok, failure = pcall(chunk)
    if not ok then return nil, tostring(failure) end
  end
  if #own.specs == 0 then return nil, "there is no spec in " .. table.concat(files, ", ") end
  return own
end

local function run_spec(there, spec)
  local loaded, failure = pcall(there.load, there)
  there.loads = 0
  local problem = suite.run_one(spec)
  -- one that cannot be loaded as it is may be loaded by the spec, with what it takes
  if not loaded and there.loads == 0 then problem = tostring(failure) end
  local after = there:clear()
  return problem or after
end

-- how many passed, and how many failed
local function run_all(there, own)
  local failed = 0
  for _, spec in ipairs(own.specs) do
    local began = loop.now()
    local problem = run_spec(there, spec)
    out(("%s %s (%.2f s)"):format(problem and "FAIL" or "ok  ", spec.name, (loop.now() - began) / 1000))
    if problem then
      failed = failed + 1
      out("       " .. problem:gsub("\n", "\n       "))
    end
  end
  return #own.specs - failed, failed
end

-- somebody has enough: nothing is left either way
local function handle_signals(there)
  for _, name in ipairs { "SIGINT", "SIGTERM", "SIGHUP" } do
    loop.signal(name, function()
      coroutine.wrap(function()
        -- what goes on meanwhile fails, and nobody wants to read of it
        interrupted = true
        there:close()
        os.exit(1)
      end)()
    end)
  end
end

local function complain(message)
  return interrupted and 1 or help.failure(message)
end

-- the scripts and their specs, or what is wrong with the words
local function find_all(words)
  local found = {}
  for i, word in ipairs(words) do
    local path, specs = M.find(word)
    if not path then return nil, specs end
    found[i] = { path = path, specs = specs }
  end
  return found
end

-- one world for all: the people of it stay
local function run_scripts(there, found)
  local passed, failed = 0, 0
  for _, one in ipairs(found) do
    there.path = one.path
    local own, problem = read_specs(one.specs, there)
    if not own then return complain(tostring(problem)) end
    local good, bad = run_all(there, own)
    passed, failed = passed + good, failed + bad
  end
  out(("%d passed, %d failed"):format(passed, failed))
  return failed == 0 and 0 or 1
end

--- `sotto test FILE…`. From inside a coroutine.
---@param words string[]
---@return integer status
function M.run(_, _, words)
  if not words[1] or words[1]:find("^%-") then return help.usage("test takes a script, or its specs") end
  local found, problem = find_all(words)
  if not found then return complain(problem) end
  local there, message = world.new()
  if not there then return complain(message) end
  handle_signals(there)
  local started, failure = pcall(there.start, there)
  local status = started and run_scripts(there, found) or complain(tostring(failure))
  there:close()
  return interrupted and 1 or status
end

return M
