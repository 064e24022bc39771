-- SPDX-License-Identifier: GPL-3.0-or-later
-- Lua that a person has written, run so that neither an error nor a loop without end takes the chat along.
local M = {}

-- instructions between two looks; seconds of work before Ctrl-C is asked for, and what of them counts between two
-- looks: while a chunk waits, others work
local LOOK_EVERY, PATIENCE, COUNTS = 10000, 0.1, 0.05

-- coroutines in which something is run already: one hook is enough
local running = setmetatable({}, { __mode = "k" })

-- Ends a chunk that runs on and on: at Ctrl-C an error, and at every instruction another, lest one that catches errors
-- goes on.
local function watch(breaks, run)
  local last, worked, allowed, broken = os.clock(), 0, false, false
  local function look()
    local now = os.clock()
    last, worked = now, worked + math.min(now - last, COUNTS)
    if not allowed and worked > PATIENCE then
      allowed = true
      breaks.allow_break(true)
    end
    if allowed and not broken and breaks.was_broken() then
      broken = true
      debug.sethook(look, "", 1)
    end
    if broken and debug.getinfo(2, "f").func ~= run then error("stopped by Ctrl-C", 0) end
  end
  debug.sethook(look, "", LOOK_EVERY)
end

local function describe(failure)
  if type(failure) == "string" then return failure end
  local ok, text = pcall(tostring, failure)
  return ok and text or "an error that cannot be shown"
end

local run_watched
function run_watched(breaks, thread, f, ...)
  running[thread] = true
  watch(breaks, run_watched)
  local results = table.pack(xpcall(f, describe, ...))
  debug.sethook()
  breaks.allow_break(false)
  running[thread] = nil
  return table.unpack(results, 1, results.n)
end

--- Runs f in this coroutine; it may wait.
---@param breaks? sotto.terminal where Ctrl-C is to end it: allow_break and was_broken
---@param f fun(...): any
---@return boolean ok, any ... results, or the error's text
function M.call(breaks, f, ...)
  local thread = coroutine.running()
  if not breaks or running[thread] then return xpcall(f, describe, ...) end
  return run_watched(breaks, thread, f, ...)
end

return M
