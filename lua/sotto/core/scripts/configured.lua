-- SPDX-License-Identifier: GPL-3.0-or-later
-- Which scripts the configuration names: the list `plugins` of config.lua, and what lies in the folder plugins beside
-- it. Those of the folder that the list does not name are loaded, too, and are granted nothing.
local sys = require "sotto.sys"

local M = {}

M.FOLDER_MAX = 100

---@class sotto.configured
---@field path string absolute; as it was written, where nothing is there
---@field grant string[]|true true: all that the script names
---@field arguments string[]
---@field discussions string[]|nil
---@field watch boolean
---@field problem string|nil it cannot be found

--- Where the plugins that come with sotto are.
---@return string|nil
function M.bundled()
  local own = package.searchpath("sotto.core.scripts", package.path)
  local root = own and own:match("^(.*)/lua/sotto/core/scripts%.lua$")
  return root and root .. "/plugins"
end

-- where a name may be found, the likeliest first
local function candidates(path, folders)
  if path:sub(1, 1) == "/" then return { path } end
  if path:sub(1, 2) == "~/" then
    local user = sys.user()
    return { (user and user.home or "") .. path:sub(2) }
  end
  local list = {}
  for _, folder in ipairs(folders) do
    list[#list + 1] = folder .. "/" .. path
    list[#list + 1] = folder .. "/" .. path .. ".lua"
  end
  return list
end

--- The script that a text of the configuration means.
---@param path string "/…", "~/…", or a name in one of the folders
---@param folders string[]
---@return string|nil path, string? message
function M.find(path, folders)
  for _, candidate in ipairs(candidates(path, folders)) do
    local real = sys.realpath(candidate)
    if real then return real end
  end
  return nil, ("there is no script '%s'"):format(path)
end

local function add_folder(out, seen, folder)
  for _, name in ipairs(sys.list(folder) or {}) do
    local path = name:sub(1, 1) ~= "." and sys.realpath(folder .. "/" .. name)
    local stat = path and sys.stat(path)
    -- a script's specs are beside it
    local is_lua = name:find("%.lua$") and not name:find("_spec%.lua$")
    local is_script = stat and (stat.kind == "directory" or stat.kind == "file" and is_lua)
    if is_script and not seen[path] and #out < M.FOLDER_MAX then
      out[#out + 1] = { path = path, grant = {}, arguments = {}, watch = false }
    end
  end
end

--- All of them.
---@param list table[] the value of `plugins` in config.lua
---@param folder string|nil the one beside it
---@return sotto.configured[]
function M.list(list, folder)
  local out, seen = {}, {}
  local folders = { M.bundled() }
  if folder then table.insert(folders, 1, folder) end
  for _, item in ipairs(list) do
    local path, problem = M.find(item.path, folders)
    if not seen[path or item.path] then
      seen[path or item.path] = true
      out[#out + 1] = {
        path = path or item.path, problem = problem, grant = item.grant or {}, arguments = item.arguments or {},
        discussions = item.discussions, watch = item.watch,
      }
    end
  end
  if folder then add_folder(out, seen, folder) end
  return out
end

return M
