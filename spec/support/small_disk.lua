-- SPDX-License-Identifier: GPL-3.0-or-later
-- A disk of a few MB for one person's home: a tmpfs in namespaces of its own, which take no rights. Whoever runs in
-- them sees it under its path; everybody else through /proc.
local loop = require "sotto.loop"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"

local M = {}

---@class support.small_disk
---@field path string of the home for the core
---@field home string of the home for the spec
local Disk = {}
Disk.__index = Disk

--- Ready when it returns. It ends with the spec's process, or by free.
---@param root string the spec's directory
---@param name string
---@param megabytes integer
---@param files? integer that fit; standard: as many as the bytes allow
---@return support.small_disk
function M.new(root, name, megabytes, files)
  local self = setmetatable({ path = root .. "/" .. name }, Disk)
  local ready, ended
  assert(sys.make_private_directory(self.path))
  self.holder = assert(loop.spawn {
    program = "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
    ("mount -t tmpfs -o mode=700,size=%dm%s tmpfs %s && echo ready && exec cat"):format(megabytes,
      files and ",nr_inodes=" .. files or "", system.quote(self.path)),
    stdin = "pipe", stdout = "pipe", stderr = "inherit",
    on_stdout = function(line)
      ready = line == "ready"
      waiting.wake()
    end,
    on_exit = function()
      ended = true
      waiting.wake()
    end,
  })
  waiting.wait("a small disk", function() return ready or ended end)
  assert(ready, "no tmpfs in a user namespace")
  self.home = ("/proc/%d/root%s"):format(self.holder.pid, self.path)
  self.ended = function() return ended end
  return self
end

--- The command that runs another one where the disk is.
---@param command string[]
---@return string[]
function Disk:command(command)
  return { "nsenter", "-t", tostring(self.holder.pid), "-U", "-m", "--preserve-credentials", table.unpack(command) }
end

--- Leaves not a byte free.
function Disk:fill()
  local file = assert(io.open(self.home .. "/filler", "ab"))
  file:setvbuf "no"
  for _, size in ipairs { 1 << 20, 4096 } do
    while file:write(("x"):rep(size)) do end
  end
  file:close()
end

--- There is room again.
function Disk:make_room() assert(os.remove(self.home .. "/filler")) end

--- Nothing can be written any more, or everything again.
---@param mode "ro"|"rw"
function Disk:remount(mode)
  local words = self:command { "mount", "-o", "remount," .. mode, self.path }
  for i, word in ipairs(words) do words[i] = system.quote(word) end
  local output, status = system.shell(table.concat(words, " "))
  assert(status == 0, output)
end

--- Everything on it is gone.
function Disk:free()
  self.holder:kill "SIGKILL"
  waiting.wait("the end of a small disk", self.ended)
end

return M
