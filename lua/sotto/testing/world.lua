-- SPDX-License-Identifier: GPL-3.0-or-later
-- Where a script's specs take place: the script runs in a real core as it would anywhere else, other people have real
-- cores too, and they talk over this machine's loopback. Only the script's clock stands, until `advance`. Everything
-- is called from inside a coroutine.
local loop = require "sotto.loop"
local person = require "sotto.demo.person"
local sys = require "sotto.sys"

local M = {}

local PASSWORD = "a password of specs"
local WAIT_MS, LOOK_MS, REMOVE_MS = 20000, 5, 5000

---@class sotto.testing.world
---@field you sotto.testing.person whose core runs the script
---@field path string of the script whose specs run
---@field script table|nil as scripts.load has answered
local World = {}
World.__index = World

-- --- people ------------------------------------------------------------------------------------------------

---@class sotto.testing.person
---@field name string
---@field fingerprint string
---@field discussion string|nil id of the one with you
---@field heard sotto.message[] what nobody has looked at yet
local Person = {}
Person.__index = Person

--- Waits until the function gives something, and fails after a while.
---@param what string
---@param f fun(): any
---@return any
local function wait(what, f)
  local deadline = loop.now() + WAIT_MS
  while true do
    local found = f()
    if found then return found end
    if loop.now() > deadline then error(("waited for %d s for %s"):format(WAIT_MS // 1000, what), 0) end
    person.pause(LOOK_MS)
  end
end

-- Where the world ends, none is started any more: it would outlive it.
local function start(world, core)
  if world.closed then error("it is over", 0) end
  assert(core:start())
end

local function new_person(world, name)
  local self = setmetatable({
    world = world, name = name, heard = {}, got = {}, opened = {},
    core = person.new { home = world.root .. "/" .. name, name = name },
  }, Person)
  self.core.on_error = function(text) world.trouble = world.trouble or text end
  self.core.on_end = function(why) world.trouble = world.trouble or ("%s's core has ended: %s"):format(name, why) end
  self.core:on("message.received", function(messages)
    for _, message in ipairs(messages) do
      self.got[message.id] = true
      self.heard[#self.heard + 1] = message
    end
  end)
  self.core:on("discussion.opened", function(discussion) self.opened[discussion.id] = true end)
  world.cores[#world.cores + 1] = self.core
  start(world, self.core)
  self.fingerprint = self.core.fingerprint
  return self
end

--- Any call of the API on that person's core.
---@param method string
---@param params? table
---@return any
function Person:call(method, params)
  local result, message = self.core:try(method, params)
  if message then error(("%s: %s"):format(method, message), 2) end
  return result
end

--- Says something to you. Your core, and so the script, has it afterwards.
---@param text string
---@return sotto.message
function Person:says(text)
  local messages, message = self.core:say(self.discussion, text)
  if not messages then error(message, 2) end
  local sent, you = messages[1], self.world.you
  local ok, problem = pcall(wait, ("'%s' to arrive"):format(text), function() return you.got[sent.id] end)
  if not ok then error(problem, 2) end
  return sent
end

--- The text of the next message from you; waits for it.
---@return string
function Person:hears()
  local ok, problem = pcall(wait, ("%s to hear something"):format(self.name), function() return self.heard[1] end)
  if not ok then error(problem, 2) end
  return table.remove(self.heard, 1).text
end

--- Says something, and hears the answer.
---@param text string
---@return string
function Person:asks(text)
  self:says(text)
  return self:hears()
end

--- Nothing came that was not looked at: the script has done what it had to do, and what it said has arrived.
function Person:hears_nothing()
  self.world:settle()
  if self.heard[1] then error(("%s has heard %q"):format(self.name, self.heard[1].text), 2) end
end

--- Its core is killed, as if somebody had pulled the plug. What is said meanwhile waits.
function Person:leaves() self.core:kill() end

--- Its core is started again.
function Person:returns()
  start(self.world, self.core)
  wait(self.name .. " to be there again", function()
    return self:call("discussions.show", { discussion = self.discussion }).state == "open"
  end)
end

local function open_discussion(world, who)
  local you = world.you
  you.core:on("discussion.requested", function(discussion) you.core:accept(discussion, PASSWORD) end)
  who.core:probe(you.core.address)
  local discussion, message = who.core:ask(you.fingerprint, PASSWORD)
  if not discussion then error(message, 0) end
  who.discussion = discussion.id
  wait("the discussion to open", function() return who.opened[discussion.id] and you.opened[discussion.id] end)
end

--- Somebody else, with a discussion with you; the same person under the same name.
---@param name string
---@return sotto.testing.person
function World:person(name)
  if not self.people[name] then
    local who = new_person(self, name)
    self.people[name] = who
    open_discussion(self, who)
  end
  return self.people[name]
end

-- --- the script --------------------------------------------------------------------------------------------

--- Loads the script anew: with an empty store, and a clock that stands. It is done before each spec.
---@param options? {arguments?: string[], path?: string}
---@return table script
function World:load(options)
  self:unload()
  self.loads = (self.loads or 0) + 1
  self.script = self.you.core:call("scripts.load", {
    path = options and options.path or self.path, arguments = options and options.arguments,
    grant = true, trial = true,
  })
  return self.script
end

function World:unload()
  if self.script then self.you.core:try("scripts.unload", { name = self.script.name }) end
  self.script = nil
end

--- Reads its files again: what it has stored stays, and what it saves.
function World:reload()
  self.script = self.you.core:call("scripts.reload", { name = self.script.name, grant = true })
end

--- Lets time pass for the script: its timers come, one after the other.
---@param time string "10m"
function World:advance(time)
  if not self.script then error("no script is loaded", 2) end
  local _, message = self.you.core:try("scripts.advance", { name = self.script.name, time = time })
  if message then error(message, 2) end
end

--- Runs a command of the script, as its owner does.
---@param name string
---@param ... string
---@return string|nil reply
function World:command(name, ...)
  if not self.script then error("no script is loaded", 2) end
  local answer, message = self.you.core:try("scripts.command", {
    name = self.script.name, command = name, arguments = select("#", ...) > 0 and { ... } or nil,
  })
  if not answer then error(message, 2) end
  return answer.reply
end

--- What the script's policies would say of somebody.
---@param who sotto.testing.person
---@param as? {vouched_by?: sotto.testing.person[], discussion?: string} if these members vouched for them
---@return {answer: "consent"|"refuse"|"later"|"ask", reason: string|nil}
function World:explain(who, as)
  local vouched_by
  for _, member in ipairs(as and as.vouched_by or {}) do
    vouched_by = vouched_by or {}
    vouched_by[#vouched_by + 1] = member.fingerprint
  end
  local answer, message = self.you.core:try("scripts.explain", {
    candidate = who.fingerprint, discussion = as and as.discussion, vouched_by = vouched_by,
  })
  if not answer then error(message, 2) end
  return answer.verdict
end

--- What the script has logged and printed since it was loaded, a line each.
---@return string
function World:log()
  local texts = {}
  local answer = self.you.core:call("scripts.log", { name = self.script.name })
  for i, line in ipairs(answer.lines) do texts[i] = line.text end
  return table.concat(texts, "\n")
end

-- what you have said in the discussion and this person has not got, as far as it is there
local function has_all(world, who)
  for _, message in ipairs(world.you.core:call("messages.list", { discussion = who.discussion })) do
    if message.sender == world.you.fingerprint and not who.got[message.id] then return false end
  end
  return true
end

--- Waits until the script has done what it had to do, and what it said has arrived.
function World:settle()
  if self.script then self:advance "0s" end
  for _, who in pairs(self.people) do
    if who.core:running() then
      wait("what was said to arrive at " .. who.name, function() return has_all(self, who) end)
    end
  end
end

-- --- life --------------------------------------------------------------------------------------------------

--- A directory of its own; nothing runs yet.
---@return sotto.testing.world|nil, string? message
function M.new()
  local root, message = sys.make_temporary_directory((sys.getenv "TMPDIR" or "/tmp") .. "/sotto-test-")
  if not root then return nil, message end
  return setmetatable({ root = root, people = {}, cores = {} }, World)
end

--- Starts your core.
function World:start() self.you = new_person(self, "you") end

--- After a spec: nothing of it is left for the next.
---@return string|nil problem
function World:clear()
  local ok, problem = pcall(function()
    for _, who in pairs(self.people) do
      if not who.core:running() then who:returns() end
    end
    self:settle()
  end)
  self:unload()
  for _, who in pairs(self.people) do who.heard = {} end
  local trouble = self.trouble
  self.trouble = nil
  return trouble or (not ok and tostring(problem)) or nil
end

--- Ends all cores, and removes the directory. Who calls it while that goes on waits for its end, too.
function World:close()
  if self.closed then
    while not self.gone do person.pause(LOOK_MS) end
    return
  end
  self.closed = true
  for _, core in ipairs(self.cores) do core:stop() end
  -- what a core that was interrupted has started may still write
  local deadline = loop.now() + REMOVE_MS
  while not sys.remove_tree(self.root) and loop.now() < deadline do person.pause(LOOK_MS) end
  self.gone = true
end

return M
