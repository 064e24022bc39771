-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a script's code sees: Lua without files, programs, bytecode and the debug library; its own files by require.
-- That it can reach nothing else is the kernel's business (sotto.confine): this keeps honest scripts honest, and the
-- host's own tables out of reach.
local store = require "sotto.script.store"

local M = {}

local KEPT = {
  "_VERSION", "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen",
  "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall",
}

local function copy(library, without)
  local out = {}
  for name, value in pairs(library) do out[name] = value end
  for _, name in ipairs(without or {}) do out[name] = nil end
  return out
end

-- a script's own files, by the names that package.path would give them
local function find_file(files, name)
  local path = name:gsub("%.", "/")
  for _, candidate in ipairs { path .. ".lua", path .. "/init.lua" } do
    if files[candidate] then return candidate, files[candidate] end
  end
end

local function make_require(environment, files, modules)
  local loaded = {}
  return function(name)
    if type(name) ~= "string" then error("require takes a name", 2) end
    if modules[name] then return modules[name] end
    if loaded[name] ~= nil then return loaded[name] end
    local path, text = find_file(files, name)
    if not path then error(("there is no module '%s' among this script's files"):format(name), 2) end
    local chunk, problem = load(text, "@" .. path, "t", environment)
    if not chunk then error(problem, 0) end
    loaded[name] = true
    local value = chunk(name, path)
    if value ~= nil then loaded[name] = value end
    return loaded[name]
  end
end

local function make_load(environment)
  return function(text, name, mode, own)
    if mode and not tostring(mode):find("t", 1, true) then return nil, "only text can be loaded" end
    return load(text, name, "t", own or environment)
  end
end

-- counts, and collects; what steers the collector would be a way to keep memory
local function collect(option)
  if option == nil or option == "collect" or option == "step" or option == "count" then
    return collectgarbage(option)
  end
  error("collectgarbage takes 'collect', 'step' or 'count' in a script", 2)
end

---@class sotto.script.sandbox
---@field files table<string, string> the script's own files: path to text
---@field modules table<string, any> what require gives beside them: "sotto"
---@field print fun(...: any)
---@field coroutine table
---@field time fun(): integer seconds since 1970

--- An environment for one script.
---@param options sotto.script.sandbox
---@return table
function M.environment(options)
  local out = {}
  for _, name in ipairs(KEPT) do out[name] = _G[name] end
  out._G = out
  out.string, out.table, out.math, out.utf8 = copy(string, { "dump" }), copy(table), copy(math), copy(utf8)
  out.os = {
    time = function(date) return date and os.time(date) or options.time() end,
    date = function(format, time) return os.date(format or "%c", time or options.time()) end,
    clock = os.clock, difftime = os.difftime,
  }
  out.coroutine = options.coroutine
  -- Lua's own would write past the limits on what a script may say
  out.warn = function(...) options.print("warning:", table.concat({ ... })) end
  out.next = store.next
  out.print, out.collectgarbage, out.load = options.print, collect, make_load(out)
  out.require = make_require(out, options.files, options.modules)
  -- s:upper() and so on; nobody reaches, or changes, what strings are made of
  local meta = getmetatable("")
  meta.__index, meta.__metatable = copy(string, { "dump" }), false
  return out
end

return M
