-- SPDX-License-Identifier: GPL-3.0-or-later
-- `sotto demo`: a throw-away second person for a newcomer who is alone. What is to be read comes on standard output,
-- commands (off, on, stop) on standard input, whose end is the demo's end. The chat's /demo runs it.
local core = require "sotto.client.core"
local farewell = require "sotto.demo.farewell"
local help = require "sotto.client.help"
local lesson = require "sotto.demo.lesson"
local lodging = require "sotto.demo.lodging"
local loop = require "sotto.loop"
local person = require "sotto.demo.person"
local terminal = require "sotto.terminal"

local M = {}

local NAME = "echo"

-- a hint waits until nothing more is said
local QUIET_MS = 400

---@class sotto.demo
---@field host sotto.connection to the newcomer's core
---@field me sotto.identity the newcomer
---@field address string of the newcomer's core
---@field lodging sotto.demo.lodging
---@field person sotto.demo.person
---@field lesson sotto.demo.lesson
---@field discussion string|nil id of the one that is open
local Demo = {}
Demo.__index = Demo

local function tell(text)
  io.stdout:write(terminal.escape(text), "\n")
  io.stdout:flush()
end

-- --- actions -----------------------------------------------------------------------------------------------

---@type table<string, fun(self: sotto.demo, action: sotto.demo.action, event: table)>
local carry_out = {}

function carry_out.tell(_, action) tell(action.text) end

function carry_out.say(self, action)
  if self.discussion then self.person:say(self.discussion, table.unpack(action.texts)) end
end

function carry_out.ask(self)
  local _, message, name = self.person:ask(self.me.fingerprint, self.lesson.password)
  if name == "refused" then return self:take { kind = "no_guess" } end
  if message then self:fail(message) end
end

function carry_out.accept(self, _, event)
  self.person:accept(event.discussion, self.lesson.password)
end

function carry_out.kill(self) self.person:kill() end

function carry_out.start(self)
  local ok, message = self.person:start()
  if not ok then self:fail(message) end
end

function carry_out.finish(self) self:finish(0) end

--- Does what the lesson says about the event.
function Demo:take(event)
  if self.over then return end
  for _, action in ipairs(lesson.step(self.lesson, event)) do carry_out[action.verb](self, action, event) end
end

function Demo:fail(message)
  io.stderr:write("sotto: ", terminal.escape(("the demo has failed: %s"):format(message)), "\n")
  self:finish(1)
end

-- --- events ------------------------------------------------------------------------------------------------

local function listen(self)
  local who = self.person
  who:on("discussion.requested", function(discussion) self:take { kind = "asked", discussion = discussion } end)
  who:on("discussion.opened", function(discussion)
    self.discussion = discussion.id
    self:take { kind = "opened", words = discussion.words, pinned = discussion.mode == "pinned" }
  end)
  who:on("discussion.resumed", function() self:take { kind = "resumed" } end)
  who:on("discussion.refused", function(discussion) self:take { kind = "refused", reason = discussion.reason } end)
  who:on("discussion.closed", function()
    self.discussion = nil
    self:take { kind = "closed" }
  end)
  who:on("message.received", function(messages)
    local texts = {}
    for i, message in ipairs(messages) do texts[i] = message.text end
    self:take { kind = "heard", texts = texts }
    if self.quiet then self.quiet:stop() end
    self.quiet = loop.after(QUIET_MS, function() who:later(function() self:take { kind = "quiet" } end) end)
  end)
  who.on_end = function() who:later(function() self:take { kind = "died" } end) end
  who.on_error = function(text) self:fail(text) end
end

-- Commands are done in their turn, so that one that comes early finds everybody there.
local function read_commands(self)
  -- what is not read yet has to stay where it can be waited for
  io.stdin:setvbuf("no")
  local watch
  watch = loop.watch(0, function()
    local line = io.stdin:read("l")
    if not line then watch:stop() end
    local word = line and line:match("^%s*(.-)%s*$") or "stop"
    self.person:later(function() self:take { kind = "command", word = word } end)
  end)
  for _, name in ipairs { "SIGTERM", "SIGINT", "SIGHUP" } do
    loop.signal(name, function() self.person:later(function() self:take { kind = "command", word = "stop" } end) end)
  end
end

-- --- the beginning and the end -----------------------------------------------------------------------------

-- two words: long enough to be a password, short enough to be typed by somebody who only looks around
local function make_password(host)
  while true do
    local password = host:call("system.password").password:match("^%S+ %S+")
    if #password >= 9 then return password end
  end
end

local function free_name(host)
  local taken, name, number = {}, NAME, 1
  for _, peer in ipairs(host:call("peers.list") or {}) do taken[peer.name:lower()] = true end
  while taken[name] do
    number = number + 1
    name = NAME .. number
  end
  return name
end

-- what to dial: a core that listens on all addresses is asked at the loopback
local function own_address(info)
  return (info.listen.udp:gsub("^0%.0%.0%.0:", "127.0.0.1:"):gsub("^%[::%]:", "127.0.0.1:"))
end

local function begin(self)
  local host = self.host
  lodging.clear_left(self.place, host)
  local message
  self.lodging, message = lodging.take(self.place)
  if not self.lodging then error(message, 0) end
  local name = free_name(host)
  local loopback = self.address:find("^%[") and "[::1]:0" or "127.0.0.1:0"
  self.person = person.new { home = self.lodging.directory, name = name, listen = loopback }
  self.lesson = lesson.new(name, make_password(host))
  listen(self)
  read_commands(self)
  host.on_close = function() self.person:later(function() self:take { kind = "command", word = "stop" } end) end
  self.person:later(function()
    local ok, problem = self.person:start()
    if not ok then error(problem, 0) end
    self.person:probe(self.address)
    self:take { kind = "ready", address = self.person.address }
  end)
end

--- Ends it once: a farewell to the newcomer's core, and nothing is left.
function Demo:finish(status)
  if self.over then return end
  self.over = true
  local who = self.person
  local there = who:running() or who:start()
  local forgotten = there and farewell.say(who, self.host)
  who:stop()
  -- where the newcomer's core was not reached, the next start does it
  if forgotten then lodging.leave(self.lodging) end
  if forgotten then tell(("The demo is over: %s has gone, and your core has forgotten it."):format(who.name)) end
  loop.defer(function() assert(coroutine.resume(self.thread, status)) end)
end

-- the newcomer's core, identity and address, or what is missing
local function find_host(place)
  local host, message = core.connect(place, false)
  if not host then return nil, message end
  local me, info = host:call("identity.show"), host:call("system.info")
  if not me or not info then return nil, "the core has ended" end
  if not me.fingerprint then return nil, ("there is no identity yet: '%s' makes one"):format(place.command) end
  if me.locked then return nil, "your key is locked: /unlock asks for its passphrase" end
  return host, me, own_address(info)
end

--- `sotto demo`. From inside a coroutine.
---@return integer status
function M.run(_, place, words)
  if words[1] then return help.usage("demo takes no arguments") end
  local host, me, address = find_host(place)
  if not host then
    io.stderr:write("sotto: ", terminal.escape(me), "\n")
    return 1
  end
  local self = setmetatable({
    host = host, me = me, address = address, place = place, thread = coroutine.running(),
  }, Demo)
  local ok, problem = pcall(begin, self)
  if not ok then
    io.stderr:write("sotto: ", terminal.escape(("the demo has failed: %s"):format(problem)), "\n")
    return 1
  end
  return coroutine.yield()
end

return M
