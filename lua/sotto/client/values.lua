-- SPDX-License-Identifier: GPL-3.0-or-later
-- The values that Lua sees in the chat and in `sotto eval`: sotto (every method), peers, discussions, me.
local guard = require "sotto.client.guard"
local names = require "sotto.client.names"

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

--- A list that also finds by name, fingerprint or id: what fits best, and of several the first.
---@param list table[]
---@param fits fun(object: table, key: string): integer|nil how well
local function named_list(list, fits)
  return setmetatable(list, {
    __index = function(self, key)
      if type(key) ~= "string" then return nil end
      local found, best = nil, 0
      for i = 1, rawlen(self) do
        local how = fits(rawget(self, i), key) or 0
        if how > best then found, best = rawget(self, i), how end
      end
      return found
    end,
  })
end

local function peer_fits(peer, key) return (peer.name == key or peer.fingerprint == key) and 1 or nil end

-- As Tab and /list call it, or by one of its members; one that goes on comes before those that have ended.
local function discussion_fits(discussion, key)
  if discussion.id == key then return 10 end
  local how = names.discussion(discussion) == key and 2 or nil
  for _, member in ipairs(discussion.members) do
    if not member.you and member.name == key then how = how or 1 end
  end
  return how and how + (names.has_ended(discussion) and 0 or 5)
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
    peers = function() return named_list(sotto.peers.list(), peer_fits) end,
    discussions = function() return named_list(sotto.discussions.list(), discussion_fits) end,
    me = function() return sotto.identity.show() end,
  }
  local known = setmetatable({ sotto = sotto }, { __index = _G })
  for name, value in pairs(more or {}) do known[name] = value end
  return setmetatable({}, {
    __index = function(_, key)
      local fetch = fetched[key]
      if fetch then return fetch() end
      return known[key]
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
