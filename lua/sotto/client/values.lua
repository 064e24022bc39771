-- SPDX-License-Identifier: GPL-3.0-or-later
-- The values that Lua sees in the chat and in `sotto eval`: sotto (every method), peers, discussions, me.
local M = {}

local function fail(message) error(message, 0) end

-- sotto.peers.show { peer = "bob" } → the result; an error is raised with its text
local function method_table(connection, noun)
  return setmetatable({}, {
    __index = function(_, verb)
      return function(params)
        local result, message, name = connection:call(noun .. "." .. verb, params)
        if message then fail(("%s (%s)"):format(message, name)) end
        return result
      end
    end,
    __name = "sotto." .. noun,
  })
end

--- A list that also finds by name, fingerprint or id.
local function named_list(list, matches)
  return setmetatable(list, {
    __index = function(self, key)
      if type(key) ~= "string" then return nil end
      for i = 1, rawlen(self) do
        if matches(rawget(self, i), key) then return rawget(self, i) end
      end
    end,
  })
end

local function peer_matches(peer, key) return peer.name == key or peer.fingerprint == key end

local function discussion_matches(discussion, key)
  if discussion.id == key then return true end
  for _, member in ipairs(discussion.members) do
    if not member.you and member.name == key then return true end
  end
  return false
end

--- An environment for chunks: Lua's own library, and the four values, fetched anew at each mention.
---@param connection sotto.connection
---@param more table<string, any>|nil further names
---@return table
function M.environment(connection, more)
  local sotto = setmetatable({}, {
    __index = function(_, noun) return method_table(connection, noun) end,
    __name = "sotto",
  })
  local fetched = {
    peers = function() return named_list(sotto.peers.list(), peer_matches) end,
    discussions = function() return named_list(sotto.discussions.list(), discussion_matches) end,
    me = function() return sotto.identity.show() end,
  }
  local names = setmetatable({ sotto = sotto }, { __index = _G })
  for name, value in pairs(more or {}) do names[name] = value end
  return setmetatable({}, {
    __index = function(_, key)
      local fetch = fetched[key]
      if fetch then return fetch() end
      return names[key]
    end,
  })
end

-- instructions between two looks, and seconds of work before Ctrl-C is asked for
local LOOK_EVERY, PATIENCE = 10000, 0.1

-- Ends a chunk that runs on and on: at Ctrl-C an error, and at every instruction another, lest one that catches errors
-- goes on.
local function watch(breaks, run)
  local started, allowed, broken = os.clock(), false, false
  local function look()
    if not allowed and os.clock() - started > PATIENCE then
      allowed = true
      breaks.allow_break(true)
    end
    if allowed and not broken and breaks.was_broken() then
      broken = true
      debug.sethook(look, "", 1)
    end
    if broken and debug.getinfo(2, "f").func ~= run then error("stopped by Ctrl-C", 0) end
  end
  debug.sethook(look, "", LOOK_EVERY)
end

local function describe(failure)
  if type(failure) ~= "string" then return tostring(failure) end
  return failure
end

local run_watched
function run_watched(chunk, breaks)
  watch(breaks, run_watched)
  local results = table.pack(xpcall(chunk, describe))
  debug.sethook()
  breaks.allow_break(false)
  return table.unpack(results, 1, results.n)
end

--- Runs a text as an expression, or as statements. From inside a coroutine.
---@param text string
---@param environment table
---@param name string for error messages
---@param breaks? sotto.terminal where Ctrl-C is to end it: allow_break and was_broken
---@return boolean ok, any ... results, or the error's text
function M.run(text, environment, name, breaks)
  local chunk, message = load("return " .. text, "=" .. name, "t", environment)
  if not chunk then chunk, message = load(text, "=" .. name, "t", environment) end
  if not chunk then return false, message end
  if not breaks then return xpcall(chunk, describe) end
  return run_watched(chunk, breaks)
end

return M
