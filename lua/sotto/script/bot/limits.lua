-- SPDX-License-Identifier: GPL-3.0-or-later
-- So many in a period, for each of many. Pure: the time comes in.
local times = require "sotto.script.times"

local M = {}

M.KEYS_MAX = 10000

---@class sotto.script.limit
---@field most integer
---@field period integer milliseconds
local Limit = {}
Limit.__index = Limit

--- "5/10s": five in ten seconds.
---@param text string
---@return sotto.script.limit|nil, string? message
function M.parse(text)
  local most, period = tostring(text):match("^%s*(%d+)%s*/%s*(.+)$")
  most = math.tointeger(tonumber(most))
  local ms = period and times.parse(period)
  if not most or most < 1 or not ms or ms < 1 then
    return nil, ("'%s' is no rate: it reads \"5/10s\", five in ten seconds"):format(tostring(text))
  end
  return setmetatable({ most = most, period = ms, counts = {}, keys = 0 }, Limit)
end

local function forget_old(self, now)
  for key, count in pairs(self.counts) do
    if now - count.since >= self.period then
      self.counts[key] = nil
      self.keys = self.keys - 1
    end
  end
end

--- Takes one for the key.
---@param key string
---@param now integer milliseconds
---@return boolean ok, boolean first it is the first that was refused: worth a word
function Limit:take(key, now)
  local count = self.counts[key]
  if count and now - count.since >= self.period then
    count.since, count.taken, count.told = now, 0, nil
  elseif not count then
    if self.keys >= M.KEYS_MAX then forget_old(self, now) end
    if self.keys >= M.KEYS_MAX then return false, false end
    count = { since = now, taken = 0 }
    self.counts[key], self.keys = count, self.keys + 1
  end
  if count.taken < self.most then
    count.taken = count.taken + 1
    return true, false
  end
  local first = not count.told
  count.told = true
  return false, first
end

return M
