-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whose data is whose: what a script has stored stays when it is unloaded, and belongs to the file or folder that it
-- was. Another that only calls itself the same does not get to it unless the user says so.
local configured = require "sotto.core.scripts.configured"

local M = {}

-- those that come with sotto are the same wherever sotto is
local function owner_of(path)
  local bundled = configured.bundled()
  if bundled and path:sub(1, #bundled + 1) == bundled .. "/" then return "sotto:" .. path:sub(#bundled + 2) end
  return path
end

local REFUSED = "the data stored as '%s' is that of %s: load it with `inherit` to take that over, or erase it first "
  .. "(sotto scripts erase %s)"

--- What a script finds in its store when it declares itself.
---@param registry sotto.registry
---@param name string as it has declared itself
---@param script sotto.scripts.entry
---@param inherit boolean the user lets it have what another has left
---@return table[]|nil leaves, string? message, string? error
function M.open(registry, name, script, inherit)
  local leaves, left_by, kind = registry:values(name)
  if not leaves then return nil, left_by, kind end
  local owner = owner_of(script.path)
  if left_by == owner then return leaves end
  -- what was stored before owners were noted belongs to whom is loaded under that name
  local free = not left_by and (#leaves == 0 or script.name == name)
  if not free and not inherit then
    return nil, REFUSED:format(name, left_by or "a script that is gone", name), "refused"
  end
  local ok, message, problem = registry:own_values(name, owner)
  if not ok then return nil, message, problem end
  return leaves
end

return M
