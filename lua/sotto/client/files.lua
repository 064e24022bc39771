-- SPDX-License-Identifier: GPL-3.0-or-later
-- Paths as a person types them in the chat, for the core, which has another current directory.
local paths = require "sotto.core.paths"
local sys = require "sotto.sys"

local M = {}

--- "~/notes" and "notes" as absolute paths; raises what is wrong, for people.
---@param text string
---@return string
function M.absolute(text)
  local user = text:sub(1, 2) == "~/" and sys.user()
  if user then return user.home .. text:sub(2) end
  local path, message = paths.absolute(text)
  if not path then error(message, 0) end
  return path
end

return M
