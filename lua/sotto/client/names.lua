-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a person calls things: peers, members, discussions; everything from others made harmless first.
local terminal = require "sotto.terminal"

local M = {}

---@param text string|nil
---@return string
function M.safe(text) return terminal.escape(text or "") end

--- A person by name, or by the beginning of the fingerprint where the name is empty.
---@param person {name: string, fingerprint: string}
---@return string
function M.person(person)
  if person.name and person.name ~= "" then return M.safe(person.name) end
  return person.fingerprint:sub(1, 8)
end

--- The other members, joined.
---@param discussion table
---@return string
function M.discussion(discussion)
  local others = {}
  for _, member in ipairs(discussion.members) do
    if not member.you then others[#others + 1] = M.person(member) end
  end
  return table.concat(others, ", ")
end

---@param discussion table
---@param fingerprint string
---@return string
function M.sender(discussion, fingerprint)
  for _, member in ipairs(discussion.members) do
    if member.fingerprint == fingerprint then return M.person(member) end
  end
  return fingerprint:sub(1, 8)
end

--- Fingerprints are read aloud in groups of four.
---@param fingerprint string
---@return string
function M.grouped(fingerprint) return (fingerprint:gsub("....", "%0 "):gsub(" $", "")) end

---@param ms integer milliseconds since 1970
---@return string
function M.clock(ms) return os.date("%H:%M", ms // 1000) end

return M
