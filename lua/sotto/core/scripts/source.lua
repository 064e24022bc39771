-- SPDX-License-Identifier: GPL-3.0-or-later
-- A script's text: one file, or a folder with a main.lua or init.lua. Read whole and checked before a process is
-- started for it.
local sys = require "sotto.sys"

local M = {}

M.FILE_MAX, M.FILES_MAX, M.BYTES_MAX, M.DEPTH_MAX = 512 << 10, 100, 1 << 20, 4

---@class sotto.source
---@field path string absolute
---@field main string name of the main file within it
---@field files {path: string, text: string}[] by name
---@field hash string of all names and texts

local function read(path, name, found)
  if #found.files >= M.FILES_MAX then return nil, ("a script has at most %d files"):format(M.FILES_MAX), "too_large" end
  local text, message, kind = sys.read_file(path, M.FILE_MAX)
  if not text then return nil, message, kind end
  if text:sub(1, 1) == "\27" then return nil, name .. " holds bytecode; only text can be run", "bad_input" end
  -- a first line for a shell
  text = text:gsub("^#[^\n]*", "")
  if not utf8.len(text) then return nil, name .. " is no UTF-8 text", "bad_input" end
  found.bytes = found.bytes + #text
  if found.bytes > M.BYTES_MAX then return nil, "the script's files are larger than 1 MiB together", "too_large" end
  found.files[#found.files + 1] = { path = name, text = text }
  return true
end

-- visits the Lua files of a folder in order, until one is not well
local function walk(path, prefix, depth, visit)
  local names, message, kind = sys.list(path)
  if not names then return nil, message, kind end
  table.sort(names)
  for _, name in ipairs(names) do
    local full = path .. "/" .. name
    local stat = name:sub(1, 1) ~= "." and sys.stat(full) or {}
    local ok = true
    if stat.kind == "directory" and depth < M.DEPTH_MAX then
      ok, message, kind = walk(full, prefix .. name .. "/", depth + 1, visit)
    elseif stat.kind == "file" and name:find("%.lua$") then
      ok, message, kind = visit(full, prefix .. name, stat)
    end
    if not ok then return nil, message, kind end
  end
  return true
end

-- nil, or what does not parse, with file and line
local function parse_problem(files)
  for _, file in ipairs(files) do
    local chunk, problem = load(file.text, "@" .. file.path, "t", {})
    if not chunk then return problem end
  end
end

local function main_of(files)
  for _, name in ipairs { "main.lua", "init.lua" } do
    for _, file in ipairs(files) do
      if file.path == name then return name end
    end
  end
end

local function hash_of(files)
  local parts = {}
  for _, file in ipairs(files) do parts[#parts + 1] = string.pack("<s4s4", file.path, file.text) end
  return sys.hash(table.concat(parts))
end

--- Reads it.
---@param path string absolute
---@return sotto.source|nil, string? message, string? name
function M.read(path)
  local stat, message, kind = sys.stat(path)
  if not stat then return nil, message, kind end
  local found, main = { files = {}, bytes = 0 }, path:match("[^/]*$")
  local ok
  if stat.kind == "directory" then
    ok, message, kind = walk(path, "", 1, function(full, name) return read(full, name, found) end)
    main = ok and main_of(found.files)
    if ok and not main then return nil, path .. " has neither main.lua nor init.lua", "not_found" end
  else
    ok, message, kind = read(path, main, found)
  end
  if not ok then return nil, message, kind end
  local problem = parse_problem(found.files)
  if problem then return nil, problem, "bad_input" end
  return { path = path, main = main, files = found.files, hash = hash_of(found.files) }
end

--- What a look at its files tells without reading them: where it is the same, they are. Nil where that is not known: a
--- change of a moment ago may not be the last within its second.
---@param path string absolute
---@return string|nil
function M.stamp(path)
  local parts, newest = {}, 0
  local function note(_, name, stat)
    parts[#parts + 1] = ("%s %d %d"):format(name, stat.size, stat.changed)
    newest = math.max(newest, stat.changed)
    return #parts <= M.FILES_MAX
  end
  local stat = sys.stat(path)
  if not stat then return nil end
  local known
  if stat.kind == "directory" then known = walk(path, "", 1, note) else known = note(path, "", stat) end
  return known and newest < os.time() - 2 and table.concat(parts, "\n") or nil
end

return M
