-- SPDX-License-Identifier: GPL-3.0-or-later
-- A script's writes to its store on their way to the disk: those that come close together share a commit, so that a
-- script that writes in a loop does not keep the core at it. Whoever answers for the script flushes first.
local json = require "sotto.json"

local M = {}

--- Commits of one script are so far apart, but for the first.
M.PAUSE_MS = 50

---@class sotto.writes
local Writes = {}
Writes.__index = Writes

---@class sotto.writes.options
---@field put fun(set: table[], drop: table[]): any, string? nil and a message where it failed
---@field failed fun(message: string)
---@field defer fun(f: fun()) calls at the end of the turn
---@field after fun(ms: integer, f: fun()): {stop: fun(self)}
---@field now fun(): integer

---@param options sotto.writes.options
---@return sotto.writes
function M.new(options)
  local self = setmetatable({ options = options, last = -M.PAUSE_MS }, Writes)
  self:clear()
  return self
end

function Writes:clear() self.set, self.drop, self.any = {}, {}, false end

local function key_of(path) return assert(json.encode(json.array { table.unpack(path) })) end

-- A later word about a path counts. What is set again is dropped before: drops are carried out first.
local function add(self, set, drop)
  for _, path in ipairs(drop) do
    local key = key_of(path)
    self.set[key], self.drop[key] = nil, path
  end
  for _, leaf in ipairs(set) do self.set[key_of(leaf[1])] = leaf end
end

local function values(map)
  local list = {}
  for _, value in pairs(map) do list[#list + 1] = value end
  return list
end

--- Writes what waits.
function Writes:flush()
  if self.timer then self.timer:stop() end
  self.timer, self.planned = nil, false
  if not self.any then return end
  local set, drop = values(self.set), values(self.drop)
  self:clear()
  self.last = self.options.now()
  local ok, message = self.options.put(set, drop)
  if not ok then self.options.failed(tostring(message)) end
end

--- Takes a write: drops first, then what is set.
---@param set {[1]: table, [2]: any}[]
---@param drop table[]
function Writes:put(set, drop)
  add(self, set, drop)
  self.any = true
  if self.planned or self.timer then return end
  local wait = self.last + M.PAUSE_MS - self.options.now()
  if wait > 0 then
    self.timer = self.options.after(wait, function() self:flush() end)
  else
    self.planned = true
    self.options.defer(function() if self.planned then self:flush() end end)
  end
end

return M
