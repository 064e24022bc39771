-- SPDX-License-Identifier: GPL-3.0-or-later
-- gate.store: a table that the core keeps, leaf by leaf. Every write goes out at once; tables within it are the same
-- kind of table. Keys are strings and integers, values strings, numbers, booleans and tables of them. Pure: `put` is
-- injected.
local json = require "sotto.json"

local M = {}

M.DEPTH_MAX = 16
--- As the core's store has them: values, and bytes of their paths and texts as JSON together; and of one path.
M.LEAVES_MAX, M.BYTES_MAX, M.PATH_MAX = 10000, 1 << 20, 1024

local function check_key(key)
  if type(key) == "string" or math.type(key) == "integer" then return end
  error(("a key of the store is a string or an integer, not %s"):format(tostring(key)), 3)
end

local SCALARS = { string = true, boolean = true }

-- a plain copy of what may be kept; raises where something may not
local function plain(value, depth, seen)
  local kind = type(value)
  if SCALARS[kind] or math.type(value) == "integer" then return value end
  if kind == "number" then
    if value ~= value or value == math.huge or value == -math.huge then error("the store keeps finite numbers", 0) end
    return value
  end
  if kind ~= "table" then error(("the store keeps no %s"):format(kind), 0) end
  if depth >= M.DEPTH_MAX then error(("the store keeps tables of %d levels"):format(M.DEPTH_MAX), 0) end
  if seen[value] then error("the store keeps no table that is within itself", 0) end
  seen[value] = true
  local copy = {}
  for key, inner in pairs(value) do
    check_key(key)
    copy[key] = plain(inner, depth + 1, seen)
  end
  seen[value] = nil
  return copy
end

-- A table that was replaced is the store's no longer, whoever still holds it.
local function is_kept(world, held, path)
  local here = world.root
  for _, key in ipairs(path) do here = type(here) == "table" and here[key] or nil end
  return here == held
end

local function extended(path, key)
  local longer = table.move(path, 1, #path, 1, {})
  longer[#longer + 1] = key
  return longer
end

-- the leaves of a value: pairs of path and scalar, and an empty table for itself
local function add_leaves(list, path, value)
  if type(value) ~= "table" or next(value) == nil then
    list[#list + 1] = { path, value }
    return list
  end
  for key, inner in pairs(value) do add_leaves(list, extended(path, key), inner) end
  return list
end

-- what a write changes: leaves that go, and leaves that come
local function changes_of(held, path, key, kept)
  local where, drop, set = extended(path, key), {}, {}
  if held[key] ~= nil then
    for i, leaf in ipairs(add_leaves({}, where, held[key])) do drop[i] = leaf[1] end
  end
  -- a table that gets its first entry is no empty one any more, and the other way round
  if #path > 0 and next(held) == nil then drop[#drop + 1] = path end
  if kept ~= nil then
    add_leaves(set, where, kept)
  elseif #path > 0 and next(held) == key and next(held, key) == nil then
    set[1] = { path, {} }
  end
  return set, drop
end

-- --- room ----------------------------------------------------------------------------------------------------------

-- What the leaves take, by their paths; a write that does not fit is refused before anybody hears of it.
local Room = {}
Room.__index = Room

local function new_room() return setmetatable({ sizes = {}, count = 0, bytes = 0 }, Room) end

local function path_key(path) return assert(json.encode(json.array { table.unpack(path) })) end

-- what the leaf would take at its path
local function size_of(key, value)
  return #key + (type(value) == "table" and 2 or #assert(json.encode(json.array { value })) - 2)
end

--- The change as it would be, or why there is no room for it.
---@return {sizes: table<string, integer|false>, count: integer, bytes: integer}|nil, string? problem
function Room:plan(set, drop)
  local plan = { sizes = {}, count = self.count, bytes = self.bytes }
  local function put(key, size)
    local before = plan.sizes[key]
    if before == nil then before = self.sizes[key] end
    plan.count = plan.count + (size and 1 or 0) - (before and 1 or 0)
    plan.bytes = plan.bytes + (size or 0) - (before or 0)
    plan.sizes[key] = size
  end
  for _, path in ipairs(drop) do put(path_key(path), false) end
  for _, leaf in ipairs(set) do
    local key = path_key(leaf[1])
    if #key > M.PATH_MAX then return nil, ("its keys are too long: %d bytes, of %d"):format(#key, M.PATH_MAX) end
    put(key, size_of(key, leaf[2]))
  end
  if plan.count > M.LEAVES_MAX and plan.count >= self.count then
    return nil, ("it is full: it would hold %d values, of %d"):format(plan.count, M.LEAVES_MAX)
  end
  if plan.bytes > M.BYTES_MAX and plan.bytes >= self.bytes then
    return nil, ("it is full: it would hold %d bytes, of %d"):format(plan.bytes, M.BYTES_MAX)
  end
  return plan
end

-- with what is kept already
function Room:fill(leaves)
  for _, leaf in ipairs(leaves) do
    local key = path_key(leaf[1])
    self.sizes[key] = size_of(key, leaf[2])
    self.count, self.bytes = self.count + 1, self.bytes + self.sizes[key]
  end
end

function Room:take(plan)
  for key, size in pairs(plan.sizes) do self.sizes[key] = size or nil end
  self.count, self.bytes = plan.count, plan.bytes
end

-- --- tables that are kept ------------------------------------------------------------------------------------------
-- what proxies stand for
local worlds = setmetatable({}, { __mode = "k" })

-- Proxies hold nothing: what is kept is in `held`, so that reads and pairs are Lua's own.
local function make_proxy(world, held, path)
  local proxy = {}
  local function child(key, value)
    if type(value) ~= "table" then return value end
    local known = world.proxies[value]
    if not known then
      known = make_proxy(world, value, extended(path, key))
      world.proxies[value] = known
    end
    return known
  end
  worlds[proxy] = { held = held, child = child }
  return setmetatable(proxy, {
    __index = function(_, key) return child(key, held[key]) end,
    __newindex = function(_, key, value)
      check_key(key)
      if not is_kept(world, held, path) then error("this table is in the store no longer", 2) end
      local ok, kept = true, nil
      if value ~= nil then ok, kept = pcall(plain, value, #path + 1, {}) end
      if not ok then error(kept, 2) end
      local set, drop = changes_of(held, path, key, kept)
      local plan, problem = world.room:plan(set, drop)
      if plan then ok, problem = world.put(set, drop) end
      if not plan or not ok then error("the store did not take it: " .. tostring(problem), 2) end
      world.room:take(plan)
      held[key] = kept
    end,
    __pairs = function()
      return function(_, key)
        local following, value = next(held, key)
        return following, child(following, value)
      end, proxy, nil
    end,
    __len = function() return #held end,
    __name = "sotto.store",
    __metatable = false,
  })
end

local function tree_of(leaves)
  local root = {}
  for _, leaf in ipairs(leaves) do
    local path, here = leaf[1], root
    for i = 1, #path - 1 do
      here[path[i]] = type(here[path[i]]) == "table" and here[path[i]] or {}
      here = here[path[i]]
    end
    local last = path[#path]
    if type(leaf[2]) ~= "table" or here[last] == nil then here[last] = leaf[2] end
  end
  return root
end

--- As Lua's own, also for tables of the store.
---@param tab table
---@param key any
---@return any key, any value
function M.next(tab, key)
  local held = worlds[tab]
  if not held then return next(tab, key) end
  local following, value = next(held.held, key)
  return following, held.child(following, value)
end

--- The store with what it held.
---@param leaves {[1]: (string|integer)[], [2]: any}[]
---@param put fun(set: table[], drop: table[]): boolean|nil, string? takes `drop` away, then sets `set`
---@return table
function M.new(leaves, put)
  local world = {
    put = put, root = tree_of(leaves), proxies = setmetatable({}, { __mode = "k" }), room = new_room(),
  }
  world.room:fill(leaves)
  return make_proxy(world, world.root, {})
end

return M
