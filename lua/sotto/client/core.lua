-- SPDX-License-Identifier: GPL-3.0-or-later
-- The core as a process: is it there, start it in the background, stop it.
local connection = require "sotto.client.connection"
local loop = require "sotto.loop"
local paths = require "sotto.core.paths"
local sys = require "sotto.sys"

local M = {}

local STOP_TRIES, STOP_WAIT_MS = 100, 50

--- What every command of the front end needs to reach a core.
---@param home string|nil
---@return table|nil place { home, socket, … }, string? message
function M.place(home)
  local place, message = paths.find(home)
  if not place then return nil, message end
  place.home = home
  return place
end

--- The program beside this one.
local function program()
  local own = sys.executable() or "sotto"
  local folder = own:match("^(.*)/[^/]*$") or "."
  return folder .. "/sottod"
end

--- Starts a core in the background and waits until it answers. From inside a coroutine.
---@return boolean|nil ok, string? message
function M.start(place)
  local thread, complaint = coroutine.running(), nil
  local arguments = { program = program(), stdout = "null", stderr = "pipe", group = true }
  if place.home then
    arguments[1], arguments[2] = "--home", place.home
  end
  arguments.on_stderr = function(line) complaint = complaint or line end
  arguments.on_exit = function(status)
    -- its last line may still be on the way
    loop.after(20, function() assert(coroutine.resume(thread, status)) end)
  end
  local started, message = loop.spawn(arguments)
  if not started then return nil, "the core could not be started: " .. message end
  local status = coroutine.yield()
  if status ~= 0 then return nil, complaint or "the core could not be started" end
  return true
end

--- A connection, to a core that is started where none runs.
---@param may_start boolean
---@return sotto.connection|nil, string? message, string? name
function M.connect(place, may_start)
  local there, message, name = connection.open(place.socket)
  if there or not may_start or name ~= "not_found" then
    if not there and name == "not_found" then message = "no core runs: 'sotto start' starts one" end
    return there, message, name
  end
  local ok, failure = M.start(place)
  if not ok then return nil, failure, "io" end
  return connection.open(place.socket)
end

--- Asks the core to stop, and waits until it has gone.
---@return boolean|nil ok, string? message
function M.stop(place)
  local there, message, name = connection.open(place.socket)
  if not there then
    if name == "not_found" then return nil, "no core runs" end
    return nil, message
  end
  local info = there:call("system.info")
  local thread = coroutine.running()
  there.on_close = function() end
  local _, failure = there:call("system.stop")
  if failure and failure ~= "the core has ended the connection" then return nil, failure end
  there:close()
  for _ = 1, STOP_TRIES do
    if not info or not sys.alive(info.pid) then return true end
    loop.after(STOP_WAIT_MS, function() assert(coroutine.resume(thread)) end)
    coroutine.yield()
  end
  return nil, ("the core (process %d) has not ended"):format(info.pid)
end

return M
