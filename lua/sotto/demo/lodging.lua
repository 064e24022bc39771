-- SPDX-License-Identifier: GPL-3.0-or-later
-- Where the demo's person lives: a directory beside the control socket of the newcomer's core, whose lock is held as
-- long as the demo runs. One without its holder was left by a demo that was killed.
local farewell = require "sotto.demo.farewell"
local loop = require "sotto.loop"
local person = require "sotto.demo.person"
local sys = require "sotto.sys"

local M = {}

local PREFIX = "demo-"
-- seconds until a directory without a lock is none that is just being made
local MAKING = 60
local PATIENCE_MS, LOOK_MS = 10000, 20

---@class sotto.demo.lodging
---@field directory string
---@field lock sotto.sys.lock

--- A directory of its own.
---@param place sotto.place
---@return sotto.demo.lodging|nil, string? message
function M.take(place)
  local directory, message = sys.make_temporary_directory(place.run .. "/" .. PREFIX)
  if not directory then return nil, message end
  local lock, problem = sys.lock(directory .. "/lock")
  if lock then return { directory = directory, lock = lock } end
  sys.remove_tree(directory)
  return nil, problem
end

--- Removes it.
---@param lodging sotto.demo.lodging
---@return boolean|nil ok, string? message
function M.leave(lodging)
  local ok, message = sys.remove_tree(lodging.directory)
  lodging.lock:release()
  return ok, message
end

-- one that nobody holds, now held by us
local function take_over(directory)
  local path = directory .. "/lock"
  local stat = sys.stat(sys.exists(path) and path or directory)
  if not stat or (stat.kind == "directory" and os.time() - stat.modified < MAKING) then return nil end
  local lock = sys.lock(path)
  return lock and { directory = directory, lock = lock }
end

-- whether the core of a killed demo, which follows it to its end, has ended too
local function is_empty(directory)
  if not sys.exists(directory .. "/data/lock") then return true end
  local lock = sys.lock(directory .. "/data/lock")
  if lock then lock:release() end
  return lock ~= nil
end

-- its person comes back once more, to say farewell
local function clear(lodging, host)
  local deadline = loop.now() + PATIENCE_MS
  while not is_empty(lodging.directory) do
    if loop.now() > deadline then return lodging.lock:release() end
    person.pause(LOOK_MS)
  end
  local who = person.new { home = lodging.directory, name = "left" }
  -- one that cannot be started any more is removed as it is
  pcall(function() return who:start() and farewell.say(who, host) end)
  who:stop()
  M.leave(lodging)
end

--- Ends in good order what killed demos have left. From inside a coroutine.
---@param place sotto.place
---@param host sotto.connection to the newcomer's core
---@return integer how many there were
function M.clear_left(place, host)
  local count = 0
  for _, name in ipairs(sys.list(place.run) or {}) do
    local left = name:sub(1, #PREFIX) == PREFIX and take_over(place.run .. "/" .. name)
    if left then
      clear(left, host)
      count = count + 1
    end
  end
  return count
end

return M
