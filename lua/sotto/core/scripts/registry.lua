-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the core's store keeps of scripts: which are loaded, what they were granted, and their own values. The engine's
-- methods that are asked here are in no API table: nobody else calls them.
local json = require "sotto.json"

local M = {}

---@class sotto.registry
local Registry = {}
Registry.__index = Registry

---@param engine sotto.rpc.engine
---@return sotto.registry
function M.new(engine) return setmetatable({ engine = engine }, Registry) end

local function ask(self, method, params)
  local text, message, name = self.engine:call(method, params, function() end)
  if not text then return nil, message or "the store did not answer", name or "internal" end
  return json.decode(text, { nulls = false })
end

---@class sotto.registry.row
---@field name string
---@field path string
---@field hash string
---@field needs string[]
---@field discussions string[]|nil
---@field arguments string[]
---@field watch boolean

---@return sotto.registry.row[]|nil, string? message, string? name
function Registry:rows() return ask(self, "scripts.rows", {}) end

---@param row sotto.registry.row
function Registry:put(row)
  return ask(self, "scripts.put_row", { name = row.name, row = assert(json.encode(row)) })
end

---@param name string
function Registry:drop(name) return ask(self, "scripts.drop_row", { name = name }) end

-- Whose values these are lies beside them, as the leaf that no script can write: the one with no path to it.
local OWNER = json.array {}

--- A script's own values: leaves, each with the path to it and its value; and whose they are, where that was said.
---@param name string
---@return {[1]: (string|integer)[], [2]: any}[]|nil, string? owner_or_message, string? error
function Registry:values(name)
  local rows, message, kind = ask(self, "scripts.values", { name = name })
  if not rows then return nil, message, kind end
  local leaves, owner = json.array {}, nil
  for _, row in ipairs(rows) do
    local path, value = json.decode(row.path), json.decode(row.value)
    if #path == 0 then owner = value else leaves[#leaves + 1] = { path, value } end
  end
  return leaves, owner
end

--- Says whose the values under that name are.
---@param name string
---@param owner string
function Registry:own_values(name, owner) return self:put_values(name, { { OWNER, owner } }, {}) end

--- Erases them, and whose they were.
---@param name string
---@return table|nil, string? message, string? error
function Registry:drop_values(name)
  local rows, message, kind = ask(self, "scripts.values", { name = name })
  if not rows then return nil, message, kind end
  local drop = json.array {}
  for i, row in ipairs(rows) do drop[i] = row.path end
  return ask(self, "scripts.put_values", { name = name, set = json.array {}, drop = drop })
end

--- Takes leaves away, then sets others, all or none of them.
---@param name string
---@param set {[1]: table, [2]: any}[]
---@param drop table[]
---@return table|nil, string? message, string? error
function Registry:put_values(name, set, drop)
  local params = { name = name, set = json.array {}, drop = json.array {} }
  for i, leaf in ipairs(set) do
    params.set[i] = { path = assert(json.encode(json.array(leaf[1]))), value = assert(json.encode(leaf[2])) }
  end
  for i, path in ipairs(drop) do params.drop[i] = assert(json.encode(json.array(path))) end
  return ask(self, "scripts.put_values", params)
end

return M
