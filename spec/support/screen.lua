-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a terminal shows after it was fed some bytes: enough of an xterm for readline, and all that has scrolled away.
-- A sequence that it does not know is an error: whoever shows foreign text must not let one through.
local terminal = require "sotto.terminal"

local M = {}

---@class support.screen
---@field columns integer
---@field rows table[] each a list of cells; wrapped: the line goes on in the next row
---@field row integer of the cursor, from 1, in `rows`
---@field column integer of the cursor, from 1
---@field paste boolean bracketed paste is on
---@field bells integer
---@field loose boolean what it does not know is skipped: for programs that draw boxes, and of which only words are looked for
local Screen = {}
Screen.__index = Screen

---@param columns integer
---@return support.screen
function M.new(columns)
  return setmetatable({
    columns = columns, rows = { {} }, row = 1, column = 1, late = false, pending = "", paste = false, bells = 0,
  }, Screen)
end

local function down(self)
  self.row = self.row + 1
  self.rows[self.row] = self.rows[self.row] or {}
end

local function put(self, character)
  local width = terminal.width(character)
  local row = self.rows[self.row]
  if width == 0 then
    local at = self.late and self.column or math.max(1, self.column - 1)
    row[at] = (row[at] or " ") .. character
    return
  end
  if self.late or self.column + width - 1 > self.columns then
    row.wrapped = true
    down(self)
    self.column, self.late = 1, false
    row = self.rows[self.row]
  end
  for i = #row + 1, self.column - 1 do row[i] = " " end
  row[self.column] = character
  if width == 2 then row[self.column + 1] = "" end
  -- an xterm's cursor stays at the margin until the next character
  self.late = self.column + width > self.columns
  if not self.late then self.column = self.column + width end
end

local function erase_in_row(self, mode)
  local row = self.rows[self.row]
  local from = mode == 0 and self.column or 1
  local to = mode == 1 and self.column or #row
  if to >= #row then
    for i = #row, from, -1 do row[i] = nil end
    row.wrapped = nil
  else
    for i = from, to do row[i] = " " end
  end
end

local function erase_below(self)
  erase_in_row(self, 0)
  for i = #self.rows, self.row + 1, -1 do self.rows[i] = nil end
end

---@type table<string, fun(self: support.screen, n: integer|nil)>
local controls = {
  A = function(self, n) self.row = math.max(1, self.row - (n or 1)) end,
  B = function(self, n) for _ = 1, n or 1 do down(self) end end,
  C = function(self, n) self.column = math.min(self.columns, self.column + (n or 1)) end,
  D = function(self, n) self.column = math.max(1, self.column - (n or 1)) end,
  G = function(self, n) self.column = n or 1 end,
  K = function(self, n) erase_in_row(self, n or 0) end,
  J = function(self, n)
    assert((n or 0) == 0, "only to the end")
    erase_below(self)
  end,
  P = function(self, n)
    local row = self.rows[self.row]
    for _ = 1, n or 1 do if self.column <= #row then table.remove(row, self.column) end end
  end,
  ["@"] = function(self, n)
    local row = self.rows[self.row]
    for i = #row + 1, self.column - 1 do row[i] = " " end
    for _ = 1, n or 1 do table.insert(row, self.column, " ") end
  end,
  m = function() end,
}

-- the bytes that a sequence takes; nil where it is not whole yet
local function escape(self, text)
  if #text < 2 then return nil end
  local modes, letter = text:match("^\27%[%?([%d;]+)([hl])")
  if modes then
    if modes == "2004" then self.paste = letter == "h" end
    return #modes + 4
  end
  local number, final = text:match("^\27%[(%d*)([%a@])")
  if final and not (self.loose and (not controls[final] or final == "J")) then
    local control = controls[final] or error("an unknown sequence: " .. ("%q"):format(text:sub(1, 12)))
    control(self, tonumber(number))
    if final ~= "m" then self.late = false end
    return #number + 3
  end
  if text:match("^\27%[[%d;?]*$") then return nil end
  if self.loose then
    down(self)
    self.column, self.late = 1, false
    return #(text:match "^\27%[[%d;?]*%a" or text:match "^\27[()]." or text:sub(1, 2))
  end
  local colours = text:match("^\27%[[%d;]*m")
  if colours then return #colours end
  error("an unknown sequence: " .. ("%q"):format(text:sub(1, 12)))
end

---@type table<string, fun(self: support.screen)>
local plain = {
  ["\r"] = function(self) self.column, self.late = 1, false end,
  ["\n"] = function(self)
    down(self)
    self.late = false
  end,
  ["\b"] = function(self)
    self.column, self.late = math.max(1, self.column - (self.late and 0 or 1)), false
  end,
  ["\a"] = function(self) self.bells = self.bells + 1 end,
}

-- the length of the character at the beginning; nil where it is not whole yet
local function character_length(text)
  local byte = text:byte()
  local length = byte < 0x80 and 1 or byte < 0xe0 and 2 or byte < 0xf0 and 3 or 4
  if #text < length then return nil end
  assert(utf8.len(text:sub(1, length)) == 1, "no UTF-8 on the screen")
  return length
end

---@param bytes string
function Screen:feed(bytes)
  local text, at = self.pending .. bytes, 1
  while at <= #text do
    local first, rest = text:sub(at, at), text:sub(at, at + 31)
    local taken
    if first == "\27" then
      taken = escape(self, rest)
    elseif plain[first] then
      plain[first](self)
      taken = 1
    else
      assert(self.loose or not first:find("[%c]"), "an unknown control character: " .. ("%q"):format(first))
      taken = character_length(rest)
      if taken then put(self, rest:sub(1, taken)) end
    end
    if not taken then break end
    at = at + taken
  end
  self.pending = text:sub(at)
end

--- All lines from the top, those that were wrapped joined; without spaces at their ends.
---@return string[] lines, integer at the number of the one with the cursor
function Screen:lines()
  local lines, parts, at = {}, {}, nil
  for i, row in ipairs(self.rows) do
    parts[#parts + 1] = table.concat(row)
    if i == self.row then at = #lines + 1 end
    if not row.wrapped or i == #self.rows then
      lines[#lines + 1] = table.concat(parts):gsub(" +$", "")
      parts = {}
    end
  end
  return lines, at
end

---@return string
function Screen:text() return table.concat((self:lines()), "\n") end

--- The line with the cursor, with all of its rows.
---@return string
function Screen:cursor_line()
  local lines, at = self:lines()
  return lines[at]
end

--- Forgets what is above the line with the cursor.
function Screen:forget()
  local first = self.row
  while first > 1 and self.rows[first - 1].wrapped do first = first - 1 end
  table.move(self.rows, first, #self.rows, 1)
  for i = #self.rows, #self.rows - first + 2, -1 do self.rows[i] = nil end
  self.row = self.row - first + 1
end

---@param columns integer
function Screen:resize(columns) self.columns = columns end

return M
