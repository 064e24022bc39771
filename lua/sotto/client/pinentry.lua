-- SPDX-License-Identifier: GPL-3.0-or-later
-- Calls for which the pinentry of a user's own GnuPG may have to ask. One that writes into a terminal gets the chat's:
-- the chat lends it, is silent meanwhile, and takes it back with the answer.
local pause = require "sotto.client.pause"
local session = require "sotto.client.session"
local terminal = require "sotto.terminal"

local M = {}

-- a pinentry that is ended puts the screen right before it goes
local FAREWELL_MS = 300

--- Calls the method, with this terminal and display for the pinentry. Ctrl-C meanwhile takes the question back. From
--- inside a coroutine.
---@param chat sotto.chat
---@param method string
---@param params table
---@return any result, string? message, string? name
function M.call(chat, method, params)
  local ok, busy, why = terminal.lend()
  if not ok then return nil, busy, why end
  local _ <close> = setmetatable({}, { __close = function()
    chat.lent = nil
    terminal.take_back()
  end })
  chat.lent = function() chat.connection:request("identity.cancel", nil, function() end) end
  params.session = session.variables()
  local result, message, name = chat.connection:call(method, params)
  if name == "canceled" or name == "timeout" then pause(FAREWELL_MS) end
  if name == "canceled" and not chat.over then message = "given up" end
  return result, message, name
end

return M
