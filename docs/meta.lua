-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes what an editor's language server (LuaLS) has to know of the API that scripts have as `sotto`: its methods and
-- events, from the table. What scripts register is written by hand, in lua/sotto/meta/sotto.lua.
-- Usage, from the checkout after make: lua5.4 docs/meta.lua >lua/sotto/meta/api.lua
package.path = "./lua/?.lua;" .. package.path
package.cpath = (os.getenv "BUILD" or "./build") .. "/?.so;" .. package.cpath

local api = require "sotto.core.api"

local HEAD = [[
-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
-- Made by docs/meta.lua; changes here are lost.
---@meta

---@class sotto
local sotto = {}
]]

local TYPES = {
  integer = "integer", boolean = "boolean", strings = "string[]", enum = "string",
}

local function type_of(param)
  if param.values then
    local values = {}
    for i, value in ipairs(param.values) do values[i] = ('"%s"'):format(value) end
    return table.concat(values, "|")
  end
  return TYPES[param.type] or "string"
end

-- classes of the results, as lua/sotto/types/api.lua names them
local function result_of(method)
  if method.returns == "nothing" or method.returns == "object" or method.returns == "log" then return "table" end
  local base, list = method.returns:match("^([%w_]+)(.*)$")
  if base == "script" then base = "script.view" end
  return ("sotto.%s%s"):format(base, list == "[]" and "[]" or "")
end

local function method_lines(out, noun, method)
  local fields = {}
  for i, param in ipairs(method.params) do
    fields[i] = ("%s%s: %s"):format(param.name, param.required and "" or "?", type_of(param))
  end
  local optional = #fields == 0 or not method.params[1].required
  out[#out + 1] = ("--- %s Since %d; needs %s."):format(method.text, method.since, method.capability)
  for _, param in ipairs(method.params) do out[#out + 1] = ("--- - `%s` %s"):format(param.name, param.text) end
  out[#out + 1] = ("---@param params%s {%s}"):format(optional and "?" or "", table.concat(fields, ", "))
  out[#out + 1] = "---@return " .. result_of(method)
  out[#out + 1] = ("function sotto.%s.%s(params) end"):format(noun, method.verb)
end

local out, types = { HEAD }, {}
for _, noun in ipairs(api.nouns) do
  -- no script is given these
  if noun.name ~= "scripts" and noun.name ~= "events" then
    out[#out + 1] = ("--- %s"):format(noun.text)
    out[#out + 1] = ("sotto.%s = {}"):format(noun.name)
    for _, method in ipairs(noun.methods) do method_lines(out, noun.name, method) end
    out[#out + 1] = ""
  end
end
for i, event in ipairs(api.events) do
  types[i] = ('---| "%s" # %s Since %d.'):format(event.type, event.text, event.since)
end
out[#out + 1] = "---@alias sotto.event_type\n" .. table.concat(types, "\n")
io.stdout:write(table.concat(out, "\n"), "\n")
