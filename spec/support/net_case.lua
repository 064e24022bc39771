-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the specs of engine/net share: whatever a spec opens is closed after it, and no descriptor may be left over.
local loop = require "support.loop"
local patience = require "support.patience"
local resolvers = require "support.net_resolver"
local socket = require "support.net_socket"

local M = {}

-- seconds
local DEADLINE = 10 * patience

local objects, fds, directories, before

-- libev opens its own descriptors when they are first needed: that is before anything is counted.
local function prime()
  local resolver, done = resolvers.new("nothing"), false
  resolver:start("prime", 1, 1000, function() done = true end)
  assert(loop.wait(function() return done end))
  resolver:free()
  prime = function() end
end

function M.begin()
  prime()
  objects, fds, directories = {}, {}, {}
  before = socket.open_fds()
end

-- An object with free(), freed after the spec; passes its arguments on.
function M.keep(object, ...)
  if object then objects[#objects + 1] = object end
  return object, ...
end

-- A raw descriptor, closed after the spec unless M.close or M.give came first.
function M.fd(fd, ...)
  assert(fd, ...)
  fds[fd] = true
  return fd, ...
end

function M.pair()
  local a, b = socket.pair()
  return M.fd(a), M.fd(b)
end

-- The descriptor goes to somebody else, who closes it.
function M.give(fd)
  fds[fd] = nil
  return fd
end

function M.close(fd)
  fds[fd] = nil
  assert(socket.close(fd))
end

-- A private directory of the spec's own.
function M.directory()
  local path = assert(socket.temporary())
  directories[#directories + 1] = path
  return path
end

function M.finish()
  socket.feed()
  for i = #objects, 1, -1 do objects[i]:free() end
  for fd in pairs(fds) do socket.close(fd) end
  for _, path in ipairs(directories) do os.execute("rm -rf '" .. path .. "'") end
  loop.turn()
  local after = socket.open_fds()
  if after ~= before then error(("descriptors: %d before, %d after"):format(before, after)) end
end

-- Turns the loop until predicate() holds; fails at the deadline.
function M.wait(predicate, what)
  if not loop.wait(predicate, DEADLINE) then error("never happened: " .. (what or "?"), 2) end
end

-- The same for what the loop does not watch: raw descriptors.
function M.poll(predicate, what)
  if not loop.wait(predicate, DEADLINE, 0.002) then error("never happened: " .. (what or "?"), 2) end
end

-- A few turns, in which what is on its way inside this process comes through. Only to show that something does not
-- happen.
function M.settle(turns)
  for _ = 1, turns or 5 do loop.turn() end
end

-- Reads from a raw descriptor, turning the loop, until `enough(all)` or, without it, until the end. Returns all of it.
function M.read(fd, enough)
  local all, over = {}, false
  M.poll(function()
    while true do
      local data = socket.read(fd)
      if not data then break end
      if data == "" then
        over = true
        break
      end
      all[#all + 1] = data
    end
    return over or (enough and enough(table.concat(all)))
  end, "all that was to be read")
  return table.concat(all), over
end

-- Writes all of it to a raw descriptor, turning the loop; false where the other side is gone.
function M.write(fd, data)
  local at, alive = 1, true
  M.poll(function()
    while at <= #data do
      local n, why = socket.write(fd, data:sub(at, at + 65535))
      if not n then
        alive = why == "Resource temporarily unavailable"
        return not alive
      end
      at = at + n
    end
    return true
  end, "all that was to be written")
  return alive
end

function M.accept(listener)
  local fd
  M.poll(function()
    fd = socket.accept(listener)
    return fd
  end, "a connection")
  return M.fd(fd)
end

return M
