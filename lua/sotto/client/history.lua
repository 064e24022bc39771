-- SPDX-License-Identifier: GPL-3.0-or-later
-- What was typed, across restarts: a file of one line an entry, for this identity alone. Commands and Lua are kept
-- in it; what is said is not: messages are sealed on the disk, and come back from the core.
local sys = require "sotto.sys"

local M = {}

--- Entries that a file keeps, bytes of one, and how far a file grows before it is cut.
M.KEPT, M.ENTRY_MAX, M.SLACK = 1000, 4096, 500

local FILE_MAX = 16 << 20

---@class sotto.chat.history.entry
---@field time integer milliseconds since 1970
---@field text string

local ESCAPES = { ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\0"] = "\\0" }
local UNESCAPED = { ["\\"] = "\\", n = "\n", r = "\r", ["0"] = "\0" }

---@param entry sotto.chat.history.entry
---@return string line without its newline
function M.encode(entry) return ("%d %s"):format(entry.time, (entry.text:gsub("[\\\n\r\0]", ESCAPES))) end

--- The entries of a file's text. What is no entry is left out.
---@param text string
---@return sotto.chat.history.entry[]
function M.parse(text)
  local entries = {}
  for line in text:gmatch("[^\n]+") do
    local time, rest = line:match("^(%d+) (.+)$")
    time = math.tointeger(tonumber(time))
    if time then entries[#entries + 1] = { time = time, text = rest:gsub("\\(.)", UNESCAPED) } end
  end
  return entries
end

--- The texts of both lists, oldest first; of neighbours that are the same, one.
---@param a sotto.chat.history.entry[]
---@param b sotto.chat.history.entry[]
---@return string[]
function M.merge(a, b)
  local all = table.move(b, 1, #b, #a + 1, { table.unpack(a) })
  for i, entry in ipairs(all) do all[i] = { time = entry.time, text = entry.text, place = i } end
  table.sort(all, function(x, y)
    if x.time ~= y.time then return x.time < y.time end
    return x.place < y.place
  end)
  local texts = {}
  for _, entry in ipairs(all) do
    if entry.text ~= texts[#texts] then texts[#texts + 1] = entry.text end
  end
  return texts
end

local function write_all(path, entries, first)
  local lines = {}
  for i = first, #entries do lines[#lines + 1] = M.encode(entries[i]) .. "\n" end
  return sys.write_file(path, table.concat(lines))
end

--- What a file keeps. One that has grown too long is cut, and one that others may read is theirs no longer.
---@param path string
---@return sotto.chat.history.entry[] entries, string? message
function M.load(path)
  local text, message, name = sys.read_file(path, FILE_MAX)
  if not text then return {}, name ~= "not_found" and message or nil end
  local entries, stat = M.parse(text), sys.stat(path)
  local first = math.max(1, #entries - M.KEPT + 1)
  local open = stat and stat.mode & 63 ~= 0
  if #entries > M.KEPT + M.SLACK or open then
    local _, failure = write_all(path, entries, first)
    if failure then return entries, failure end
  end
  return table.move(entries, first, #entries, 1, {})
end

--- Adds one. Several chats of an identity may do so at once.
---@param path string
---@param entry sotto.chat.history.entry longer ones are not kept
---@return boolean|nil ok, string? message
function M.append(path, entry)
  if #entry.text > M.ENTRY_MAX then return true end
  local mask = sys.umask(63)
  local file, message = io.open(path, "a")
  sys.umask(mask)
  if not file then return nil, message end
  local written, failure = file:write(M.encode(entry), "\n")
  local closed, late = file:close()
  if written and closed then return true end
  return nil, failure or late
end

return M
