-- SPDX-License-Identifier: GPL-3.0-or-later
-- The time of a script: the machine's, or one that stands still until somebody lets it pass, for a script's own specs.
local loop = require "sotto.loop"

local M = {}

---@class sotto.script.clock
---@field time fun(): integer seconds since 1970
---@field now fun(): integer monotonic milliseconds
---@field after fun(ms: integer, f: fun()): {stop: fun(self), restart: fun(self, ms: integer)}
---@field every fun(ms: integer, f: fun()): {stop: fun(self), restart: fun(self, ms: integer)}
---@field advance? fun(ms: integer, settled: fun(go_on: fun()), done: fun()) of a clock that stands

---@return sotto.script.clock
function M.real() return { time = os.time, now = loop.now, after = loop.after, every = loop.every } end

-- the timer that is due first, of those that are due by then
local function first_due(timers, latest)
  local found
  for timer in pairs(timers) do
    local sooner = not found or timer.due < found.due or (timer.due == found.due and timer.number < found.number)
    if timer.due <= latest and sooner then found = timer end
  end
  return found
end

--- A clock that stands. It begins with the machine's time.
---@param start? integer seconds since 1970
---@return sotto.script.clock
function M.standing(start)
  local now, timers, last = 0, {}, 0
  start = start or os.time()

  local function begin(ms, f, period)
    last = last + 1
    local timer = { f = f, period = period and math.max(1, ms), number = last, due = now + ms }
    timers[timer] = true
    return {
      stop = function() timers[timer] = nil end,
      restart = function(_, again)
        timer.due, timer.period = now + again, timer.period and math.max(1, again)
        timers[timer] = true
      end,
    }
  end

  -- Each timer has its own time, and the work that one begins has ended before the next.
  local function advance(ms, settled, done)
    local latest = now + ms
    local function step()
      local timer = first_due(timers, latest)
      if not timer then
        now = latest
        return done()
      end
      now = math.max(now, timer.due)
      if timer.period then timer.due = now + timer.period else timers[timer] = nil end
      timer.f()
      return settled(step)
    end
    return settled(step)
  end

  return {
    time = function() return start + now // 1000 end,
    now = function() return now end,
    after = function(ms, f) return begin(ms, f, false) end,
    every = function(ms, f) return begin(ms, f, true) end,
    advance = advance,
  }
end

return M
