-- SPDX-License-Identifier: GPL-3.0-or-later
-- The life of one script, as a pure state machine: step(event) gives what is to be done. Time comes in with every
-- event.
--
--   stopped ─ load → starting ─ started → running ─ failed → resting ─ tick → starting …
--                        └ refused → stopped          └ five failures in a minute → disabled
local M = {}

M.FAILURES_MAX, M.FAILURES_MS = 5, 60000
M.REST_FIRST_MS, M.REST_MOST_MS = 1000, 60000
--- Whoever has run so long has recovered.
M.RECOVERED_MS = 120000
--- A main chunk has so long: what may compute for 5 s has a third of a processor (sotto.core.config).
M.START_MS = 20000

---@class sotto.supervisor
---@field state "stopped"|"starting"|"running"|"resting"|"disabled"
---@field reason string|nil why it rests or is disabled
---@field failures integer[] when, within the last minute
---@field wake integer|nil when `tick` is wanted
local Supervisor = {}
Supervisor.__index = Supervisor

---@return sotto.supervisor
function M.new() return setmetatable({ state = "stopped", failures = {}, rest = M.REST_FIRST_MS }, Supervisor) end

local function enter(self, state, wake)
  self.state, self.wake = state, wake
end

local function begin(self, now)
  self.reason = nil
  enter(self, "starting", now + M.START_MS)
  return "spawn"
end

local function recent(self, now)
  local kept = {}
  for _, at in ipairs(self.failures) do
    if now - at < M.FAILURES_MS then kept[#kept + 1] = at end
  end
  self.failures = kept
  return #kept
end

-- "kill" first where the process may live
local function fail(self, now, reason, alive)
  self.reason = reason
  self.failures[#self.failures + 1] = now
  if self.started and now - self.started > M.RECOVERED_MS then self.rest = M.REST_FIRST_MS end
  self.started = nil
  local act = alive and "kill" or nil
  if recent(self, now) >= M.FAILURES_MAX then
    enter(self, "disabled")
    return act, "disabled"
  end
  enter(self, "resting", now + self.rest)
  self.rest = math.min(self.rest * 2, M.REST_MOST_MS)
  return act, "failed"
end

--- A person loads it, or enables it again: earlier failures are forgotten.
---@return "spawn"
function Supervisor:load(now)
  self.failures, self.rest = {}, M.REST_FIRST_MS
  return begin(self, now)
end

--- Its main chunk has run.
function Supervisor:has_started(now)
  if self.state ~= "starting" then return end
  self.started = now
  enter(self, "running")
end

--- The process has ended, or is to be ended, for a reason.
---@param now integer
---@param reason string
---@param alive boolean
---@return "kill"|nil, "failed"|"disabled"|nil
function Supervisor:failed(now, reason, alive)
  if self.state ~= "starting" and self.state ~= "running" then return nil, nil end
  return fail(self, now, reason, alive)
end

--- A person takes it away, or its first start was refused.
---@return "kill"|nil
function Supervisor:stop()
  local alive = self.state == "starting" or self.state == "running"
  enter(self, "stopped")
  self.started = nil
  return alive and "kill" or nil
end

--- The time has come that `wake` named.
---@return "spawn"|"kill"|nil, "failed"|"disabled"|nil
function Supervisor:tick(now)
  if not self.wake or now < self.wake then return nil, nil end
  if self.state == "resting" then return begin(self, now), nil end
  return fail(self, now, "its main chunk did not end in time", true)
end

return M
