-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a process that works for a script gets of the core's own environment.
local sys = require "sotto.sys"

local M = {}

-- the time zone is no secret; what a sanitizer is told, its builds need
local PASSED = { "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" }

---@return table<string, string>
function M.passed()
  local out = {}
  for _, name in ipairs(PASSED) do out[name] = sys.getenv(name) end
  return out
end

return M
