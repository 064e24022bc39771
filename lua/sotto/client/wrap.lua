-- SPDX-License-Identifier: GPL-3.0-or-later
-- Our own sentences on a screen that may be narrow: broken at spaces. What people write is never broken here: the
-- terminal does that, and a copied line stays one.
local terminal = require "sotto.terminal"

local M = {}

-- narrower than that nothing is gained
local LEAST = 20

local function wrap_line(line, columns, indent)
  if terminal.width(line) <= columns then return line end
  local lines, current, width = {}, "", 0
  for gap, word in line:gmatch("( *)([^ ]+)") do
    local wanted = width + #gap + terminal.width(word)
    if current:find("%S") and wanted > columns then
      lines[#lines + 1] = current
      gap, wanted = indent, #indent + terminal.width(word)
      current = ""
    end
    current, width = current .. gap .. word, wanted
  end
  lines[#lines + 1] = current
  return table.concat(lines, "\n")
end

---@param text string harmless already; may have several lines
---@param columns integer
---@param indent? integer of what does not fit; standard: as the line itself
---@return string
function M.wrap(text, columns, indent)
  columns = math.max(columns, LEAST)
  return (text:gsub("[^\n]+", function(line)
    return wrap_line(line, columns, indent and (" "):rep(math.min(indent, columns // 2)) or line:match("^ *"))
  end))
end

return M
