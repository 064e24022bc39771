-- SPDX-License-Identifier: GPL-3.0-or-later
-- Paths that several checks look at.
local sys = require "sotto.sys"

local M = {}

--- The path, or the nearest directory above it that is there: where it would be made.
---@param path string
---@return string
function M.nearest(path)
  while path ~= "/" and not sys.exists(path) do path = path:match "^(.+)/[^/]*$" or "/" end
  return path
end

---@param paths sotto.paths
---@return string
function M.store(paths) return paths.data .. "/sotto.db" end

return M
