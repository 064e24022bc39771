-- SPDX-License-Identifier: GPL-3.0-or-later
-- The two Tox clients of tox.c, spoken to over their pipes. Runs inside loop.run, in a coroutine.
local loop = require "sotto.loop"

local M = {}

---@class sotto.bench.tox
---@field pids integer[]
local tox = {}
tox.__index = tox

local function resume(self, ...)
  local thread = self.thread
  self.thread = nil
  if thread then assert(coroutine.resume(thread, ...)) end
end

local function take_line(self, line)
  if not self.pids then
    self.pids = {}
    for pid in line:gmatch "%d+" do self.pids[#self.pids + 1] = math.tointeger(tonumber(pid)) end
    resume(self)
  elseif line == "done" then
    resume(self, true)
  else
    self.runs[#self.runs + 1] = tonumber(line)
  end
end

--- The numbers that a command yields.
---@param ... string|integer
---@return number[]
function tox:run(...)
  self.runs, self.thread = {}, coroutine.running()
  assert(self.process.stdin:send(table.concat({ ... }, " ")))
  if not coroutine.yield() then error("the Tox clients have ended", 0) end
  return self.runs
end

function tox:stop()
  if self.ended then return end
  self.thread = coroutine.running()
  self.process.stdin:close()
  coroutine.yield()
end

---@param program string
---@return sotto.bench.tox
function M.start(program)
  local self = setmetatable({ thread = coroutine.running() }, tox)
  self.process = assert(loop.spawn {
    program = program, stdin = "pipe", stdout = "pipe",
    on_stdout = function(line) take_line(self, line) end,
    on_exit = function()
      self.ended = true
      resume(self)
    end,
  })
  coroutine.yield()
  if not self.pids then error("the Tox clients do not start", 0) end
  return self
end

return M
