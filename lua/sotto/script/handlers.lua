-- SPDX-License-Identifier: GPL-3.0-or-later
-- A script's handlers for one kind of event, in the order of their priorities, each with its filter. Pure.
local M = {}

M.HANDLERS_MAX = 1000

---@class sotto.script.filter
---@field priority? number higher ones first; standard 0
---@field discussion? string id, or a unique beginning of it
---@field from? string fingerprint of the sender or peer
---@field match? string a Lua pattern that the text must match; its captures follow the object

---@class sotto.script.handler
---@field f function
---@field filter sotto.script.filter
---@field number integer

local KNOWN = { priority = "number", discussion = "string", from = "string", match = "string" }

local Handlers = {}
Handlers.__index = Handlers

function M.new() return setmetatable({ list = {}, last = 0 }, Handlers) end

-- raises at the level of whoever called the script's function
local function check_filter(filter, level)
  for key, value in pairs(filter) do
    if not KNOWN[key] then error(("there is no option '%s'"):format(tostring(key)), level) end
    if type(value) ~= KNOWN[key] then error(("the option '%s' is a %s"):format(key, KNOWN[key]), level) end
  end
  if filter.match then
    local ok, problem = pcall(string.find, "", filter.match)
    if not ok then error("the option 'match': " .. tostring(problem), level) end
  end
end

---@param filter sotto.script.filter
---@param f function
---@return {stop: fun(self)} handle
function Handlers:add(filter, f)
  check_filter(filter, 4)
  if #self.list >= M.HANDLERS_MAX then error("too many handlers", 3) end
  self.last = self.last + 1
  local handler = { f = f, filter = filter, number = self.last }
  self.list[#self.list + 1] = handler
  table.sort(self.list, function(a, b)
    local first, second = a.filter.priority or 0, b.filter.priority or 0
    if first ~= second then return first > second end
    return a.number < b.number
  end)
  return { stop = function()
    for i, other in ipairs(self.list) do
      if other == handler then table.remove(self.list, i) end
    end
  end }
end

-- the captures of `match`, and true where there is nothing to match
local function matches(filter, object)
  local discussion = object.discussion or object.id or ""
  if filter.discussion and discussion:sub(1, #filter.discussion) ~= filter.discussion then return nil end
  if filter.from and (object.sender or object.fingerprint) ~= filter.from then return nil end
  if not filter.match then return {} end
  if type(object.text) ~= "string" then return nil end
  local found = table.pack(object.text:match(filter.match))
  if found[1] == nil then return nil end
  return found
end

--- The handlers that want this object, in order, as they stand now.
---@param object table
---@return {f: function, captures: any[]}[]
function Handlers:wanting(object)
  local found = {}
  for _, handler in ipairs(self.list) do
    local captures = matches(handler.filter, object)
    if captures then found[#found + 1] = { f = handler.f, captures = captures } end
  end
  return found
end

return M
