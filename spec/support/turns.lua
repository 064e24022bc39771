-- SPDX-License-Identifier: GPL-3.0-or-later
-- Runs sotto.loop inside a spec: until somebody stops it, or the deadline fails the spec.
local loop = require "sotto.loop"
local patience = require "support.patience"

local M = {}

local DEADLINE_MS = 10000

--- Runs until loop.stop() or until nothing is left to wait for.
---@param what? string what is awaited
---@param ms? integer
function M.run(what, ms)
  local late = false
  local _ <close> = loop.after((ms or DEADLINE_MS) * patience, function()
    late = true
    loop.stop()
  end):background()
  loop.run()
  assert(not late, "not in time: " .. (what or "the loop's end"))
end

--- Runs until the condition holds; it is looked at after every turn that does something, and every few milliseconds.
---@param what string
---@param condition fun(): any
---@param ms? integer
---@return any what the condition gave
function M.wait_for(what, condition, ms)
  local found = condition()
  if found then return found end
  local _ <close> = loop.every(2, function()
    found = condition()
    if found then loop.stop() end
  end)
  M.run(what, ms)
  return found
end

--- Runs until everything that was due now has happened.
function M.settle()
  loop.after(0, function() loop.defer(loop.stop) end)
  M.run("the end of a turn")
end

return M
