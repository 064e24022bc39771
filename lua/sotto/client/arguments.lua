-- SPDX-License-Identifier: GPL-3.0-or-later
-- Words of the command line as a method's parameters. Nothing here reads a file, a terminal or a socket.
local json = require "sotto.json"
local paths = require "sotto.core.paths"

local M = {}

--- Asked for each secret. given: the person wrote "-".
---@alias sotto.arguments.read_secret fun(param: sotto.api.param, given: boolean): sotto.secret|nil, string?

local converters = {
  integer = function(text) return math.tointeger(tonumber(text)), "a number" end,
  boolean = function(text)
    if text == "true" or text == "yes" then return true end
    if text == "false" or text == "no" then return false end
    return nil, "true or false"
  end,
  path = function(text) return text ~= "" and paths.absolute(text) or nil, "a path" end,
}

local function convert(param, text)
  local converter = converters[param.type]
  if not converter then return text end
  local value, expected = converter(text)
  if value == nil then return nil, ("--%s takes %s"):format(param.name, expected) end
  return value
end

---@param method sotto.api.method
---@param name string
---@return sotto.api.param|nil
function M.find_param(method, name)
  for _, param in ipairs(method.params) do
    if param.name == name then return param end
  end
end

-- the next parameter that may stand without its name: secrets never do
local function next_position(method, position)
  repeat position = position + 1 until not method.params[position] or method.params[position].type ~= "secret"
  return position
end

--- `--name value`, `--name=value`, or in the table's order without names; after `--` nothing is a name.
---@param method sotto.api.method
---@param words string[]
---@param first integer of them
---@return table<string, string[]>|nil given, string? message
function M.collect(method, words, first)
  local given, position, i, names = {}, 0, first, true
  while words[i] do
    local word, name, value = words[i], nil, nil
    if names and word == "--" then
      names = false
    else
      if names then
        name, value = word:match("^%-%-([%a][%w_]*)=(.*)$")
        name = name or word:match("^%-%-([%a][%w_]*)$")
      end
      if name and not value then
        i = i + 1
        value = words[i]
        if not value then return nil, "--" .. name .. " needs a value" end
      elseif not name then
        position = next_position(method, position)
        -- a list at the end takes all that is left, but not one that stands for another parameter
        local last = #method.params
        local is_list = last > 0 and method.params[last].type == "strings" and not method.one_of
        if position == last + 1 and is_list then position = last end
        if not method.params[position] then return nil, ("'%s' is one argument too many"):format(word) end
        name, value = method.params[position].name, word
      end
      if not M.find_param(method, name) then return nil, ("%s has no parameter '%s'"):format(method.name, name) end
      given[name] = given[name] or {}
      table.insert(given[name], value)
    end
    i = i + 1
  end
  return given
end

-- what can be refused without looking at any value
local function check_given(method, given)
  for _, param in ipairs(method.params) do
    local list = given[param.name] or {}
    if param.type ~= "strings" and #list > 1 then return ("--%s is there twice"):format(param.name) end
    if param.type == "secret" and list[1] and list[1] ~= "-" then
      return ("--%s takes '-' (it is asked, or read from standard input), never the secret itself"):format(param.name)
    end
  end
end

local function check_one_of(method, params)
  local found = 0
  for _, name in ipairs(method.one_of) do
    if params[name] ~= nil then found = found + 1 end
  end
  if found ~= 1 then return ("%s takes one of --%s"):format(method.name, table.concat(method.one_of, " and --")) end
end

local function take_value(param, list)
  if not list then return nil end
  if param.type == "strings" then return json.array(list) end
  return convert(param, list[1])
end

local function take_secret(param, list, read_secret)
  local value, message = read_secret(param, list ~= nil)
  if not value or not value:is_empty() then return value, message end
  if list or param.required or param.unless then return nil, param.name .. " is empty" end
  return nil -- asked, and the answer was: none
end

-- puts the values of all parameters that are secrets, or of all that are none, into params
local function take_all(method, params, secrets, take)
  for _, param in ipairs(method.params) do
    if (param.type == "secret") == secrets then
      local value, message = take(param)
      if message then return message end
      if value == nil and param.required then return ("--%s is needed: %s"):format(param.name, param.text) end
      params[param.name] = value
    end
  end
end

--- The parameters of a call. What is plainly wrong is refused before a secret is asked for; the rest is the core's to
--- judge.
---@param method sotto.api.method
---@param given table<string, string[]>
---@param read_secret sotto.arguments.read_secret
---@return table<string, any>|nil params, string? message
function M.build(method, given, read_secret)
  local params = {}
  local problem = check_given(method, given) or
    take_all(method, params, false, function(param) return take_value(param, given[param.name]) end) or
    (method.one_of and check_one_of(method, params)) or
    take_all(method, params, true, function(param) return take_secret(param, given[param.name], read_secret) end)
  if problem then return nil, problem end
  return params
end

return M
