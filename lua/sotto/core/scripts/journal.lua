-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a script has said, the newest lines of it. Pure.
local M = {}

M.LINES_MAX, M.BYTES_MAX = 500, 256 << 10

---@class sotto.journal
local Journal = {}
Journal.__index = Journal

---@return sotto.journal
function M.new() return setmetatable({ lines = {}, first = 1, last = 0, bytes = 0 }, Journal) end

---@param time integer milliseconds since 1970
---@param level string
---@param text string
function Journal:add(time, level, text)
  self.last = self.last + 1
  self.lines[self.last] = { time = time, level = level, text = text }
  self.bytes = self.bytes + #text
  while self.last - self.first >= M.LINES_MAX or (self.bytes > M.BYTES_MAX and self.first < self.last) do
    self.bytes = self.bytes - #self.lines[self.first].text
    self.lines[self.first] = nil
    self.first = self.first + 1
  end
end

--- Oldest first.
---@return {time: integer, level: string, text: string}[]
function Journal:list() return table.move(self.lines, self.first, self.last, 1, {}) end

return M
