-- SPDX-License-Identifier: GPL-3.0-or-later
-- A Lua value as text that a person can read, and that is bounded whatever the value is.
local json = require "sotto.json"
local terminal = require "sotto.terminal"

local M = {}

local DEPTH_MAX, ITEMS_MAX, TEXT_MAX, WIDTH = 6, 200, 4000, 100

local function quoted(text)
  if #text > TEXT_MAX then text = text:sub(1, TEXT_MAX) .. "…" end
  return '"' .. terminal.escape(text):gsub('[\\"]', "\\%0") .. '"'
end

local function key_text(key)
  if type(key) == "string" and key:match("^[%a_][%w_]*$") then return key end
  return "[" .. (type(key) == "string" and quoted(key) or tostring(key)) .. "]"
end

local function compare(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
  return tostring(a) < tostring(b)
end

local inspect

-- the fields behind the list part, in order
local function fields_of(value, length)
  local keys = {}
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then keys[#keys + 1] = key end
  end
  table.sort(keys, compare)
  return keys
end

local function inspect_table(value, indent, seen)
  if seen[value] then return "<itself>" end
  if #indent // 2 >= DEPTH_MAX then return "{…}" end
  seen[value] = true
  local length = rawlen(value)
  local deeper, parts = indent .. "  ", {}
  for i = 1, math.min(length, ITEMS_MAX) do parts[#parts + 1] = inspect(rawget(value, i), deeper, seen) end
  for _, key in ipairs(fields_of(value, length)) do
    if #parts >= ITEMS_MAX then break end
    parts[#parts + 1] = key_text(key) .. " = " .. inspect(rawget(value, key), deeper, seen)
  end
  if length > ITEMS_MAX or #parts >= ITEMS_MAX then parts[#parts + 1] = "…" end
  seen[value] = nil
  if #parts == 0 then return "{}" end
  local one_line = "{ " .. table.concat(parts, ", ") .. " }"
  if #one_line + #indent <= WIDTH and not one_line:find("\n") then return one_line end
  return "{\n" .. deeper .. table.concat(parts, ",\n" .. deeper) .. ",\n" .. indent .. "}"
end

function inspect(value, indent, seen)
  if value == json.null then return "null" end
  if type(value) == "string" then return quoted(value) end
  if type(value) ~= "table" then return terminal.escape(tostring(value)) end
  return inspect_table(value, indent, seen)
end

---@param value any
---@return string
function M.value(value) return inspect(value, "", {}) end

return M
