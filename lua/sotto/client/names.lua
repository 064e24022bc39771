-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a person calls things: peers, members, discussions, times; everything from others made harmless first.
local terminal = require "sotto.terminal"

local M = {}

---@param text string|nil
---@return string
function M.safe(text) return terminal.escape(text or "") end

--- What names are compared by: what looks alike is the same.
---@param name string|nil
---@return string
function M.fold(name) return terminal.fold(name or "") or name or "" end

-- what the chat itself writes in a name's place
local OURS = { you = true, sotto = true }

--- A person by name. Digits of the fingerprint where the name is empty to the eye, and beside it where it is one of
--- ours, or somebody else's too. Whoever is verified keeps the name against those who are not.
---@param person {name: string|nil, fingerprint: string, verified: boolean|nil}
---@param others? table<string, {name: string, verified: boolean}> by fingerprint
---@return string
function M.person(person, others)
  local digits, folded = person.fingerprint:sub(1, 8), M.fold(person.name)
  if not folded:find("%S") then return digits end
  local shared = OURS[folded:match("^%s*(.-)%s*$")]
  for fingerprint, other in pairs(others or {}) do
    local rival = fingerprint ~= person.fingerprint and (other.verified or not person.verified)
    shared = shared or (rival and M.fold(other.name) == folded)
  end
  local name = M.safe(person.name)
  return shared and ("%s (%s)"):format(name, digits) or name
end

--- The other members, joined.
---@param discussion sotto.discussion
---@param others? table<string, {name: string}> as for person
---@return string
function M.discussion(discussion, others)
  local list = {}
  for _, member in ipairs(discussion.members) do
    if not member.you then list[#list + 1] = M.person(member, others) end
  end
  if #list == 0 then return discussion.id:sub(1, 8) end
  return table.concat(list, ", ")
end

--- A member, "you" for the own one.
---@param discussion sotto.discussion
---@param fingerprint string
---@param others? table<string, {name: string}> as for person
---@return string
function M.sender(discussion, fingerprint, others)
  for _, member in ipairs(discussion.members) do
    if member.fingerprint == fingerprint then return member.you and "you" or M.person(member, others) end
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
