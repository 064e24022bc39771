-- SPDX-License-Identifier: GPL-3.0-or-later
-- A person's chat in a window: build/sotto beside the core that the spec has started.
local command = require "support.command"
local sys = require "sotto.sys"
local system = require "support.system"
local window = require "support.window"

local M = {}

---@class support.chatter.options
---@field columns? integer
---@field rows? integer
---@field environment? table<string, string|false>
---@field file? string the text of chat.lua
---@field prompt? string what is waited for; standard: the person's name and an @

--- Opens the chat, and waits for its first prompt.
---@param person support.person
---@param options? support.chatter.options
---@return support.window
function M.open(person, options)
  options = options or {}
  local environment = command.environment()
  environment.NO_COLOR = "1"
  for name, value in pairs(options.environment or {}) do environment[name] = value end
  if options.file then M.write_file(person, options.file) end
  local opened = window.open {
    program = command.PROGRAM, directory = "/", environment = environment, columns = options.columns, rows = options.rows,
    "--home", person.home,
  }
  return opened:see(options.prompt or person.name .. "@")
end

--- Writes the person's chat.lua.
---@param person support.person
---@param text string
function M.write_file(person, text) system.write(person.home .. "/chat.lua", text) end

--- What the chat keeps of what was typed.
---@param person support.person
---@return string
function M.history(person) return sys.read_file(person.home .. "/state/history") or "" end

return M
