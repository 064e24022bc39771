-- SPDX-License-Identifier: GPL-3.0-or-later
-- How often a script may call: token buckets, one for all calls and one for sending. Pure: the time comes in.
local M = {}

--- Calls that were refused within so long make a flood.
M.FLOOD_COUNT, M.FLOOD_MS = 500, 10000

---@class sotto.rate
---@field rate number per second
---@field burst number

---@class sotto.rates
local Rates = {}
Rates.__index = Rates

---@param limits {calls: sotto.rate, sends: sotto.rate}
---@param now integer monotonic milliseconds
---@return sotto.rates
function M.new(limits, now)
  local function bucket(limit) return { limit = limit, tokens = limit.burst, at = now } end
  return setmetatable({
    calls = bucket(limits.calls), sends = bucket(limits.sends), refused = 0, refused_since = now,
  }, Rates)
end

local function take(bucket, count, now)
  bucket.tokens = math.min(bucket.limit.burst, bucket.tokens + (now - bucket.at) * bucket.limit.rate / 1000)
  bucket.at = now
  if bucket.tokens < count then return false end
  bucket.tokens = bucket.tokens - count
  return true
end

local function note_refusal(self, now)
  if now - self.refused_since > M.FLOOD_MS then self.refused, self.refused_since = 0, now end
  self.refused = self.refused + 1
  return self.refused >= M.FLOOD_COUNT
end

--- Takes one call.
---@param texts integer messages that it would send
---@param now integer
---@return "ok"|"busy"|"flood"
function Rates:take(texts, now)
  if take(self.calls, 1, now) and (texts == 0 or take(self.sends, texts, now)) then return "ok" end
  return note_refusal(self, now) and "flood" or "busy"
end

return M
