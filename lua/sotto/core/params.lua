-- SPDX-License-Identifier: GPL-3.0-or-later
-- Checks a call's parameters against the API table.
local json = require "sotto.json"

local M = {}

-- what is looked up by a name; names are at most 32 bytes, ids shorter still
local REFERENCE_MAX = 128
local ADDRESS_MAX = 300
local PATH_MAX = 4095
local SECRET_MAX = 1024

---@class sotto.params.problem
---@field name string "bad_params" or "too_large"
---@field param string
---@field expected string|nil

local function is_string(value) return type(value) == "string" end

local function sized(least, most, unit)
  if most then return ("%d to %d %s"):format(least or 0, most, unit) end
  return ("at least %d %s"):format(least or 0, unit)
end

local function check_text(value, param, most)
  if not is_string(value) or #value < (param.least or 0) then
    return "bad_params", "a string of " .. sized(param.least or 0, most, "bytes")
  end
  if most and #value > most then return "too_large", "a string of " .. sized(param.least or 0, most, "bytes") end
end

local function check_reference(expected)
  return function(value)
    if not is_string(value) or #value == 0 or #value > REFERENCE_MAX then return "bad_params", expected end
  end
end

--- Each answers nothing, or the error's name and what is expected.
---@type table<sotto.api.type, fun(value: any, param: sotto.api.param): string?, string?>
local checks = {}

function checks.string(value, param) return check_text(value, param, param.most) end

function checks.secret(value, param)
  local usable, empty = pcall(function() return value:is_empty() end)
  if type(value) ~= "userdata" or not usable or (empty and (param.least or 0) > 0) then
    return "bad_params", "a string of " .. sized(param.least, SECRET_MAX, "bytes")
  end
  if value:is_longer_than(SECRET_MAX) then
    return "too_large", "a string of " .. sized(param.least, SECRET_MAX, "bytes")
  end
end

function checks.integer(value, param)
  local least, most = param.least or math.mininteger, param.most or math.maxinteger
  if math.type(value) == "integer" and value >= least and value <= most then return end
  if param.most then return "bad_params", ("an integer from %d to %d"):format(least, most) end
  return "bad_params", param.least and ("an integer of at least %d"):format(least) or "an integer"
end

function checks.boolean(value)
  if type(value) ~= "boolean" then return "bad_params", "true or false" end
end

function checks.strings(value, param)
  local expected = "an array of " .. sized(param.least, param.most, "strings")
  if type(value) ~= "table" or not json.is_array(value) or #value < (param.least or 0) then
    return "bad_params", expected
  end
  if param.most and #value > param.most then return "too_large", expected end
  for _, text in ipairs(value) do
    if not is_string(text) then return "bad_params", expected end
  end
end

function checks.enum(value, param)
  for _, allowed in ipairs(param.values) do
    if value == allowed then return end
  end
  return "bad_params", "one of " .. table.concat(param.values, ", ")
end

function checks.address(value)
  local host, port = nil, nil
  if is_string(value) and #value <= ADDRESS_MAX then
    host, port = value:match("^%[([%x:.%%%w]+)%]:(%d+)$")
    if not host then host, port = value:match("^([^%s:%[%]]+):(%d+)$") end
  end
  port = tonumber(port)
  if not host or not port or port < 1 or port > 65535 then return "bad_params", "HOST:PORT or [V6]:PORT" end
end

function checks.path(value)
  if not is_string(value) or value:sub(1, 1) ~= "/" or #value > PATH_MAX or value:find("\0", 1, true) then
    return "bad_params", "an absolute path"
  end
end

checks.peer = check_reference("a fingerprint, 8 digits or more of it, or a name")
checks.proposal = check_reference("an id, or 8 digits or more of it")
checks.discussion = check_reference("an id, 8 digits or more of it, or a name")

function checks.message(value)
  if not is_string(value) or #value ~= 32 or value:find("[^0-9a-f]") then
    return "bad_params", "a message's id"
  end
end

local function problem(name, param, expected, message)
  return nil, message, { name = name, param = param, expected = expected }
end

local function check_unknown(method, given)
  local known = {}
  for _, param in ipairs(method.params) do known[param.name] = true end
  local unknown
  for name in pairs(given) do
    if not known[name] and (not unknown or tostring(name) < tostring(unknown)) then unknown = name end
  end
  return unknown
end

local function check_one_of(method, params)
  local found = 0
  for _, name in ipairs(method.one_of) do
    if params[name] ~= nil then found = found + 1 end
  end
  return found == 1
end

--- The parameters with standard values filled in; null counts as left out. Else nil, a message, and the problem.
---@param method sotto.api.method
---@param given table<string, any>
---@return table<string, any>|nil params, string? message, sotto.params.problem? problem
function M.check(method, given)
  local unknown = check_unknown(method, given)
  if unknown then
    local message = ("%s has no parameter '%s'"):format(method.name, unknown)
    return problem("bad_params", tostring(unknown), nil, message)
  end
  local params = {}
  for _, param in ipairs(method.params) do
    local value = given[param.name]
    if value == json.null then value = nil end
    if value ~= nil then
      local name, expected = checks[param.type](value, param)
      if name then
        return problem(name, param.name, expected, ("'%s' must be %s"):format(param.name, expected))
      end
    elseif param.required then
      return problem("bad_params", param.name, param.type, ("the parameter '%s' is missing"):format(param.name))
    else
      value = param.standard
    end
    params[param.name] = value
  end
  if method.one_of and not check_one_of(method, params) then
    local names = table.concat(method.one_of, "' and '")
    return problem("bad_params", method.one_of[1], nil, ("exactly one of '%s' is needed"):format(names))
  end
  return params
end

--- The types that the table may use.
---@param name string
---@return boolean
function M.is_type(name) return checks[name] ~= nil end

return M
