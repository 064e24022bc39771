-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the system says of the processes and files that belong to a spec's directory.
local patience = require "support.patience"
local sys = require "sotto.sys"

local M = {}

local function read_proc(pid, name)
  local file = io.open(("/proc/%s/%s"):format(pid, name), "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

--- The whole of a file in /proc; nil where it is gone or not ours to read.
M.read_proc = read_proc

---@class support.process
---@field pid integer
---@field arguments string[]
---@field program string without its folder

--- Processes that name the path in an argument, in order of their numbers. Zombies have no arguments.
---@param path string
---@return support.process[]
function M.processes(path)
  local found = {}
  for _, name in ipairs(assert(sys.list "/proc")) do
    local text = name:match "^%d+$" and tonumber(name) ~= sys.getpid() and read_proc(name, "cmdline")
    if text and text:find(path, 1, true) then
      local arguments = {}
      for argument in text:gmatch "([^\0]*)\0" do arguments[#arguments + 1] = argument end
      local program = (arguments[1] or text):match "[^/]*$"
      found[#found + 1] = { pid = tonumber(name), arguments = arguments, program = program }
    end
  end
  table.sort(found, function(a, b) return a.pid < b.pid end)
  return found
end

--- The agents of the homes below a directory.
---@param path string
---@return support.process[]
function M.agents(path)
  local found = {}
  for _, process in ipairs(M.processes(path)) do
    if process.program == "gpg-agent" then found[#found + 1] = process end
  end
  return found
end

--- Every regular file below a directory, in order. Links are not followed.
---@param path string
---@return string[] paths
function M.files(path)
  local found = {}
  local function walk(directory)
    for _, name in ipairs(sys.list(directory) or {}) do
      local full = directory .. "/" .. name
      local stat = sys.stat(full, false)
      if stat and stat.kind == "directory" then
        walk(full)
      elseif stat and stat.kind == "file" then
        found[#found + 1] = full
      end
    end
  end
  walk(path)
  return found
end

--- A file's content, of any size; nil where it has gone meanwhile.
---@param path string
---@return string|nil
function M.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

---@param path string
---@param text string
function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- Quoted for the shell.
function M.quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

--- Runs a command of the shell to its end.
---@param command string
---@return string output of both kinds
---@return integer status
function M.shell(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1 </dev/null", "r"))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return output, status
end

--- How many times longer than on an idle machine something may take now: what is promised in seconds is asked of that.
---@return number at least 1
function M.slowness()
  local load = tonumber(M.read("/proc/loadavg"):match "^[%d.]+") or 0
  local processors = tonumber((M.shell "nproc")) or 1
  return patience * math.max(1, load / processors)
end

return M
