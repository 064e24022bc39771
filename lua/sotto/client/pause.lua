-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "sotto.loop"

--- Waits, while the loop goes on. From inside a coroutine.
---@param ms integer
return function(ms)
  local thread = coroutine.running()
  loop.after(ms, function() assert(coroutine.resume(thread)) end)
  coroutine.yield()
end
