-- SPDX-License-Identifier: GPL-3.0-or-later
-- How often a script may call: token buckets, one for all calls and one for sending; and how many lines of any kind its
-- process may send, and how much it may say. Pure: the time comes in.
local M = {}

--- Beyond the limit of lines the core does not read for a moment.
M.PAUSE_MS = 100
--- Pauses within so long make a flood: it has gone on for ten seconds.
M.PAUSES_MAX, M.PAUSES_MS = 90, 20000
--- Lines that it may say; what is more is left out.
M.SAYINGS = { rate = 20, burst = 500 }

--- After a call that is refused the core does not read for a moment, so that a flood costs it next to nothing.
M.REFUSED_MS = 25
--- Calls that were refused: beyond so many a second in the long run, and so many at once, they make a flood: three to
--- four seconds of it. Slow machines see one as well, only later.
M.REFUSALS = { rate = 12, burst = 100 }

---@class sotto.rate
---@field rate number per second
---@field burst number

---@class sotto.rates
local Rates = {}
Rates.__index = Rates

---@param limits {calls: sotto.rate, sends: sotto.rate, lines: sotto.rate}
---@param now integer monotonic milliseconds
---@return sotto.rates
function M.new(limits, now)
  local function bucket(limit) return { limit = limit, tokens = limit.burst, at = now } end
  return setmetatable({
    calls = bucket(limits.calls), sends = bucket(limits.sends), refusals = bucket(M.REFUSALS),
    lines = bucket(limits.lines), pauses = 0, pauses_since = now, sayings = bucket(M.SAYINGS), unsaid = 0,
  }, Rates)
end

local function take(bucket, count, now)
  bucket.tokens = math.min(bucket.limit.burst, bucket.tokens + (now - bucket.at) * bucket.limit.rate / 1000)
  bucket.at = now
  if bucket.tokens < count then return false end
  bucket.tokens = bucket.tokens - count
  return true
end

--- Takes a line of any kind that has been read.
---@param now integer
---@return "ok"|"pause"|"flood"
function Rates:line(now)
  if take(self.lines, 1, now) then return "ok" end
  if now - self.pauses_since > M.PAUSES_MS then self.pauses, self.pauses_since = 0, now end
  self.pauses = self.pauses + 1
  return self.pauses > M.PAUSES_MAX and "flood" or "pause"
end

--- Whether one more thing may be said; and how many were left out since the last that might.
---@param now integer
---@return boolean, integer unsaid
function Rates:say(now)
  if not take(self.sayings, 1, now) then
    self.unsaid = self.unsaid + 1
    return false, 0
  end
  local unsaid = self.unsaid
  self.unsaid = 0
  return true, unsaid
end

--- Takes one call.
---@param texts integer messages that it would send
---@param now integer
---@return "ok"|"busy"|"flood"
function Rates:take(texts, now)
  if take(self.calls, 1, now) and (texts == 0 or take(self.sends, texts, now)) then return "ok" end
  return take(self.refusals, 1, now) and "busy" or "flood"
end

return M
