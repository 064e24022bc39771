-- SPDX-License-Identifier: GPL-3.0-or-later
-- A person who is a program: a core of their own, in a directory of their own, spoken to as any front end does it.
-- Whatever waits is called from inside a coroutine. Events are handled one after another, so a handler may wait, too.
--
--   local carol = person.new { home = "/tmp/carol", name = "carol" }
--   carol:on("discussion.requested", function(discussion) carol:accept(discussion, "otter lime") end)
--   carol:on("message.received", function(messages) carol:say(messages[1].discussion, "pardon?") end)
--   carol:start()
--   carol:probe("127.0.0.1:4788")
local connection = require "sotto.client.connection"
local loop = require "sotto.loop"
local paths = require "sotto.core.paths"
local pause = require "sotto.client.pause"
local sys = require "sotto.sys"

local M = {}

local START_MS, LOOK_MS, END_MS = 30000, 10, 10000

---@class sotto.demo.person
---@field home string
---@field name string
---@field listen string
---@field fingerprint string|nil from the first start on
---@field address string|nil of the core, while it runs
---@field process sotto.process|nil
---@field on_end fun(why: string)|nil the core has ended, and neither stop nor kill was called
---@field on_error fun(text: string) a handler has raised an error
local Person = {}
Person.__index = Person

---@class sotto.demo.person.options
---@field home string a directory; it is made where there is none
---@field name string
---@field listen? string standard "127.0.0.1:0"
---@field program? string standard: the core's program beside this one

--- Nothing is started yet.
---@param options sotto.demo.person.options
---@return sotto.demo.person
function M.new(options)
  return setmetatable({
    home = options.home, name = options.name, listen = options.listen or "127.0.0.1:0",
    program = options.program or paths.program "sottod", handlers = {}, queue = {},
    on_error = function(text) io.stderr:write(text, "\n") end,
  }, Person)
end

M.pause = pause

-- --- what happens ------------------------------------------------------------------------------------------

--- The handler gets the event's object, and the event; those of messages come together, as a list.
---@param type string of the event
---@param handler fun(object: any, event: sotto.event)
function Person:on(type, handler) self.handlers[type] = handler end

--- Does the work when all that has happened so far was handled.
---@param work fun()
function Person:later(work)
  self.queue[#self.queue + 1] = work
  if self.working then return end
  self.working = true
  local thread = coroutine.create(function()
    while self.queue[1] do
      local ok, problem = xpcall(table.remove(self.queue, 1), debug.traceback)
      if not ok then self.on_error(tostring(problem)) end
    end
    self.working = false
  end)
  assert(coroutine.resume(thread))
end

local function take(self, event)
  local handler = self.handlers[event.type]
  if not handler then return end
  local object = event.messages or event[event.type:match("^[^.]*")]
  self:later(function() handler(object, event) end)
end

-- --- the core ----------------------------------------------------------------------------------------------

local function spawn(self)
  local process
  process = assert(loop.spawn {
    program = self.program, follows = true, group = true, stdout = "null", stderr = "pipe",
    "--home", self.home, "--listen", self.listen, "--discover", "off", "--foreground",
    on_stderr = function(line) self.last_words = line:gsub("^sottod: ", "") end,
    on_exit = function(_, signal)
      if self.process ~= process then return end
      self.process, self.connection = nil, nil
      if self.on_end then self.on_end(signal or self.last_words or "it said nothing") end
    end,
  })
  self.process, self.last_words = process, nil
end

-- what a killed core was starting has its socket for a moment, and nobody answers there
local function greet(self)
  local deadline = loop.now() + START_MS
  while self.process and loop.now() < deadline do
    local there = connection.open(self.home .. "/run/control.sock")
    local info = there and there:call("system.info")
    if info then return there, info end
    M.pause(LOOK_MS)
  end
  local why = self.last_words or "it does not answer"
  self:kill()
  return nil, why
end

--- Starts the core, and makes the identity where there is none yet.
---@return boolean|nil ok, string? message
function Person:start()
  local ok, message = sys.make_private_directory(self.home)
  if not ok then return nil, message end
  spawn(self)
  local there, info = greet(self)
  if not there then return nil, info end
  self.connection, self.address = there, info.listen.udp
  there.on_event = function(event) take(self, event) end
  local me = self:call("identity.show")
  if not me.fingerprint then me = self:call("identity.create", { name = self.name }) end
  self.fingerprint = me.fingerprint
  -- also what has happened since the core is there
  self:call("events.subscribe", { batch = true, after = 0 })
  return true
end

---@return boolean
function Person:running() return self.process ~= nil end

--- Pulls the plug: kill -9. Agents of its keys may go on, until it is started again.
function Person:kill()
  local process = self.process
  if not process then return end
  self.process, self.connection = nil, nil
  process:kill("SIGKILL")
  while process:running() do M.pause(LOOK_MS) end
end

--- Ends the core in good order.
function Person:stop()
  local process = self.process
  if not process then return end
  self.process, self.connection = nil, nil
  process:kill("SIGTERM")
  local deadline = loop.now() + END_MS
  while process:running() do
    if loop.now() > deadline then process:kill("SIGKILL") end
    M.pause(LOOK_MS)
  end
end

-- --- what a person does ------------------------------------------------------------------------------------

--- As any call of the API; an error is returned.
---@return any result, string? message, string? name
function Person:try(method, params)
  if not self.connection then return nil, self.name .. "'s core does not run", "canceled" end
  return self.connection:call(method, params)
end

--- As any call of the API; an error is raised.
function Person:call(method, params)
  local result, message, name = self:try(method, params)
  if message then error(("%s: %s: %s (%s)"):format(self.name, method, message, name), 0) end
  return result
end

--- Asks who is there: both know of each other afterwards.
---@param address string
---@return sotto.peer
function Person:probe(address) return self:call("peers.probe", { address = address }) end

---@param peer string fingerprint
---@param password string|nil nil: those who are verified need none
---@return sotto.discussion|nil, string? message, string? name
function Person:ask(peer, password) return self:try("discussions.open", { peer = peer, password = password }) end

--- Accepts, with the password where one is asked for.
---@param discussion sotto.discussion
---@param password string|nil
---@return sotto.discussion|nil, string? message, string? name
function Person:accept(discussion, password)
  if discussion.mode == "pinned" then password = nil end
  return self:try("discussions.accept", { discussion = discussion.id, password = password })
end

---@param discussion string id
---@param ... string texts
---@return any messages, string? message, string? name
function Person:say(discussion, ...)
  return self:try("messages.send", { discussion = discussion, texts = { ... } })
end

return M
