-- SPDX-License-Identifier: GPL-3.0-or-later
-- What stands before the line that is being typed. A chat.lua may put a function of its own in chat.prompt's place.
local names = require "sotto.client.names"
local terminal = require "sotto.terminal"

local M = {}

--- Before further lines of a Lua chunk.
M.MORE = ">> "

local STATES = {
  requesting = "asked", requested = "asks you", opening = "opening", suspended = "away", closed = "ended",
  refused = "not opened",
}

--- "alice@bob (away) [3 new]> "
---@param chat sotto.chat
---@return string
function M.standard(chat)
  local here, unread = chat.known.current, chat:unread_elsewhere()
  local place = here and chat:discussion_name(here) or "lua"
  local text = ("%s@%s"):format(names.safe(chat.name), place)
  local state = here and here.state ~= "open" and (STATES[here.state] or names.safe(here.state))
  if state then text = ("%s (%s)"):format(text, state) end
  local new = unread > 0 and " " .. chat.paint("unread", ("[%d new]"):format(unread)) or ""
  return chat.paint("prompt", text) .. new .. "> "
end

--- As readline wants it: one line, and marks around what takes no columns.
---@param text string
---@return string
function M.for_readline(text)
  return (terminal.clean(text):gsub("\n", " "):gsub("\27%[[%d;]*m", "\1%0\2"))
end

return M
