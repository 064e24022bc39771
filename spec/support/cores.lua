-- SPDX-License-Identifier: GPL-3.0-or-later
-- People for spec/scenario, each with a real core, on the loopback: made, brought together, and all of it cleared away.
-- A spec file calls M.clean in after_each or teardown, for people who are made in before_each or setup.
local person = require "support.person"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"

local M = { BUILD = person.BUILD, wait = waiting.wait, ask = waiting.ask }

-- of this file's specs, from the first person on until clean
local root, people

--- The directory that everything of the specs lives in.
---@return string
function M.root()
  if not root then
    root = assert(sys.make_temporary_directory "/tmp/sotto-spec-")
    people = {}
    for _, name in ipairs { "user", "run" } do assert(sys.make_private_directory(root .. "/" .. name)) end
  end
  return root
end

--- A person whose core does not run yet.
---@param name string
---@param options? support.person.options
---@return support.person
function M.absent(name, options)
  local made = person.new(M.root(), name, options or {})
  people[#people + 1] = made
  return made
end

--- A person whose core runs, with an identity.
---@param name string
---@param options? support.person.options
---@return support.person
function M.person(name, options)
  local made = M.absent(name, options):start()
  if options and options.identity == false then return made end
  local identity = made:call("identity.create", { name = name, passphrase = options and options.passphrase })
  made.fingerprint = identity.fingerprint
  return made
end

--- alice and bob, who know of each other.
---@param options? support.person.options
---@return support.person alice, support.person bob
function M.pair(options)
  local alice, bob = M.person("alice", options), M.person("bob", options)
  M.meet(alice, bob)
  return alice, bob
end

--- Each of both has proven the other afterwards.
---@param a support.person
---@param b support.person
function M.meet(a, b)
  a:call("peers.probe", { address = b.address })
  for _, side in ipairs { { a, b }, { b, a } } do
    waiting.ask(("%s to be proven to %s"):format(side[2].name, side[1].name), function()
      for _, peer in ipairs(side[1]:call "peers.list") do
        if peer.fingerprint == side[2].fingerprint then return peer.proven end
      end
    end)
  end
end

--- a asks b; the request is waited for at b.
---@param a support.person
---@param b support.person
---@param password? string nil: mode pinned
---@return string id
function M.request(a, b, password)
  local id = a:call("discussions.open", { peer = b.fingerprint, password = password }).id
  b:event("discussion.requested", { id = id })
  return id
end

--- Waits for the discussion's outcome at each of them.
---@param type string the event
---@param id string
---@param ... support.person
---@return table ... the discussions as the events had them
function M.all_events(type, id, ...)
  local found = {}
  for i, who in ipairs { ... } do found[i] = who:event(type, { id = id }) end
  return table.unpack(found)
end

--- A discussion that is open on both sides.
---@param a support.person who asks
---@param b support.person
---@param password? string standard: one
---@return string id
function M.open_between(a, b, password)
  password = password or "correct horse battery"
  local id = M.request(a, b, password)
  b:call("discussions.accept", { discussion = id, password = password })
  M.all_events("discussion.opened", id, a, b)
  return id
end

--- Waits until the discussion has the state, as show tells it.
---@param who support.person
---@param id string
---@param state string
---@return table discussion
function M.state(who, id, state)
  return waiting.ask(("%s: %s is %s"):format(who.name, id:sub(1, 8), state), function()
    local found = who:discussion(id)
    return found.state == state and found
  end)
end

--- A message each way, which arrives: the discussion works.
---@param id string
---@param a support.person
---@param b support.person
function M.talk(id, a, b)
  for _, way in ipairs { { a, b }, { b, a } } do
    local sent = way[1]:send(id, ("from %s, %s"):format(way[1].name, sys.random_hex(4)))
    local got = way[2]:event("message.received", { id = sent.id })
    if got.text ~= sent.text or got.sender ~= way[1].fingerprint then error("another message arrived", 2) end
    way[1]:event("message.delivered", { id = sent.id })
  end
end

-- --- clearing away -------------------------------------------------------------------------------

-- Agents of a core that was killed and not started again have nobody else to end them.
local function left_by_kill(process)
  if process.program ~= "gpg-agent" and process.program ~= "gpg" then return false end
  for _, who in ipairs(people) do
    if who.killed then return true end
  end
  return false
end

-- What follows a core ends a moment after it: longer on a machine that stands still for a while.
local FOLLOWERS_MS = 15000

local function end_processes(problems)
  pcall(waiting.wait, "the end of what follows", function()
    for _, process in ipairs(system.processes(root)) do
      if not left_by_kill(process) then return false end
    end
    return true
  end, FOLLOWERS_MS)
  for _, process in ipairs(system.processes(root)) do
    if not left_by_kill(process) then
      problems[#problems + 1] = "a process is left: " .. table.concat(process.arguments, " ")
    end
    sys.kill(process.pid, "SIGKILL")
  end
  local ok, problem = pcall(waiting.wait, "the end of what was killed", function()
    return #system.processes(root) == 0
  end)
  if not ok then problems[#problems + 1] = problem end
end

local function check_directories(problems)
  local killed = false
  for _, who in ipairs(people) do killed = killed or who.killed end
  local wanted = { user = "something was written into the user's home" }
  if not killed then wanted.run = "an alias is left" end
  for name, problem in pairs(wanted) do
    local found = sys.list(root .. "/" .. name)
    if found and #found > 0 then problems[#problems + 1] = problem .. ": " .. table.concat(found, " ") end
  end
end

--- Ends every core; one that does not end well is a failure. What they have left stays until clean.
function M.stop()
  local problems = {}
  for _, who in ipairs(people or {}) do
    local ok, problem = pcall(who.stop, who)
    if not ok then problems[#problems + 1] = problem end
  end
  if #problems > 0 then error(table.concat(problems, "\n"), 0) end
end

--- Ends every core and removes everything, also after a failure. Fails where a core did not end well, or something of
--- one that did was left.
function M.clean()
  if not root then return end
  local problems = {}
  local ok, problem = pcall(M.stop)
  if not ok then problems[1] = problem end
  end_processes(problems)
  check_directories(problems)
  ok, problem = sys.remove_tree(root)
  if not ok then problems[#problems + 1] = problem end
  root, people = nil, nil
  if #problems > 0 then error(table.concat(problems, "\n"), 0) end
end

return M
