-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a person calls things: peers, members, discussions, times; everything from others made harmless first.
local terminal = require "sotto.terminal"

local M = {}

---@param text string|nil
---@return string
function M.safe(text) return terminal.escape(text or "") end

--- A person by name, or by the beginning of the fingerprint where the name is empty.
---@param person {name: string|nil, fingerprint: string}
---@return string
function M.person(person)
  if person.name and person.name:find("%S") then return M.safe(person.name) end
  return person.fingerprint:sub(1, 8)
end

--- The other members, joined.
---@param discussion sotto.discussion
---@return string
function M.discussion(discussion)
  local others = {}
  for _, member in ipairs(discussion.members) do
    if not member.you then others[#others + 1] = M.person(member) end
  end
  if #others == 0 then return discussion.id:sub(1, 8) end
  return table.concat(others, ", ")
end

--- A member, "you" for the own one.
---@param discussion sotto.discussion
---@param fingerprint string
---@return string
function M.sender(discussion, fingerprint)
  for _, member in ipairs(discussion.members) do
    if member.fingerprint == fingerprint then return member.you and "you" or M.person(member) end
  end
  return fingerprint:sub(1, 8)
end

---@param discussion sotto.discussion
---@return boolean
function M.has_ended(discussion) return discussion.state == "closed" or discussion.state == "refused" end

--- Fingerprints are read aloud in groups of four.
---@param fingerprint string
---@return string
function M.grouped(fingerprint) return (fingerprint:gsub("....", "%0 "):gsub(" $", "")) end

--- The clock for a time of today, else with the date.
---@param ms integer milliseconds since 1970
---@param now? integer seconds since 1970, standard: now
---@return string
function M.time(ms, now)
  local seconds = ms // 1000
  if os.date("%Y-%m-%d", seconds) == os.date("%Y-%m-%d", now) then return os.date("%H:%M", seconds) --[[@as string]] end
  return os.date("%Y-%m-%d %H:%M", seconds) --[[@as string]]
end

return M
