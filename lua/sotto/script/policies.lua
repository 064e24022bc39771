-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an admission answers, and policies made of policies. A policy is a function(request) that gives an answer or
-- nil, which means: no opinion. Pure.
local times = require "sotto.script.times"

local M = {}

local answer_meta = { __name = "sotto.answer" }

local function make(answer, reason, time)
  if reason ~= nil and type(reason) ~= "string" then error("a reason is a text", 3) end
  return setmetatable({ answer = answer, reason = reason or "", time = time }, answer_meta)
end

---@param reason? string
function M.consent(reason) return make("consent", reason) end

---@param reason? string
function M.refuse(reason) return make("refuse", reason) end

--- Asks again after that time.
---@param time string|number
---@param reason? string
function M.later(time, reason)
  local ms, problem = times.parse(time)
  if not ms then error(problem, 2) end
  return make("later", reason, ms)
end

---@param value any
---@return boolean
function M.is_answer(value) return getmetatable(value) == answer_meta end

return M
