-- SPDX-License-Identifier: GPL-3.0-or-later
-- Where an identity lives: below one directory (--home DIR), or in the XDG base directories.
local sys = require "sotto.sys"

local M = {}

---@class sotto.paths
---@field home string|nil the directory of --home
---@field config string config.lua
---@field chat string chat.lua, which only the front end runs
---@field data string all that is kept
---@field state string what the front end keeps for convenience
---@field run string what lives as long as the core
---@field socket string the control socket
---@field log string
---@field lock string

--- A path as it will mean the same after a change of directory. Nothing is looked up.
---@param path string
---@return string|nil path, string? message
function M.absolute(path)
  if path:sub(1, 1) == "/" then return path end
  local here, message = sys.cwd()
  if not here then return nil, message end
  return here .. "/" .. path
end

-- the specification says that a relative value is to be ignored
local function base(environment, variable, fallback)
  local value = environment(variable)
  return value and value:sub(1, 1) == "/" and value or fallback
end

local function xdg(environment)
  local user = sys.user()
  local own = base(environment, "HOME", user and user.home)
  if not own then return nil, "there is no home directory: use --home DIR" end
  local data = base(environment, "XDG_DATA_HOME", own .. "/.local/share") .. "/sotto"
  local runtime = base(environment, "XDG_RUNTIME_DIR")
  return {
    config = base(environment, "XDG_CONFIG_HOME", own .. "/.config") .. "/sotto",
    data = data,
    state = base(environment, "XDG_STATE_HOME", own .. "/.local/state") .. "/sotto",
    run = runtime and runtime .. "/sotto" or data .. "/run",
  }
end

--- @param home? string the value of --home
--- @param environment? fun(name: string): string|nil standard: the process's
--- @return sotto.paths|nil, string? message
function M.find(home, environment)
  local place, message
  if home then
    home, message = M.absolute(home)
    place = home and { config = home, data = home .. "/data", state = home .. "/state", run = home .. "/run" }
  else
    place, message = xdg(environment or sys.getenv)
  end
  if not place then return nil, message end
  return {
    home = home,
    config = place.config .. "/config.lua",
    chat = place.config .. "/chat.lua",
    data = place.data,
    state = place.state,
    run = place.run,
    socket = place.run .. "/control.sock",
    log = place.data .. "/log",
    lock = place.data .. "/lock",
  }
end

--- A program of this project: they lie beside each other.
---@param name string
---@return string
function M.program(name)
  local own = sys.executable() or name
  return (own:match("^(.*)/[^/]*$") or ".") .. "/" .. name
end

-- "sotto" where the shell finds it, else the path as short as it can be. The programs are beside each other.
local function command_name()
  local folder = (sys.executable() or ""):match("^(.*)/[^/]*$")
  if not folder then return "sotto" end
  for path in (sys.getenv("PATH") or ""):gmatch("[^:]+") do
    if path == folder then return "sotto" end
  end
  local here, own = sys.cwd(), folder .. "/sotto"
  if here and own:sub(1, #here + 1) == here .. "/" then return own:sub(#here + 2) end
  return own
end

local function quoted(text)
  if text:find("^[%w_./-]+$") then return text end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- What to type for the front end and this home.
---@param home? string the value of --home
---@return string
function M.command(home) return command_name() .. (home and " --home " .. quoted(home) or "") end

--- Makes the directories that a core needs. data and run are made private; a home that is there is left as it is.
---@param paths sotto.paths
---@return boolean|nil ok, string? message
function M.prepare(paths)
  for _, path in ipairs { paths.data, paths.run } do
    local ok, message = sys.make_private_directory(path)
    if not ok then return nil, message end
  end
  return true
end

return M
