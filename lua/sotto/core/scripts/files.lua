-- SPDX-License-Identifier: GPL-3.0-or-later
-- The capability files:PATH, a file or a folder with what is in it. The core opens, so that the script's process needs
-- no way to; each call moves a bounded piece, and nothing leads out of what was granted (sys.beneath_…).
local grants = require "sotto.core.scripts.grants"
local json = require "sotto.json"
local octets = require "sotto.script.octets"
local sys = require "sotto.sys"

local M = {}

--- Bytes that one call moves.
M.PIECE_MAX = 256 << 10

---@class sotto.script_files
---@field roots {path: string, folder: string, only: string|nil}[]
---@field most integer bytes that a file may have which the script writes
local Files = {}
Files.__index = Files

local function absolute(path)
  local user = path:sub(1, 2) == "~/" and sys.user()
  return user and user.home .. path:sub(2) or path
end

---@param granted string[]
---@param most integer
---@return sotto.script_files|nil none where no file was granted
function M.new(granted, most)
  local roots = {}
  for _, given in ipairs(grants.arguments(granted, "files")) do
    local path = absolute(given):gsub("(.)/+$", "%1")
    local stat = sys.stat(path)
    if stat and stat.kind == "directory" then
      roots[#roots + 1] = { path = path, folder = path }
    else
      local folder, name = path:match("^(.*)/([^/]+)$")
      roots[#roots + 1] = { path = path, folder = folder == "" and "/" or folder, only = name }
    end
  end
  if #roots == 0 then return nil end
  return setmetatable({ roots = roots, most = most }, Files)
end

-- the folder and the path within it that the script means
function Files:place(path)
  if path:sub(1, 1) ~= "/" and path:sub(1, 2) ~= "~/" then
    for _, root in ipairs(self.roots) do
      if not root.only then return root.folder, path end
      if root.only == path then return root.folder, path end
    end
  end
  path = absolute(path)
  for _, root in ipairs(self.roots) do
    if path == root.path then return root.folder, root.only or "" end
    local prefix = root.path == "/" and "/" or root.path .. "/"
    if not root.only and path:sub(1, #prefix) == prefix then return root.folder, path:sub(#prefix + 1) end
  end
end

local operations = {}

function operations.read(_, folder, path, params)
  local offset = math.type(params.offset) == "integer" and math.max(0, params.offset) or 0
  local text, size, name = sys.beneath_read(folder, path, offset, M.PIECE_MAX)
  if not text then return nil, size, name end
  local packed, is_octets = octets.pack(text)
  return { text = packed, octets = is_octets, bytes = #text, size = size }
end

local function text_of(params)
  if type(params.text) ~= "string" then return nil, "'text' is missing", "bad_params" end
  local text = octets.unpack(params.text, params.octets == true)
  if #text > M.PIECE_MAX then return nil, ("at most %d bytes at one time"):format(M.PIECE_MAX), "too_large" end
  return text
end

function operations.write(self, folder, path, params)
  local text, message, name = text_of(params)
  if not text then return nil, message, name end
  if #text > self.most then return nil, "it is larger than a script's file may be", "too_large" end
  return sys.beneath_write(folder, path, text)
end

function operations.append(self, folder, path, params)
  local text, message, name = text_of(params)
  if not text then return nil, message, name end
  return sys.beneath_append(folder, path, text, self.most)
end

function operations.remove(_, folder, path) return sys.beneath_remove(folder, path) end

function operations.list(_, folder, path)
  local list, message, name = sys.beneath_list(folder, path)
  if not list then return nil, message, name end
  table.sort(list, function(a, b) return a.name < b.name end)
  for _, entry in ipairs(list) do
    if not utf8.len(entry.name) then entry.name, entry.octets = octets.pack(entry.name) end
  end
  return json.array(list)
end

---@param params {op: string, path: string, text?: string, octets?: boolean, offset?: integer}
---@return any result, string? message, string? name
function Files:call(params)
  local operation = operations[params.op]
  if not operation or type(params.path) ~= "string" or params.path:find("\0", 1, true) then
    return nil, "there is no such call", "bad_params"
  end
  local folder, path = self:place(params.path)
  if not folder then return nil, ("'%s' was not granted"):format(params.path), "refused" end
  local result, message, name = operation(self, folder, path ~= "" and path or ".", params)
  if result == true then return {} end
  return result, message, name
end

return M
