-- SPDX-License-Identifier: GPL-3.0-or-later
-- Bytes in JSON, which carries Unicode only: what is no UTF-8, or has a NUL in it, goes with each byte as the character
-- of that number, and NUL as U+0100. Pure.
local M = {}

local TO, FROM = {}, {}
for byte = 0, 255 do
  local character = utf8.char(byte == 0 and 0x100 or byte)
  TO[string.char(byte)], FROM[character] = character, string.char(byte)
end

--- A text for JSON, and whether it was written so.
---@param text string
---@return string, boolean|nil octets
function M.pack(text)
  if utf8.len(text) and not text:find("\0", 1, true) then return text, nil end
  return (text:gsub("[%z\x80-\xff]", TO)), true
end

---@param text string
---@param octets boolean|nil
---@return string
function M.unpack(text, octets)
  if not octets then return text end
  return (text:gsub("[\xc2-\xc4][\x80-\xbf]", FROM))
end

return M
