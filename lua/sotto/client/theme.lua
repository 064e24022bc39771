-- SPDX-License-Identifier: GPL-3.0-or-later
-- Colours: what each part of the screen looks like, in words ("bold cyan") that chat.lua can change. Without colours
-- every part is plain text.
local M = {}

---@class sotto.chat.theme
---@field colour boolean|nil nil: as the terminal and NO_COLOR say
---@field people string[] one of these for each person, always the same for the same key
---@field [string] string the style of a part

M.standard = {
  time = "dim",            -- of a message
  own = "bold",            -- "you"
  text = "",               -- what others say
  own_text = "",           -- what you say
  mark = "dim",            -- ✓✓
  waiting = "yellow",      -- … while it is only on your disk
  failed = "bold red",
  elsewhere = "dim",       -- [bob] before what is said in another discussion
  heading = "bold",        -- — bob —
  new = "yellow",          -- the line between what you know and what is new
  note = "",               -- the chat's own sentences
  aside = "dim",           -- those in parentheses
  problem = "bold red",    -- those that begin with "!"
  prompt = "bold",
  unread = "yellow",       -- [3 new] in the prompt and in lists
  people = { "cyan", "green", "magenta", "bright blue", "bright cyan", "bright green", "bright magenta" },
}

local ATTRIBUTES = { bold = 1, dim = 2, italic = 3, underline = 4, reverse = 7 }
local COLOURS = { black = 0, red = 1, green = 2, yellow = 3, blue = 4, magenta = 5, cyan = 6, white = 7 }

--- The numbers that a terminal knows the style by; "" for plain.
---@param style string words: bold dim italic underline reverse; [bright] black … white; a number from 0 to 255
---@return string|nil numbers, string? message
function M.numbers(style)
  local numbers, bright = {}, false
  for word in style:gmatch("%S+") do
    local number = math.tointeger(tonumber(word))
    if ATTRIBUTES[word] then
      numbers[#numbers + 1] = ATTRIBUTES[word]
    elseif COLOURS[word] then
      numbers[#numbers + 1] = (bright and 90 or 30) + COLOURS[word]
      bright = false
    elseif number and number >= 0 and number <= 255 then
      numbers[#numbers + 1] = "38;5;" .. number
    elseif word == "bright" then
      bright = true
    else
      return nil, ("there is no colour '%s'"):format(word)
    end
  end
  return table.concat(numbers, ";")
end

--- What is wrong with a theme; nil: nothing.
---@param theme sotto.chat.theme
---@return string|nil
function M.problem(theme)
  for part, style in pairs(theme) do
    if part == "people" then
      if type(style) ~= "table" or #style == 0 then return "theme.people must be a list of colours" end
      for _, one in ipairs(style) do
        local numbers, message = M.numbers(tostring(one))
        if not numbers then return "theme.people: " .. message end
      end
    elseif part ~= "colour" then
      if M.standard[part] == nil then return ("theme.%s: there is no such part"):format(tostring(part)) end
      if type(style) ~= "string" then return ("theme.%s must be a string"):format(part) end
      local numbers, message = M.numbers(style)
      if not numbers then return ("theme.%s: %s"):format(part, message) end
    end
  end
end

--- Whether the terminal is to have colours where the person has not said so.
---@param environment fun(name: string): string|nil
---@return boolean
function M.is_wanted(environment)
  local none, terminal = environment("NO_COLOR"), environment("TERM")
  return (none == nil or none == "") and terminal ~= nil and terminal ~= "" and terminal ~= "dumb"
end

--- A theme that a person can change, over the standard.
---@return sotto.chat.theme
function M.new() return setmetatable({}, { __index = M.standard }) end

--- The style of a person's name.
---@param theme sotto.chat.theme
---@param fingerprint string
---@return string style
function M.person(theme, fingerprint)
  local people = theme.people
  return people[(tonumber(fingerprint:sub(-6), 16) or 0) % #people + 1]
end

--- Text in a style, each line for itself.
---@param style string
---@param text string
---@return string
function M.styled(style, text)
  local numbers = M.numbers(style) or ""
  if numbers == "" then return text end
  return (text:gsub("[^\n]+", "\27[" .. numbers .. "m%0\27[0m"))
end

--- What paints: a part of the theme or a style, and the text.
---@param theme sotto.chat.theme
---@param wanted boolean as is_wanted
---@return fun(part: string, text: string): string
function M.painter(theme, wanted)
  return function(part, text)
    local on = theme.colour
    if on == nil then on = wanted end
    if not on then return text end
    local style = theme[part]
    return M.styled(type(style) == "string" and style or part, text)
  end
end

--- Paints nothing: for scripts, and for what is not a terminal.
function M.plain(_, text) return text end

return M
