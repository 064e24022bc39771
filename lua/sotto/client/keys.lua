-- SPDX-License-Identifier: GPL-3.0-or-later
-- Names of keys, and what terminals send for them.
local M = {}

-- ESC [ … ~ or a letter, and with a modifier: ESC [ 1 ; m letter
local LETTERS = { Up = "A", Down = "B", Right = "C", Left = "D", Home = "H", End = "F" }
local NUMBERS = {
  Insert = 2, Delete = 3, PageUp = 5, PageDown = 6, F5 = 15, F6 = 17, F7 = 18, F8 = 19, F9 = 20, F10 = 21, F11 = 23,
  F12 = 24,
}
local FIRST = { F1 = "P", F2 = "Q", F3 = "R", F4 = "S" }
local MODIFIERS = { [""] = 1, Shift = 2, Alt = 3, ["Alt-Shift"] = 4, Ctrl = 5, ["Ctrl-Shift"] = 6, ["Alt-Ctrl"] = 7 }
local PLAIN = { Enter = "\r", Tab = "\t", Space = " ", Backspace = "\127" }

local function named(key, modifier)
  local m = MODIFIERS[modifier]
  if not m then return nil end
  if LETTERS[key] then
    if m > 1 then return { ("\27[1;%d%s"):format(m, LETTERS[key]) } end
    return { "\27[" .. LETTERS[key], "\27O" .. LETTERS[key] }
  elseif NUMBERS[key] then
    return { m > 1 and ("\27[%d;%d~"):format(NUMBERS[key], m) or ("\27[%d~"):format(NUMBERS[key]) }
  elseif FIRST[key] then
    if m > 1 then return { ("\27[1;%d%s"):format(m, FIRST[key]) } end
    return { "\27O" .. FIRST[key], ("\27[%d~"):format(10 + FIRST[key]:byte() - 79) }
  end
end

local function control(character)
  local byte = character:upper():byte()
  if #character == 1 and byte >= 64 and byte <= 95 then return string.char(byte - 64) end
end

-- keys whose meaning nobody may take away
local FIXED = {
  ["\r"] = true, ["\n"] = true, ["\t"] = true, ["\3"] = true, ["\4"] = true, ["\26"] = true, ["\27"] = true,
  ["\27["] = true, ["\27O"] = true, -- how the sequences of other keys begin
}

--- The sequences that a key sends; some terminals send one, some another.
---@param name string "Alt-a", "Ctrl-g", "F5", "Alt-Enter", "Alt-Left", "Ctrl-Alt-x"
---@return string[]|nil sequences, string? message
function M.sequences(name)
  local held, rest = {}, name
  while true do
    local modifier, more = rest:match("^(%a+)%-(.+)$")
    if modifier ~= "Alt" and modifier ~= "Ctrl" and modifier ~= "Shift" then break end
    held[modifier], rest = true, more
  end
  local list = {}
  for _, modifier in ipairs { "Alt", "Ctrl", "Shift" } do
    if held[modifier] then list[#list + 1] = modifier end
  end
  local found = named(rest, table.concat(list, "-"))
  if not found and not held.Shift then
    local text = PLAIN[rest] or (utf8.len(rest) == 1 and rest) or nil
    if text and held.Ctrl then text = control(text) end
    if text and (held.Alt or held.Ctrl) then found = { (held.Alt and "\27" or "") .. text } end
  end
  if not found then return nil, ("there is no key '%s'; Alt-a, Ctrl-g, F5, Alt-Enter are some"):format(name) end
  if FIXED[found[1]] then return nil, ("the key '%s' has a meaning that stays"):format(name) end
  return found
end

return M
