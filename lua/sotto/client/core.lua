-- SPDX-License-Identifier: GPL-3.0-or-later
-- The core as a process: is it there, start it in the background, stop it.
local connection = require "sotto.client.connection"
local loop = require "sotto.loop"
local paths = require "sotto.core.paths"
local pause = require "sotto.client.pause"
local sys = require "sotto.sys"

local M = {}

local STOP_TRIES, STOP_WAIT_MS = 200, 50

local IN_THE_WAY = {
  ["Read-only file system"] = true, ["Permission denied"] = true, ["No space left on device"] = true,
}

---@class sotto.place : sotto.paths
---@field given string|nil --home as it was given
---@field command string what to type for this program and this home
---@field started boolean|nil the core was started by this program

--- What every command of the front end needs to reach a core.
---@param home string|nil
---@return sotto.place|nil place, string? message
function M.place(home)
  local place, message = paths.find(home)
  if not place then return nil, message end
  place.given = home
  place.command = paths.command(home)
  return place
end

--- Starts a core in the background and waits until it answers. From inside a coroutine.
---@param place sotto.place
---@return boolean|nil ok, string? message
function M.start(place)
  local thread, complaint = coroutine.running(), nil
  local arguments = { program = paths.program "sottod", stdout = "null", stderr = "pipe", group = true }
  if place.given then
    arguments[1], arguments[2] = "--home", place.given
  end
  arguments.on_stderr = function(line) complaint = complaint or line:gsub("^sottod: ", "") end
  arguments.on_exit = function(status)
    -- its last line may still be on the way
    loop.after(20, function() assert(coroutine.resume(thread, status)) end)
  end
  local started, message = loop.spawn(arguments)
  if not started then return nil, "the core could not be started: " .. message end
  local status = coroutine.yield()
  if status == 0 then
    place.started = true
    return true
  end
  complaint = complaint or "its log says why: " .. place.log
  -- where a user's own directories are of no use
  local elsewhere = not place.given and IN_THE_WAY[complaint:match(": ([^:]+)$")]
  if elsewhere then complaint = complaint .. "; --home DIR puts all of it elsewhere" end
  return nil, "the core could not be started: " .. complaint
end

--- A connection, to a core that is started where none runs. From inside a coroutine.
---@param place sotto.place
---@param may_start boolean
---@param options? table for connection.open
---@return sotto.connection|nil, string? message, string? name
function M.connect(place, may_start, options)
  local there, message, name = connection.open(place.socket, options)
  if there or name ~= "not_found" then return there, message, name end
  if not may_start then return nil, ("no core runs here: '%s start' starts one"):format(place.command), name end
  local ok, failure = M.start(place)
  if not ok then return nil, failure, "io" end
  return connection.open(place.socket, options)
end

--- Asks the core to stop, and waits until it has gone. From inside a coroutine.
---@param place sotto.place
---@return boolean|nil ok, string? message, string? name
function M.stop(place)
  local there, message, name = connection.open(place.socket)
  if not there then return nil, name == "not_found" and "no core runs here" or message, name end
  local info = there:call("system.info")
  local _, failure, failure_name = there:call("system.stop")
  -- it may end before its answer has come
  if failure and failure_name ~= "canceled" then return nil, failure, failure_name end
  there:close()
  for _ = 1, STOP_TRIES do
    if not info or not sys.alive(info.pid) then return true end
    pause(STOP_WAIT_MS)
  end
  return nil, ("the core (process %d) has not ended"):format(info.pid), "timeout"
end

return M
