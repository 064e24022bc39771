-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a bot's command takes: "<when:time> [times:integer] <what:text>" as a list of parameters, and words of a person
-- as their values. Pure; peers are found by whoever is given as `find_peer`.
local times = require "sotto.script.times"

local M = {}

M.PARAMS_MAX = 16

---@class sotto.bot.param
---@field name string
---@field type string
---@field required boolean
---@field choices string[]|nil of "on|off"

--- Kinds of values: each gives the value, or nil and what it should be.
---@type table<string, fun(word: string, find_peer: function): any, string?>
local types = {}

function types.word(word) return word end
function types.text(text) return text end
function types.integer(word) return math.tointeger(tonumber(word)), "a whole number" end
function types.number(word)
  local value = tonumber(word)
  return value and value == value and math.abs(value) ~= math.huge and value or nil, "a number"
end

-- seconds, as every, after and sleep take them
function types.time(word)
  local ms = times.parse(word)
  return ms and ms / 1000, "a time such as 30s, 10m or 2h"
end

function types.fingerprint(word)
  local digits = word:gsub("[%s:]", ""):upper()
  return #digits == 40 and digits:find("^%x+$") and digits or nil, "a fingerprint of 40 digits"
end

function types.peer(word, find_peer) return find_peer(word), "somebody of this discussion" end

local function parse_one(text)
  local inner = text:match("^<(.+)>$")
  local required = inner ~= nil
  inner = inner or text:match("^%[(.+)%]$")
  local name, kind = (inner or ""):match("^([%a][%w_-]*):?(.*)$")
  if not name then return nil, ("'%s' is neither <name> nor [name], nor one with a type"):format(text) end
  local param = { name = name, required = required, type = kind }
  if kind == "" then param.type = types[name] and name or "word" end
  if kind:find("|", 1, true) then
    param.type, param.choices = "choice", {}
    for choice in kind:gmatch("[^|]+") do table.insert(param.choices, choice) end
  elseif not types[param.type] then
    return nil, ("there is no type '%s'"):format(param.type)
  end
  return param
end

--- Reads a declaration.
---@param text string
---@return sotto.bot.param[]|nil, string? message
function M.parse(text)
  local params = {}
  for part in text:gmatch("%S+") do
    local param, problem = parse_one(part)
    if not param then return nil, problem end
    local last = params[#params]
    if last and last.type == "text" then return nil, "what takes the rest of the text stands last" end
    if last and not last.required and param.required then return nil, "what may be left out stands last" end
    params[#params + 1] = param
  end
  if #params > M.PARAMS_MAX then return nil, "too many arguments" end
  return params
end

--- The declaration as a person reads it.
---@param params sotto.bot.param[]
---@return string
function M.usage(params)
  local parts = {}
  for i, param in ipairs(params) do
    local text = param.choices and table.concat(param.choices, "|") or param.name
    parts[i] = (param.required and "<%s>" or "[%s]"):format(text)
  end
  return table.concat(parts, " ")
end

-- the next word from there on, which may stand in quotes, and where the rest begins
local function next_word(text, at)
  local first = text:find("%S", at)
  if not first then return nil, at end
  local quoted, after = text:match('^"([^"]*)"()', first)
  if quoted and (after > #text or text:find("^%s", after)) then return quoted, after end
  return text:match("^(%S+)()", first)
end

local function convert(param, word, find_peer)
  if not param.choices then return types[param.type](word, find_peer) end
  for _, choice in ipairs(param.choices) do
    if choice == word:lower() then return choice end
  end
  return nil, "one of " .. table.concat(param.choices, ", ")
end

--- A text's value of a type: also of an answer to a question.
---@param kind string
---@param text string
---@param find_peer function
---@return any value, string? expected
function M.convert(kind, text, find_peer)
  local choices
  if kind:find("|", 1, true) then
    choices = {}
    for choice in kind:gmatch("[^|]+") do choices[#choices + 1] = choice end
  end
  return convert({ type = kind, choices = choices }, text:match("^%s*(.-)%s*$"), find_peer)
end

---@param kind string
---@return boolean
function M.is_type(kind) return types[kind] ~= nil or kind:find("|", 1, true) ~= nil end

--- The values for a text.
---@param params sotto.bot.param[]
---@param text string
---@param find_peer fun(word: string): any
---@return {n: integer}|nil values, string? message
function M.read(params, text, find_peer)
  local values, at = { n = #params }, 1
  for i, param in ipairs(params) do
    local word
    if param.type == "text" then
      word = text:sub(at):match("^%s*(.-)%s*$")
      if word == "" then word = nil end
      at = #text + 1
    else
      word, at = next_word(text, at)
    end
    if word == nil and param.required then return nil, param.name .. " is missing" end
    if word ~= nil then
      local value, expected = convert(param, word, find_peer)
      if value == nil then return nil, ("'%s' is no %s: it takes %s"):format(word, param.name, expected) end
      values[i] = value
    end
  end
  local more = next_word(text, at)
  if more then return nil, ("'%s' is one argument too many"):format(more) end
  return values
end

--- Words that come one by one as the text that a person would have typed.
---@param words string[]
---@return string
function M.join(words)
  local out = {}
  for i, word in ipairs(words) do
    out[i] = (i < #words and word:find("%s") and not word:find('"', 1, true)) and '"' .. word .. '"' or word
  end
  return table.concat(out, " ")
end

return M
