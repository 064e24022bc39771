-- SPDX-License-Identifier: GPL-3.0-or-later
-- Which script a person means: a path, or the name of one that comes with sotto.
local configured = require "sotto.core.scripts.configured"
local sys = require "sotto.sys"

local M = {}

--- The path, or that of the bundled plugin of that name where nothing of it is here.
---@param path string absolute
---@return string
function M.resolve(path)
  local name = path:match("^" .. ((sys.cwd() or ""):gsub("%p", "%%%0")) .. "/([^/]+)$")
  local folder = name and not sys.exists(path) and configured.bundled()
  return folder and configured.find(name, { folder }) or path
end

return M
