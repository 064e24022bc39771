-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.json

---@class sotto.json
---@field null userdata the null of JSON: tostring(json.null) == "null"
local json = {}

---@class sotto.json.options
---@field strict? boolean rule P0.1: an object, at most 8 levels and 20,000 values, no reals, integers up to 2^53-1
---@field nulls? boolean false: an object's fields that are null are left out (standard: they are json.null)

--- Any JSON value. Refused always: invalid UTF-8, U+0000, an object with one key twice, more than 64 levels. Integers stay
--- integers, an array carries json.array's mark. The message never quotes the text.
---@param text string
---@param options? sotto.json.options
---@return any|nil value, string? message, string? name
function json.decode(text, options) end

--- Compact text, an object's keys in order of their bytes. A table is an array if it is marked or has an element 1; an empty table
--- without a mark is an object. Refused: functions, secrets, infinities, invalid UTF-8, U+0000, keys that are no strings, arrays with
--- holes, more than 64 levels (and so a table within itself).
---@param value any
---@return string|nil text, string? message, string? name
function json.encode(value) end

--- Marks the table as an array and returns it; without one, a new one.
---@generic T
---@param list? T[]
---@return T[]
function json.array(list) end

---@param value any
---@return boolean marked
function json.is_array(value) end

--- Text that is JSON already, to stand in a value for encode. It is not checked.
---@param text string
---@return userdata
function json.raw(text) end

return json
