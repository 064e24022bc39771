-- SPDX-License-Identifier: GPL-3.0-or-later
-- Times as scripts write them: "500ms", "5s", "10m", "2h", "1d", or a number of seconds.
local M = {}

local UNITS = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }
local MOST = 366 * UNITS.d

---@param value string|number
---@return integer|nil milliseconds, string? message
function M.parse(value)
  local number, unit = value, "s"
  if type(value) == "string" then
    local digits, letters = value:match("^%s*(%d+%.?%d*)%s*(%a*)%s*$")
    number, unit = tonumber(digits), letters ~= "" and letters or "s"
  end
  if type(number) ~= "number" or not UNITS[unit] then
    return nil, ("'%s' is no time: it reads \"500ms\", \"5s\", \"10m\", \"2h\" or \"1d\""):format(tostring(value))
  end
  local ms = number * UNITS[unit]
  if not (ms >= 0 and ms <= MOST) then return nil, ("'%s' is out of range: 0 to 366 days"):format(tostring(value)) end
  return math.floor(ms + 0.5)
end

return M
