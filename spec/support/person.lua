-- SPDX-License-Identifier: GPL-3.0-or-later
-- A person with a core of their own, in a home below the spec's directory: started, spoken to, killed, started again.
local control = require "support.control"
local loop = require "sotto.loop"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"

local M = {}

--- Where the programs are: SOTTO_SPEC_BUILD names another folder than build, for example one with sanitizers.
M.BUILD = sys.cwd() .. "/" .. (os.getenv "SOTTO_SPEC_BUILD" or "build")

---@class support.person
---@field name string
---@field home string
---@field path string the same as the core sees it
---@field disk? support.small_disk where the core runs
---@field control support.control the connection of this life
---@field fingerprint string|nil
---@field address string of the core, TCP and UDP
---@field log string[] lines of standard error and standard output, of all lives
---@field arguments string[] beside home and address
---@field through string[]
---@field killed boolean the last life ended by kill
local Person = {}
Person.__index = Person

---@class support.person.options
---@field home? string standard: a directory of the person's name
---@field disk? support.small_disk the home is on this one
---@field listen? string|false standard: "127.0.0.1:0"; false: the core's own choice
---@field discover? string|false standard: "off"; false: the core's own choice
---@field netns? string the network namespace that the core lives in
---@field config? string the text of config.lua
---@field arguments? string[]
---@field environment? table<string, string> of the core, beside what it always gets
---@field through? string[] a program, with arguments, that becomes the core: { "prlimit", "--nofile=60" }
---@field passphrase? string of the identity
---@field identity? boolean false: none is made

--- Nothing is started yet.
---@param root string the spec's directory
---@param name string
---@param options support.person.options
function M.new(root, name, options)
  local self = setmetatable({
    root = root, name = name, home = options.home or root .. "/" .. name, disk = options.disk, netns = options.netns,
    listen = options.listen == nil and "127.0.0.1:0" or options.listen,
    discover = options.discover == nil and "off" or options.discover,
    arguments = options.arguments or { "-v" }, environment = options.environment or {},
    through = options.through or {}, log = {}, killed = false,
  }, Person)
  self.path = self.home
  if self.disk then self.home, self.path = self.disk.home, self.disk.path end
  assert(sys.make_private_directory(self.home))
  if options.config then self:configure(options.config) end
  return self
end

--- Writes config.lua, for the next start.
---@param text string
function Person:configure(text) system.write(self.home .. "/config.lua", text) end

function Person:socket() return self.home .. "/run/control.sock" end

--- The end of the log.
function Person:tail() return table.concat(self.log, "\n", math.max(1, #self.log - 30)) end

--- Whether a line of the log has that in it.
---@param text string
function Person:has_logged(text)
  for i = #self.log, 1, -1 do
    if self.log[i]:find(text, 1, true) then return true end
  end
  return false
end

-- --- the process ---------------------------------------------------------------------------------

local function spawn(self, arguments, take)
  local command = { M.BUILD .. "/sottod", "--home", self.path, "--foreground" }
  for _, name in ipairs { "listen", "discover" } do
    if self[name] then table.move({ "--" .. name, self[name] }, 1, 2, #command + 1, command) end
  end
  table.move(arguments, 1, #arguments, #command + 1, command)
  command = table.move(command, 1, #command, #self.through + 1, { table.unpack(self.through) })
  if self.disk then command = self.disk:command(command) end
  if self.netns then command = { "ip", "netns", "exec", self.netns, table.unpack(command) } end
  local options = { program = command[1], table.unpack(command, 2) }
  options.directory = "/"
  -- a runtime directory of the spec's own for short paths, and a user's home that must stay empty
  options.environment = {
    HOME = self.root .. "/user", XDG_RUNTIME_DIR = self.root .. "/run", GNUPGHOME = false, LC_ALL = "C.UTF-8",
  }
  for name, value in pairs(self.environment) do options.environment[name] = value end
  options.stdout, options.stderr, options.on_stdout, options.on_stderr = "pipe", "pipe", take, take
  local process = {}
  options.on_exit = function(status, signal)
    process.status, process.signal, process.ended = status, signal, true
    waiting.wake()
  end
  process.handle = assert(loop.spawn(options))
  return process
end

local function wait_for_end(self, process)
  waiting.wait(self.name .. ": the core's end", function() return process.ended end)
end

-- What a sanitizer found, or a traceback of the core's Lua, is a failure whatever the spec is about.
local function check_log(self)
  for i = self.checked or 1, #self.log do
    local line = self.log[i]
    if line:find "Sanitizer" or line:find "runtime error:" or line:find "stack traceback" then
      self.checked = #self.log + 1
      error(("%s: %s"):format(self.name, table.concat(self.log, "\n", i, math.min(#self.log, i + 40))), 0)
    end
  end
  self.checked = #self.log + 1
end

--- Starts the core, and waits until it answers.
---@return support.person itself
function Person:start()
  assert(not self:running(), self.name .. " runs already")
  self.killed = false
  local process = spawn(self, self.arguments, function(line) self.log[#self.log + 1] = line end)
  self.process = process
  local info
  repeat
    local connection = waiting.wait(function() return self.name .. ": a control socket\n" .. self:tail() end, function()
      return process.ended or (control.connect(self:socket(), self.name))
    end)
    if connection == true then
      error(("%s: the core has ended with %s\n%s"):format(self.name, process.status or process.signal, self:tail()), 2)
    end
    self.control = connection
    -- what a killed core was starting has its socket for a moment, and nobody answers there
    info = connection:greet()
  until info
  self.control:call("events.subscribe", { after = 0 })
  self.address, self.fingerprint = info.listen.udp, info.fingerprint
  return self
end

--- Starts a core that is to end on its own, and waits for it.
---@param ... string further arguments
---@return integer|nil status, string output
function Person:attempt(...)
  local lines = {}
  local process = spawn(self, { ... }, function(line) lines[#lines + 1] = line end)
  wait_for_end(self, process)
  -- what it printed may come after its end
  waiting.wait("its output's end", function() return #lines > 0 end)
  return process.status, table.concat(lines, "\n")
end

---@return boolean
function Person:running() return self.process ~= nil and not self.process.ended end

function Person:pid() return self.process.handle.pid end

--- kill -9, and waits for the end.
function Person:kill()
  self.process.handle:kill "SIGKILL"
  wait_for_end(self, self.process)
  self.killed = true
  self.control:close()
  check_log(self)
end

--- Ends the core in good order.
function Person:stop()
  if not self:running() then return end
  local process = self.process
  process.handle:kill "SIGTERM"
  local ok, problem = pcall(wait_for_end, self, process)
  if not ok then
    process.handle:kill "SIGKILL"
    wait_for_end(self, process)
    self.killed = true
  end
  self.control:close()
  check_log(self)
  if not ok then error(problem .. "\n" .. self:tail(), 0) end
  if process.status ~= 0 then
    error(("%s: ended with %s\n%s"):format(self.name, process.status or process.signal, self:tail()), 0)
  end
end

--- Ends it in good order and starts it again.
function Person:restart()
  self:stop()
  return self:start()
end

-- --- calls ---------------------------------------------------------------------------------------

function Person:call(...) return self.control:call(...) end

function Person:try(...) return self.control:try(...) end

function Person:fails(...) return self.control:fails(...) end

function Person:event(...) return self.control:event(...) end

function Person:take_event(...) return self.control:take_event(...) end

--- A further connection to the control socket.
---@return support.control
function Person:connect() return assert(control.connect(self:socket(), self.name .. "'")) end

---@param id string
function Person:discussion(id) return self:call("discussions.show", { discussion = id }) end

---@param id string
---@param text string
function Person:send(id, text) return self:call("messages.send", { discussion = id, text = text }) end

--- All messages of a discussion, oldest first.
---@param id string
---@return table[]
function Person:messages(id)
  local all = {}
  local full
  repeat
    -- without bounds come the newest: page by page from the end
    local page = self:call("messages.list", { discussion = id, limit = 1000, before = all[1] and all[1].id })
    table.move(all, 1, #all, #page + 1)
    table.move(page, 1, #page, 1, all)
    full = #page == 1000
  until not full
  return all
end

--- The texts of a discussion, or those of one sender.
---@param id string
---@param sender? string fingerprint
---@return string[]
function Person:texts(id, sender)
  local texts = {}
  for _, message in ipairs(self:messages(id)) do
    if not sender or message.sender == sender then texts[#texts + 1] = message.text end
  end
  return texts
end

--- The core's numbers: "links_accepted", or "links_dropped:limit" with a reason.
---@return table<string, integer>
function Person:metrics()
  local found = {}
  for line in self:call("system.metrics").text:gmatch "[^\n]+" do
    local name, reason, value = line:match '^sotto_([%w_]+)_total{reason="([^"]*)"} (%d+)$'
    if not name then name, value = line:match "^sotto_([%w_]+)_total (%d+)$" end
    if name then found[reason and name .. ":" .. reason or name] = tonumber(value) end
  end
  return found
end

--- Guesses that are left for a peer.
---@param other support.person
function Person:guesses(other) return self:call("peers.show", { peer = other.fingerprint }).guesses end

--- The names of the directories that hold keys.
---@return string[]
function Person:homes() return sys.list(self.home .. "/data/homes") or {} end

--- Processes of that program which the core itself has started.
---@param program string
---@return support.process[]
function Person:children(program)
  local found = {}
  for _, process in ipairs(system.processes(program)) do
    local status = system.read_proc(process.pid, "status") or ""
    if tonumber(status:match "PPid:%s*(%d+)") == self:pid() then found[#found + 1] = process end
  end
  return found
end

--- A script as scripts.list has it; nil where there is none of that name.
---@param name string
---@param params? table of scripts.list
---@return table|nil
function Person:script(name, params)
  for _, one in ipairs(self:call("scripts.list", params)) do
    if one.name == name then return one end
  end
end

--- The agents that run for this core's keys. One whose home is long has an alias in the runtime directory, by the
--- home's name.
---@return support.process[]
function Person:agents()
  local found = {}
  for _, agent in ipairs(system.agents(self.root)) do
    for _, argument in ipairs(agent.arguments) do
      local name = argument:match "[^/]*$"
      local own = argument:find(self.path .. "/", 1, true) or
        (#name == 32 and sys.exists(self.home .. "/data/homes/" .. name))
      if own then
        found[#found + 1] = agent
        break
      end
    end
  end
  return found
end

return M
