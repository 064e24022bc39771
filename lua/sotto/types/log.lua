-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.log

--- The process's log, on standard error until opened. Nothing about a user's message or password belongs here.
---@class sotto.log
local log = {}

---@alias sotto.log.level "error"|"warn"|"info"|"debug"

---@param path string|nil nil: standard error
---@param level? sotto.log.level standard: info
---@return boolean|nil ok, string? message, string? name
function log.open(path, level) end

---@param level sotto.log.level
function log.set_level(level) end

--- One line: a text, or a format with values as for string.format.
---@param text string
---@param ... any
function log.error(text, ...) end
---@param text string
---@param ... any
function log.warn(text, ...) end
---@param text string
---@param ... any
function log.info(text, ...) end
---@param text string
---@param ... any
function log.debug(text, ...) end

return log
