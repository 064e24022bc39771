-- SPDX-License-Identifier: GPL-3.0-or-later
-- Questions to other programs, each with a time-out. From inside a coroutine; the loop is never held up.
local loop = require "sotto.loop"

local M = {}

M.PATIENCE_MS = 4000

-- Waits until the callback that `begin` gets is called, which may be at once, or until it is too late. What `begin`
-- gives ends the question.
local function wait(ms, begin)
  local thread, answer, waits = coroutine.running(), nil, false
  local function done(...)
    if answer then return end
    answer = table.pack(...)
    if waits then assert(coroutine.resume(thread)) end
  end
  local _ <close> = loop.after(ms, function() done(nil, "it does not answer", "timeout") end)
  local stop = begin(done)
  if not answer then
    waits = true
    coroutine.yield()
  end
  if stop then stop() end
  return table.unpack(answer, 1, answer.n)
end

-- of either output where `both`
local function first_line(ms, both, program, ...)
  local options = { program = program, follows = true, stdout = "pipe", stderr = both and "pipe" or "null", ... }
  return wait(ms, function(done)
    options.on_stdout, options.on_stderr = done, both and done or nil
    -- what it has printed may come after its end
    options.on_exit = function() loop.after(200, function() done(nil, "it prints nothing", "io") end) end
    local process, message, name = loop.spawn(options)
    if not process then return done(nil, message, name) end
    return function() process:kill "SIGKILL" end
  end)
end

--- The first line that a program prints.
---@param program string
---@param ... string arguments
---@return string|nil line, string? message, string? name
function M.first_line(program, ...) return first_line(M.PATIENCE_MS, false, program, ...) end

--- The same, whether it goes well or complains; for one that takes its time, and leaves the processor to others.
---@param ms integer
---@param program string
---@param ... string arguments
---@return string|nil line, string? message, string? name
function M.verdict(ms, program, ...) return first_line(ms, true, "nice", "-n", "19", program, ...) end

--- The first line that a server says on a UNIX socket.
---@param path string
---@return string|nil line, string? message, string? name "not_found": nobody serves it; "timeout": it says nothing
function M.greeting(path)
  return wait(M.PATIENCE_MS, function(done)
    local stream, message, name = loop.connect_unix(path, {
      line = done, close = function() done(nil, "it has hung up", "io") end,
    })
    if not stream then return done(nil, message, name) end
    return function() stream:close() end
  end)
end

--- A call of the core's; also in time where the core has stopped.
---@param connection sotto.connection
---@param method string
---@param params table|nil
---@param ms integer
---@return any result, string? message, string? name
function M.core(connection, method, params, ms)
  return wait(ms, function(done) connection:request(method, params, done) end)
end

return M
