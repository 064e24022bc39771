-- SPDX-License-Identifier: GPL-3.0-or-later
-- A Lua value as text that a person can read, and that is bounded whatever the value is.
local json = require "sotto.json"
local terminal = require "sotto.terminal"

local M = {}

-- of one table; of all that is shown; bytes of one text
local DEPTH_MAX, ITEMS_MAX, VALUES_MAX, TEXT_MAX, WIDTH = 6, 200, 1000, 4000, 100

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

local function quoted(text)
  local rest = ""
  if #text > TEXT_MAX then
    rest = ("… (%d bytes)"):format(#text)
    text = text:sub(1, (utf8.offset(text, 0, TEXT_MAX + 1) or TEXT_MAX + 1) - 1)
  end
  local parts = {}
  for plain, special in text:gmatch('([^"\\\n\t\r]*)(["\\\n\t\r]?)') do
    parts[#parts + 1] = terminal.escape(plain) .. (ESCAPES[special] or "")
  end
  return '"' .. table.concat(parts) .. rest .. '"'
end

local function function_text(f)
  local info = debug.getinfo(f, "S")
  if info.what == "C" then return "function (built in)" end
  local where = info.short_src == "chat" and "line" or terminal.escape(info.short_src:match("[^/]*$"))
  return ("function (%s %d)"):format(where, info.linedefined)
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

-- how a value wants to be shown, if it is a text: nothing is run
local function own_text(value)
  local meta = debug.getmetatable(value)
  local text = type(meta) == "table" and rawget(meta, "__inspect")
  return type(text) == "string" and text or nil
end

local function inspect_table(value, indent, state)
  if own_text(value) then return own_text(value) end
  if state.seen[value] then return "<itself>" end
  if #indent // 2 >= DEPTH_MAX then return "{…}" end
  state.seen[value] = true
  local length = rawlen(value)
  local keys = fields_of(value, length)
  local deeper, parts = indent .. "  ", {}
  local function is_full() return #parts >= ITEMS_MAX or state.left <= 0 end
  for i = 1, length do
    if is_full() then break end
    parts[#parts + 1] = inspect(rawget(value, i), deeper, state)
  end
  for _, key in ipairs(keys) do
    if is_full() then break end
    parts[#parts + 1] = key_text(key) .. " = " .. inspect(rawget(value, key), deeper, state)
  end
  local more = length + #keys - #parts
  if more > 0 then parts[#parts + 1] = ("… (%d more)"):format(more) end
  state.seen[value] = nil
  if #parts == 0 then return "{}" end
  local one_line = "{ " .. table.concat(parts, ", ") .. " }"
  if terminal.width(one_line) + #indent <= WIDTH and not one_line:find("\n") then return one_line end
  return "{\n" .. deeper .. table.concat(parts, ",\n" .. deeper) .. ",\n" .. indent .. "}"
end

function inspect(value, indent, state)
  state.left = state.left - 1
  if value == json.null then return "null" end
  if type(value) == "string" then return quoted(value) end
  if type(value) == "function" then return function_text(value) end
  if type(value) ~= "table" then return terminal.escape(tostring(value)) end
  return inspect_table(value, indent, state)
end

---@param value any
---@return string
function M.value(value) return inspect(value, "", { seen = {}, left = VALUES_MAX }) end

return M
