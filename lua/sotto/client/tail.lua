-- SPDX-License-Identifier: GPL-3.0-or-later
-- What stands last on the screen, above the line that is being typed: so much of it as may still be there to be put
-- anew. Pure: the rows of a text, and whether something else has written, are the owner's to tell.
local M = {}

local BLOCKS_MAX = 200

---@class sotto.chat.tail
---@field rows fun(text: string): integer|nil nil: not certain
---@field moved fun(): any changes whenever something else has written
local Tail = {}
Tail.__index = Tail

---@param rows fun(text: string): integer|nil
---@param moved fun(): any
---@return sotto.chat.tail
function M.new(rows, moved) return setmetatable({ rows = rows, moved = moved, blocks = {}, at = moved() }, Tail) end

function Tail:forget()
  self.blocks = {}
  self.at = self.moved()
end

local function has_moved(self) return self.moved() ~= self.at end

--- The text is on the screen now, below what was added before.
---@param text string
---@param key? string what it can be changed by
function Tail:add(text, key)
  if has_moved(self) then self:forget() end
  local blocks = self.blocks
  if #blocks >= BLOCKS_MAX then table.move(blocks, BLOCKS_MAX // 2, #blocks + BLOCKS_MAX // 2, 1) end
  blocks[#blocks + 1] = { text = text, key = key }
end

local function find(self, key)
  for i = #self.blocks, 1, -1 do
    if self.blocks[i].key == key then return i end
  end
end

---@param key string
---@return boolean
function Tail:has(key) return not has_moved(self) and find(self, key) ~= nil end

--- Gives another key to what has one.
function Tail:rename(key, new)
  local i = find(self, key)
  if i then self.blocks[i].key = new end
end

--- Another text in that one's place: how many rows up from the end to begin, and all that stands from there on. nil: it
--- is not to be found there any more, or nobody knows where.
---@param key string
---@param text string
---@return integer|nil up, string|nil text
function Tail:change(key, text)
  if has_moved(self) then self:forget() end
  local first = find(self, key)
  if not first then return nil end
  local up, texts = 0, {}
  for i = first, #self.blocks do
    local rows = self.rows(self.blocks[i].text)
    if not rows then return nil end
    up = up + rows
    texts[#texts + 1] = i == first and text or self.blocks[i].text
  end
  self.blocks[first].text = text
  return up, table.concat(texts, "\n")
end

return M
