-- SPDX-License-Identifier: GPL-3.0-or-later
-- What stands before the line that is being typed. A chat.lua may put a function of its own in chat.prompt's place.
local names = require "sotto.client.names"
local terminal = require "sotto.terminal"

local M = {}

-- of a discussion of many so many stand there by name
local NAMED_MAX = 3

--- Before further lines of a Lua chunk.
M.MORE = ">> "

local STATES = {
  requesting = "asked", requested = "asks you", opening = "opening", suspended = "away", closed = "ended",
  refused = "not opened",
}

--- The others by name; where there are many, the first of them and how many more.
---@param chat sotto.chat
---@param discussion sotto.discussion
---@return string
function M.place(chat, discussion)
  local few = { id = discussion.id, members = {} }
  local others = 0
  for _, member in ipairs(discussion.members) do
    if not member.you then
      others = others + 1
      if others <= NAMED_MAX then few.members[others] = member end
    end
  end
  local more = others > NAMED_MAX and (" +%d"):format(others - NAMED_MAX) or ""
  return chat:discussion_name(few) .. more
end

--- "alice@bob (away) [3 new]> "
---@param chat sotto.chat
---@return string
function M.standard(chat)
  local here, unread = chat.known.current, chat:unread_elsewhere()
  local place = here and M.place(chat, here) or "lua"
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
