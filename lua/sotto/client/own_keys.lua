-- SPDX-License-Identifier: GPL-3.0-or-later
-- The keys of a user's own GnuPG, as a person chooses one. Pure.
local names = require "sotto.client.names"

local M = {}

-- digits of a fingerprint that are enough to name a key
local DIGITS_LEAST = 8

local function as_digits(text)
  local digits = text:gsub("%s", ""):gsub("^0[xX]", ""):upper()
  return digits:find("^%x+$") and #digits >= DIGITS_LEAST and digits or nil
end

local function fits(key, text, digits)
  local fingerprint = key.fingerprint
  if digits and (fingerprint:sub(1, #digits) == digits or fingerprint:sub(-#digits) == digits) then return true end
  return names.fold(key.user_id):find(names.fold(text), 1, true) ~= nil
end

--- The key that is meant: by its number in the list, by digits of its fingerprint, or by something in its user id. Of
--- several that it could be, the one that can be adopted.
---@param keys sotto.candidate[]
---@param text string
---@return sotto.candidate|nil key, string? message
function M.find(keys, text)
  local number = math.tointeger(tonumber(text))
  if number and keys[number] then return keys[number] end
  local digits, found, usable = as_digits(text), {}, {}
  for _, key in ipairs(keys) do
    if fits(key, text, digits) then
      found[#found + 1] = key
      if key.usable then usable[#usable + 1] = key end
    end
  end
  if #usable == 1 then return usable[1] end
  if #usable > 1 then return nil, ("%d keys have '%s': take the number"):format(#usable, names.safe(text)) end
  if found[1] then return found[1] end
  return nil, ("no key of your GnuPG has '%s'"):format(names.safe(text))
end

local function notes(key)
  local list = {}
  if key.card then list[#list + 1] = "smart card" end
  if key.usable and key.expires then list[#list + 1] = "until " .. os.date("%Y-%m-%d", key.expires // 1000) end
  if not key.usable then list[#list + 1] = "not to be adopted: " .. names.safe(key.reason) end
  return table.concat(list, ", ")
end

--- Two lines or three each: number and user id, fingerprint and kind, what else there is to say.
---@param keys sotto.candidate[]
---@return string[]
function M.lines(keys)
  local lines = {}
  for i, key in ipairs(keys) do
    lines[#lines + 1] = ("%3d  %s"):format(i, names.safe(key.user_id))
    lines[#lines + 1] = ("     %s  %s"):format(names.grouped(key.fingerprint), names.safe(key.algorithm))
    local more = notes(key)
    if more ~= "" then lines[#lines + 1] = "     " .. more end
  end
  return lines
end

--- What Tab offers: mail addresses, or else digits, of those that can be adopted.
---@param keys sotto.candidate[]
---@return string[]
function M.words(keys)
  local words = {}
  for _, key in ipairs(keys) do
    local mail = key.user_id:match("<([^<>%s]+)>")
    if key.usable then words[#words + 1] = mail and names.safe(mail) == mail and mail or key.fingerprint:sub(-16) end
  end
  return words
end

return M
