-- SPDX-License-Identifier: GPL-3.0-or-later
-- Waiting inside a spec: for what a callback tells, or for what only shows on disk, in /proc or by asking. Never for a
-- time: every wait has a condition, and a deadline that fails the spec.
local loop = require "sotto.loop"
local patience = require "support.patience"

local M = {}

-- far beyond what anything takes on an idle machine
local DEADLINE_MS = 30000

-- how often a condition is looked at that no callback announces
local LOOK_MS = 5

--- Something happened: whoever waits looks at its condition again. Every callback of a harness ends with it.
M.wake = loop.stop

local function describe(what) return type(what) == "function" and what() or what end

--- Runs the loop until the condition holds. The condition only looks; it does not wait itself.
---@param what string|fun(): string what is awaited
---@param condition fun(): any
---@param ms? integer until it fails, on a build that is not slow on purpose
---@return any what the condition gave
function M.wait(what, condition, ms)
  local found = condition()
  if found then return found end
  local late = false
  local _ <close> = loop.after((ms or DEADLINE_MS) * patience, function()
    late = true
    loop.stop()
  end)
  local _ <close> = loop.every(LOOK_MS, loop.stop)
  while not found do
    if late then error("not in time: " .. describe(what), 2) end
    loop.run()
    found = condition()
  end
  return found
end

--- Asks again and again until there is an answer: for what no event tells. The question may wait itself.
---@param what string|fun(): string
---@param question fun(): any
---@param ms? integer
---@return any answer
function M.ask(what, question, ms)
  local deadline = loop.now() + (ms or DEADLINE_MS) * patience
  while true do
    local found = question()
    if found then return found end
    if loop.now() > deadline then error("not in time: " .. describe(what), 2) end
    local over = false
    local _ <close> = loop.after(LOOK_MS, function()
      over = true
      loop.stop()
    end)
    while not over do loop.run() end
  end
end

return M
