-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a script's specs say of values: assert(…) as in Lua, and assert.equal, same, matches, truthy, falsy, fails.
local inspect = require "sotto.client.inspect"

local M = {}

local function same(a, b)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function shown(value) return type(value) == "string" and ("%q"):format(value) or inspect.value(value) end

local function fail(text, more) error(more and ("%s: %s"):format(more, text) or text, 3) end

---@param expected any
---@param value any
---@param more? string said first where it fails
function M.equal(expected, value, more)
  if expected ~= value then fail(("expected %s, got %s"):format(shown(expected), shown(value)), more) end
end

--- Tables that hold the same.
function M.same(expected, value, more)
  if not same(expected, value) then fail(("expected %s, got %s"):format(shown(expected), shown(value)), more) end
end

---@param pattern string of Lua
---@param text any
---@param more? string
function M.matches(pattern, text, more)
  if type(text) ~= "string" or not text:find(pattern) then
    fail(("expected what matches %s, got %s"):format(shown(pattern), shown(text)), more)
  end
end

function M.truthy(value, more)
  if not value then fail(("expected something, got %s"):format(shown(value)), more) end
end

function M.falsy(value, more)
  if value then fail(("expected nil or false, got %s"):format(shown(value)), more) end
end

--- The function raises an error, which matches.
---@param f function
---@param pattern? string
function M.fails(f, pattern)
  local ok, problem = pcall(f)
  if ok then fail "expected an error, and there was none" end
  if pattern and not tostring(problem):find(pattern) then
    fail(("expected an error that matches %s, got %s"):format(shown(pattern), shown(tostring(problem))))
  end
end

--- The value of `assert` in a spec.
---@return table
function M.library()
  return setmetatable({
    equal = M.equal, same = M.same, matches = M.matches, truthy = M.truthy, falsy = M.falsy, fails = M.fails,
  }, { __call = function(_, ...) return assert(...) end })
end

return M
