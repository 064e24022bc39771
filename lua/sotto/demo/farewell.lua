-- SPDX-License-Identifier: GPL-3.0-or-later
-- The end of a demo between the two cores: its discussions are closed, as discussions always are, and the newcomer's
-- core, the host, forgets them and the person.
local loop = require "sotto.loop"
local names = require "sotto.client.names"
local person = require "sotto.demo.person"

local M = {}

-- how long links are waited for, then the other side's CLOSE, and then the host's own
local LINK_MS, TELL_MS, FORGET_MS, LOOK_MS = 3000, 3000, 3000, 20

local function is_with(discussion, fingerprint)
  for _, member in ipairs(discussion.members) do
    if member.fingerprint == fingerprint then return true end
  end
  return false
end

local function until_done(ms, what)
  local deadline = loop.now() + ms
  while not what() do
    if loop.now() > deadline then return false end
    person.pause(LOOK_MS)
  end
  return true
end

-- those that go on, by their state
local function living(who, state)
  local found = {}
  for _, discussion in ipairs(who:try("discussions.list") or {}) do
    if not names.has_ended(discussion) and (not state or discussion.state == state) then
      found[#found + 1] = discussion
    end
  end
  return found
end

-- A CLOSE goes at once where there is a link, and one that was just lost comes back.
local function close_all(who)
  until_done(LINK_MS, function() return #living(who, "suspended") == 0 end)
  for _, discussion in ipairs(living(who)) do who:try("discussions.close", { discussion = discussion.id }) end
end

-- whether the host has forgotten all of them
local function forget_all(host, fingerprint, close)
  local left = 0
  for _, discussion in ipairs(host:call("discussions.list") or {}) do
    if is_with(discussion, fingerprint) then
      local ended = names.has_ended(discussion)
      if not ended and close then host:call("discussions.close", { discussion = discussion.id }) end
      local _, failure = host:call("discussions.forget", { discussion = discussion.id })
      if failure then left = left + 1 end
    end
  end
  return left == 0
end

--- From inside a coroutine.
---@param who sotto.demo.person whose core runs
---@param host sotto.connection to the newcomer's core
---@return boolean done nothing of it is left at the host
function M.say(who, host)
  local fingerprint = who.fingerprint
  close_all(who)
  local done = until_done(TELL_MS, function() return forget_all(host, fingerprint, false) end) or
    until_done(FORGET_MS, function() return forget_all(host, fingerprint, true) end)
  local _, _, name = host:call("peers.forget", { peer = fingerprint })
  return done and (name == nil or name == "not_found")
end

return M
