-- SPDX-License-Identifier: GPL-3.0-or-later
-- The values that Lua sees in the chat and in `sotto eval`: sotto (every method), peers, discussions, me.
local guard = require "sotto.client.guard"

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
    __inspect = ("sotto.%s: Tab shows its methods"):format(noun),
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
    __inspect = "sotto: the core's API, as sotto.peers.list(); Tab shows its nouns and methods",
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

-- Whether a message of load says that the text has ended too early.
local function is_cut_short(message) return message ~= nil and message:find("near '?<eof>'?$") ~= nil end

--- Whether more lines may make it a chunk.
---@param text string
---@return boolean
function M.is_incomplete(text)
  local chunk, message = load("return " .. text, "=line", "t")
  if chunk then return false end
  local as_expression = is_cut_short(message)
  chunk, message = load(text, "=line", "t")
  return not chunk and (as_expression or is_cut_short(message))
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
  return guard.call(breaks, chunk)
end

return M
