-- SPDX-License-Identifier: GPL-3.0-or-later
-- chat.lua: a person's own Lua for the chat, run with all of Lua in reach. It is no part of the core, which never
-- sees it.
local guard = require "sotto.client.guard"
local shape = require "sotto.client.shape"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"

local M = {}

M.FILE_MAX = 4 << 20

-- errors name this
local NAME = "chat.lua"

local function run(chat, text, fresh)
  local chunk, problem = load(text, "=" .. NAME, "t", fresh.environment)
  if not chunk then return problem end
  local before = chat.shape
  chat.shape = fresh -- what the file registers goes there
  local ok, message = guard.call(terminal, chunk)
  chat.shape = before
  return not ok and message or fresh:problem()
end

--- Runs the file over a fresh shape, which the chat then has. Where that fails everything stays as it was. From
--- inside a coroutine.
---@param chat sotto.chat
---@return boolean|nil done false: there is no file, and the chat is as it is shipped, string? message with the line
function M.load(chat)
  local path = chat.place.chat
  local text, message, name = sys.read_file(path, M.FILE_MAX)
  if not text and name ~= "not_found" then return nil, ("%s could not be read: %s"):format(path, message) end
  local fresh = shape.new(chat)
  local problem = text and run(chat, text, fresh)
  if problem then
    fresh:stop()
    return nil, problem
  end
  chat:wear(fresh)
  return text ~= nil
end

return M
