-- SPDX-License-Identifier: GPL-3.0-or-later
-- Two cores in throw-away homes for the benchmarks, spoken to over their control sockets. Runs inside loop.run, in a coroutine.
local connection = require "sotto.client.connection"
local loop = require "sotto.loop"
local sys = require "sotto.sys"

local M = {}

local START_TRIES, START_WAIT_MS = 200, 25

function M.pause(ms)
  local thread = coroutine.running()
  loop.after(ms, function() assert(coroutine.resume(thread)) end)
  coroutine.yield()
end

--- Runs a benchmark that waits, and ends the process with status 1 where it fails.
---@param work fun()
function M.run(work)
  local ok, failure = false, "interrupted"
  local thread = coroutine.create(function()
    ok, failure = xpcall(work, debug.traceback)
    loop.stop()
  end)
  loop.defer(function() assert(coroutine.resume(thread)) end)
  loop.run()
  if ok then return end
  print(failure)
  os.exit(1)
end

---@class sotto.bench.person
---@field on table<string, fun(event: table)> instead of keeping events of that type for wait
local person = {}
person.__index = person

function person:call(method, params)
  local result, message = self.connection:call(method, params)
  if message then error(self.name .. ": " .. method .. ": " .. message, 0) end
  return result
end

--- The next event of that type; those of other types in between are dropped.
function person:wait(type)
  while true do
    if self.refused then error(self.name .. ": a discussion was refused: " .. self.refused, 0) end
    for i, event in ipairs(self.events) do
      if event.type == type then
        table.remove(self.events, i)
        return event
      end
    end
    self.waiting = coroutine.running()
    coroutine.yield()
  end
end

function person:forget_events() self.events = {} end

function person:stop()
  self.connection:close()
  local thread = coroutine.running()
  self.on_exit = function() assert(coroutine.resume(thread)) end
  self.process:kill("SIGTERM")
  coroutine.yield()
  assert(sys.remove_tree(self.home))
end

function M.start(name)
  local self = setmetatable({ name = name, events = {}, on = {} }, person)
  self.home = assert(sys.make_temporary_directory("/tmp/sotto-bench-"))
  self.process = assert(loop.spawn {
    "--home", self.home, "--listen", "127.0.0.1:0", "--discover", "off", "--foreground",
    program = "build/sottod", stderr = os.getenv "BENCH_LOG" and "inherit" or "null",
    on_exit = function() if self.on_exit then self.on_exit() end end,
  })
  for _ = 1, START_TRIES do
    self.connection = connection.open(self.home .. "/run/control.sock")
    if self.connection then break end
    M.pause(START_WAIT_MS)
  end
  assert(self.connection, "the core has not started")
  self.connection.on_event = function(event)
    if event.type == "discussion.refused" then self.refused = event.discussion.reason end
    local react = self.on[event.type]
    if react then return react(event) end
    self.events[#self.events + 1] = event
    local waiting = self.waiting
    if waiting then
      self.waiting = nil
      assert(coroutine.resume(waiting))
    end
  end
  self:call("events.subscribe")
  self:call("identity.create", { name = name })
  self.fingerprint = self:call("identity.show").fingerprint
  local info = self:call "system.info"
  self.address, self.pid = info.listen.udp, info.pid
  return self
end

return M
