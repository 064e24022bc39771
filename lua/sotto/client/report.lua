-- SPDX-License-Identifier: GPL-3.0-or-later
-- Results of the command line for people: a line for each element of a list, and an object as names and values.
local changes = require "sotto.client.changes"
local format = require "sotto.client.format"
local inspect = require "sotto.client.inspect"
local json = require "sotto.json"
local names = require "sotto.client.names"
local terminal = require "sotto.terminal"

local M = {}

-- a script in a list: how it is, what it may do, what it offers, and what it says of its health
local function script_text(one)
  local safe = terminal.escape
  local out = { ("%-16s %-8s %s"):format(safe(one.name), safe(one.state), table.concat(one.needs or {}, ", ")) }
  local function add(text) out[#out + 1] = "    " .. safe(text) end
  if one.help and one.help ~= "" then add(one.help) end
  if one.reason and one.reason ~= json.null then add(one.reason) end
  for _, command in ipairs(one.commands or {}) do
    local usage = ("%s %s"):format(command.name, command.args):gsub(" $", "")
    add(command.help ~= "" and usage .. "  " .. command.help or usage)
  end
  for _, result in ipairs(one.health or {}) do add(("%s: %s"):format(result.status, result.text)) end
  return table.concat(out, "\n")
end

-- a proposal in a list: how it stands, and who has said what
local function proposal_text(one, name_of)
  local out = { ("%s  %s"):format(one.id:sub(1, 8), changes.line(one, name_of)) }
  for _, line in ipairs(changes.answers(one, name_of)) do out[#out + 1] = "          " .. line end
  return table.concat(out, "\n")
end

--- How each element of a list is shown. name_of: fingerprint → name.
---@type table<string, fun(element: table, name_of: fun(fingerprint: string): string): string>
local lines = {
  peer = function(peer) return format.peer(peer) end,
  discussion = function(discussion) return format.discussion(discussion) end,
  finding = function(one)
    local advice = one.advice ~= "" and "\n      " .. terminal.escape(one.advice) or ""
    return ("%-4s  %s: %s%s"):format(one.status, terminal.escape(one.check), terminal.escape(one.text), advice)
  end,
  candidate = function(key) return format.candidate(key) end,
  script = script_text,
  proposal = proposal_text,
  message = function(message, name_of) return format.message(message, name_of(message.sender)) end,
}

--- How objects of a kind are shown that are no names and values.
---@type table<string, fun(object: table): string|nil>
local objects = {
  log = function(log)
    local out = {}
    for i, line in ipairs(log.lines) do
      local level = line.level == "info" and "" or terminal.escape(line.level) .. ": "
      out[i] = ("%s %s%s"):format(names.time(line.time), level, terminal.escape(line.text, true))
    end
    return #out > 0 and table.concat(out, "\n") or "nothing yet"
  end,
}

local function member(value)
  local marks = {}
  for _, mark in ipairs { "you", "present", "verified" } do
    if value[mark] then marks[#marks + 1] = mark end
  end
  return ("%s  %s  %s"):format(value.fingerprint:sub(1, 16), names.person(value), table.concat(marks, ", "))
end

-- a field's value as lines
local function value_lines(name, value)
  if type(value) == "string" then return { terminal.escape(value) } end
  if type(value) ~= "table" or #value == 0 then return { inspect.value(value) } end
  local list = {}
  for i, element in ipairs(value) do
    if name == "members" then
      list[i] = member(element)
    else
      list[i] = type(element) == "string" and terminal.escape(element) or inspect.value(element)
    end
  end
  return list
end

local function object_text(object)
  local keys, width, out = {}, 0, {}
  for key in pairs(object) do
    keys[#keys + 1] = key
    width = math.max(width, #key)
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    for i, line in ipairs(value_lines(key, object[key])) do
      out[#out + 1] = ("%-" .. width .. "s  %s"):format(i == 1 and key or "", line)
    end
  end
  return table.concat(out, "\n")
end

-- What stands below a result: whoever has a key adopted is to know what others see of it.
local function remark(result, returns)
  if returns == "identity" and result.user_id then
    return "\nWhoever asks who is here, strangers too, gets the user id with the key."
  end
  for _, key in ipairs(returns == "candidate[]" and result or {}) do
    if key.usable then
      return "\nWhoever asks who is here, strangers too, gets the user id of what you adopt."
    end
  end
  return ""
end

--- The text for a result; nil where there is nothing to say.
---@param result any
---@param returns string as in the API table: "peer", "peer[]", …
---@param name_of fun(fingerprint: string): string
---@return string|nil
function M.text(result, returns, name_of)
  if type(result) ~= "table" then return inspect.value(result) end
  -- what answers one message answers a list of them to several texts
  local show = lines[returns:match("^%a+")]
  if show and (json.is_array(result) or returns:find("[]", 1, true)) then
    if #result == 0 then return "none" end
    local out = {}
    for i, element in ipairs(result) do out[i] = show(element, name_of) end
    return table.concat(out, "\n") .. remark(result, returns)
  end
  if objects[returns] then return objects[returns](result) end
  if next(result) == nil then return nil end
  return object_text(result) .. remark(result, returns)
end

return M
