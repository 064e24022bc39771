-- SPDX-License-Identifier: GPL-3.0-or-later
-- Bytes as the protocol's text writes them.
local sys = require "sotto.sys"

local M = {}

--- lv_cat: each part behind its length in LEB128.
---@param ... string
---@return string
function M.lv(...)
  local out = {}
  for n, part in ipairs { ... } do
    local length, head = #part, ""
    repeat
      local low = length & 127
      length = length >> 7
      head = head .. string.char(length > 0 and low | 128 or low)
    until length == 0
    out[n] = head .. part
  end
  return table.concat(out)
end

--- The bytes that hexadecimal digits stand for.
---@param text string
---@return string
function M.from_hex(text)
  return (text:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end))
end

---@param n integer
---@return string n random bytes
function M.random(n) return M.from_hex(sys.random_hex(n)) end

--- One bit of it is another.
---@param bytes string
---@param at integer place of the byte, from 1; negative: from the end
---@return string
function M.changed(bytes, at)
  if at < 0 then at = #bytes + 1 + at end
  return bytes:sub(1, at - 1) .. string.char(bytes:byte(at) ~ 1) .. bytes:sub(at + 1)
end

return M
