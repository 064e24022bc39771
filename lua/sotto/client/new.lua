-- SPDX-License-Identifier: GPL-3.0-or-later
-- `sotto new bot|policy|plugin NAME`: a script to begin with, and its spec, in the current directory.
local help = require "sotto.client.help"
local sys = require "sotto.sys"

local M = {}

local KINDS = { bot = true, policy = true, plugin = true }
local FILE_MAX = 64 << 10

-- a template is a file beside our own Lua
local function read_template(name)
  local path, problem = package.searchpath("sotto.client.templates." .. name, package.path)
  if not path then return nil, problem end
  return sys.read_file(path, FILE_MAX)
end

--- The files of a new script.
---@param kind string
---@param name string
---@return {path: string, text: string}[]|nil, string? message
function M.files(kind, name)
  local files = {}
  for i, part in ipairs { "", "_spec" } do
    local text, message = read_template(kind .. part)
    if not text then return nil, message end
    files[i] = { path = name .. part .. ".lua", text = (text:gsub("NAME", name)) }
  end
  return files
end

---@param kind string|nil
---@param name string|nil
---@return string|nil problem
function M.check(kind, name)
  if not KINDS[kind] or not name then return "new takes bot, policy or plugin, and a name" end
  if not name:find("^[a-z][a-z0-9_-]*$") or #name > 32 then
    return "a script's name is 1 to 32 of a-z, 0-9, - and _, a letter first"
  end
end

--- `sotto new`
---@param place sotto.place
---@param words string[]
---@return integer status
function M.run(_, place, words)
  local problem = M.check(words[1], words[2])
  if problem or words[3] then return help.usage(problem or "new takes a kind and a name") end
  local files, message = M.files(words[1], words[2])
  if not files then return help.failure(message) end
  for _, file in ipairs(files) do
    if sys.exists(file.path) then return help.failure(file.path .. " is there already") end
  end
  for _, file in ipairs(files) do
    local ok, failure = sys.write_file(file.path, file.text, tonumber("644", 8))
    if not ok then return help.failure(failure) end
  end
  local command = place.command
  io.stdout:write(("%s and %s are made. Next:\n"):format(files[1].path, files[2].path))
  io.stdout:write(("  %s test %s\n"):format(command, files[1].path))
  io.stdout:write(("  %s run --watch %s\n"):format(command, files[1].path))
  return 0
end

return M
