-- SPDX-License-Identifier: GPL-3.0-or-later
-- A page of the documents with transcripts, read so that a spec can type what was typed, and look for what was to be
-- seen. A block ```text NAME is that person's window; one without a name is not run.
--
-- What differs from time to time is no difference: numbers, hex digits, words that were drawn, where lines are broken.
local M = {}

-- lines are broken where the next word would pass this column
local COLUMNS = 80

---@class support.page.step
---@field who string
---@field line integer of the page
---@field items string[] Lua patterns for what is to be seen, in any order, with blanks for white space
---@field type string|nil what is typed then, and the Enter key
---@field ask string|nil instead: a question, whose answer the spec knows
---@field prompt string|nil at the end: what the line with the cursor is

-- --- what differs ------------------------------------------------------------------------------------------

local HEX = "%x%x%x%x%x%x%x%x"

-- in this order: what is found in the page, and the pattern that stands for it
local VARIABLE = {
  { ("%x%x%x%x "):rep(9) .. "%x%x%x%x", ("%x%x%x%x "):rep(9) .. "%x%x%x%x" },
  { HEX:rep(5), HEX:rep(5) },
  { HEX:rep(2), HEX:rep(2) },
  { "%f[%x]" .. HEX .. "%f[%X]", HEX },
  { "%f[%w]%d+%f[%W]", "%d+" },
  { "both sides: .*", "both sides: %l+" .. (" %l+"):rep(11) },
  { "^" .. ("%l+ "):rep(11) .. "%l+$", ("%l+ "):rep(11) .. "%l+" },
  { 'begin with "%l+ %l+ %l+"', 'begin with "%l+ %l+ %l+"' },
  { "let us say: %l+ %l+", "let us say: %l+ %l+" },
  { "in writing: %l+ %l+ %l+ %l+", "in writing: %l+ %l+ %l+ %l+" },
}

local function escape(text) return (text:gsub("%p", "%%%0")) end

--- The pattern for an item of the page, in which white space is one blank.
---@param text string
---@return string
function M.pattern(text)
  local held = {}
  for _, variable in ipairs(VARIABLE) do
    text = text:gsub(variable[1], function(found)
      if found:find("[\1\2]") then return nil end
      held[#held + 1] = variable[2]
      return ("\1%s\2"):format(("x"):rep(#held))
    end)
  end
  return (escape(text):gsub("\1(x+)\2", function(number) return held[#number] end))
end

--- A screen's text as patterns are looked for in it.
---@param text string
---@return string
function M.collapse(text) return (text:gsub("%s+", " ")) end

-- --- reading -----------------------------------------------------------------------------------------------

local function width(text) return utf8.len(text) end

-- whether the line goes on where the one before was broken
local function goes_on(before, line)
  if line:find("^ %s+ ") and line:find("^" .. (" "):rep(8)) then return true end
  local word = line:match("^%S+")
  return word ~= nil and width(before) + 1 + width(word) > COLUMNS
end

-- A message that was typed stands there in place of the line; one that was said before is only shown once more.
local function said(line, before)
  local text = line:match("^%d%d:%d%d you: (.-)  ✓✓$") or line:match("^%d%d:%d%d you: (.-)  …$")
  if not text or before[text] then return nil end
  before[text] = true
  return text
end

-- what is typed in that line, if anything: { type = }, { ask = } or { prompt = }
local function typed(line, before)
  local text = line:match("^%$ (.+)$") or said(line, before)
  if text then return { type = text } end
  local prompt, rest = line:match("^(%S+@[^>]*>) ?(.*)$")
  if prompt then return rest == "" and { prompt = prompt } or { type = rest } end
  if line == "$" then return { prompt = "$" } end
  local question, answer = line:match("^(Your name, as others will see it) %[.-%]: (.+)$")
  if question then return { type = answer, question = question } end
  question = line:match("^Passphrase .*:$") or line:match("^Password agreed with .*:$")
  if question then return { ask = question } end
end

-- the steps of one block
local function read_block(who, lines, first, steps, before)
  local step
  local function begin(line)
    step = { who = who, line = line, items = {}, texts = {} }
  end
  local function finish(how)
    for _, text in ipairs(step.texts) do step.items[#step.items + 1] = M.pattern(M.collapse(text)) end
    step.texts = nil
    for key, value in pairs(how) do step[key] = value end
    steps[#steps + 1] = step
  end
  begin(first)
  for i, line in ipairs(lines) do
    local how = typed(line, before)
    if how then
      finish(how)
      begin(first + i)
      -- a message takes the place of what was typed
      if line:find("you: ", 1, true) then step.texts[1] = line end
    elseif #step.texts > 0 and goes_on(lines[i - 1], line) then
      step.texts[#step.texts] = step.texts[#step.texts] .. " " .. line
    elseif line:find("%S") then
      step.texts[#step.texts + 1] = line
    end
  end
  if #step.texts > 0 then finish {} end
end

--- The steps of a page, in their order.
---@param text string
---@return support.page.step[]
function M.read(text)
  local steps, said_by, block, who, first, number = {}, {}, nil, nil, nil, 0
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    if block and line == "```" then
      if who then
        said_by[who] = said_by[who] or {}
        read_block(who, block, first, steps, said_by[who])
      end
      block = nil
    elseif block then
      block[#block + 1] = line
    elseif line:find("^```") then
      block, who, first = {}, line:match("^```text (%S+)$"), number + 1
    end
  end
  assert(not block, "a block of the page has no end")
  return steps
end

return M
