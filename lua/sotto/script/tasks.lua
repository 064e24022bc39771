-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a script does runs in tasks: coroutines that may wait for an answer of the core, or for time. A script's own
-- coroutines may wait inside a task, too: the wait passes through them. Nothing here knows of sockets; time comes in
-- as `after`.
local M = {}

-- what a coroutine yields that waits for the host, and not for the script that resumed it
local WAIT = {}

--- A handler that has waited so long in all is ended.
M.WAIT_MS = 60000
--- Tasks that may wait at one time; one more fails.
M.TASKS_MAX = 1000

---@class sotto.script.task
---@field thread thread
---@field name string for complaints
---@field timer table|nil

---@class sotto.script.tasks
---@field current sotto.script.task|nil
local Tasks = {}
Tasks.__index = Tasks

---@param options {after: fun(ms: integer, f: fun()): {stop: fun(self)}, complain: fun(text: string)}
---@return sotto.script.tasks
function M.new(options)
  return setmetatable({ after = options.after, complain = options.complain, waiting = 0 }, Tasks)
end

function Tasks:finish(task)
  if not task.timer then return end
  task.timer:stop()
  task.timer = nil
  self.waiting = self.waiting - 1
end

-- waits for the first time: from now on it has so much time and no more
function Tasks:watch(task)
  if task.timer then return end
  self.waiting = self.waiting + 1
  task.timer = self.after(M.WAIT_MS, function()
    self:finish(task)
    task.over = true
    coroutine.close(task.thread)
    self.complain(("%s has waited for %d s, and was ended"):format(task.name, M.WAIT_MS // 1000))
    task.done(nil, "it has waited for too long")
  end)
end

-- a script's author wants to see the script's lines, not ours
local function own_frames(trace)
  local kept = {}
  for line in trace:gmatch("[^\n]+") do
    if not line:find("/sotto/script/", 1, true) and not line:find("^%s*%[C%]") and not line:find("tail calls") then
      kept[#kept + 1] = line
    end
  end
  if kept[#kept] == "stack traceback:" then kept[#kept] = nil end
  return table.concat(kept, "\n")
end

function Tasks:resume(task, ...)
  if task.over then return end
  local before = self.current
  self.current = task
  local result = table.pack(coroutine.resume(task.thread, ...))
  self.current = before
  if not result[1] then
    self:finish(task)
    task.over = true
    local trace = own_frames(debug.traceback(task.thread, tostring(result[2])))
    coroutine.close(task.thread)
    return task.done(nil, trace)
  end
  if coroutine.status(task.thread) == "dead" then
    self:finish(task)
    task.over = true
    return task.done(table.unpack(result, 2, result.n))
  end
  -- a plain coroutine.yield() at the top of a handler has nobody to go to: it goes on with the next turn
  if result[2] ~= WAIT then self.after(0, function() self:resume(task) end) end
  self:watch(task)
end

--- Runs a function as a task. done gets what it returned; or nil and a text with a traceback. It may be called before
--- run returns.
---@param name string what complaints call it
---@param f function
---@param done fun(...: any)
---@param ... any for the function
function Tasks:run(name, f, done, ...)
  if self.waiting >= M.TASKS_MAX then return done(nil, "too many handlers wait at one time") end
  self:resume({ thread = coroutine.create(f), name = name, done = done or function() end }, ...)
end

--- From inside a task: waits until the function that `start` is given is called, and returns what it was called with.
---@param start fun(answer: fun(...: any))
---@return any ...
function Tasks:wait(start)
  local task = self.current
  if not task or not coroutine.isyieldable() then
    error("this call waits: it works in handlers, commands, timers and the main chunk only", 3)
  end
  local done, results = false, nil
  start(function(...)
    if done == "waits" then return self:resume(task, ...) end
    done, results = true, table.pack(...)
  end)
  if done then return table.unpack(results, 1, results.n) end
  done = "waits"
  return coroutine.yield(WAIT)
end

-- --- coroutines of scripts -----------------------------------------------------------------------------------------

local function pass_on(thread, ok, first, ...)
  if ok and first == WAIT and coroutine.status(thread) == "suspended" then
    return pass_on(thread, coroutine.resume(thread, coroutine.yield(WAIT)))
  end
  return ok, first, ...
end

local function resume(thread, ...) return pass_on(thread, coroutine.resume(thread, ...)) end

local function results_or_error(ok, ...)
  if ok then return ... end
  error((...), 0)
end

--- The library that scripts get: as Lua's own, but waits inside of a coroutine keep the whole handler waiting.
---@return table
function M.coroutine_library()
  local library = {}
  for _, name in ipairs { "create", "status", "isyieldable", "running", "close", "yield" } do
    library[name] = coroutine[name]
  end
  library.resume = resume
  function library.wrap(f)
    local thread = coroutine.create(f)
    return function(...) return results_or_error(resume(thread, ...)) end
  end
  return library
end

return M
