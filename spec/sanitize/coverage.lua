-- SPDX-License-Identifier: GPL-3.0-or-later
-- What gcovr found, a folder a line, and the files of which less than 80 % of the lines were reached.
-- Usage: lua5.4 spec/sanitize/coverage.lua SUMMARY.json
local json = require "sotto.json"

local ENOUGH = 0.8

local file = assert(io.open(arg[1], "rb"))
local summary = assert(json.decode(file:read "a"))
file:close()

local folders, names = {}, {}

local function add(name, covered, lines)
  local folder = folders[name]
  if not folder then
    folder = { covered = 0, lines = 0 }
    folders[name] = folder
    names[#names + 1] = name
  end
  folder.covered, folder.lines = folder.covered + covered, folder.lines + lines
end

local function say(name, covered, lines)
  print(("%-44s %6d of %6d lines  %5.1f %%"):format(name, covered, lines, lines > 0 and 100 * covered / lines or 100))
end

local low = {}
for _, one in ipairs(summary.files) do
  local covered, lines = math.tointeger(one.line_covered), math.tointeger(one.line_total)
  add(one.filename:match "^(.*)/", covered, lines)
  if lines > 0 and covered / lines < ENOUGH then low[#low + 1] = { one.filename, covered, lines } end
end
table.sort(names)
for _, name in ipairs(names) do say(name, folders[name].covered, folders[name].lines) end
table.sort(low, function(a, b) return a[2] / a[3] < b[2] / b[3] end)
if #low > 0 then print(("below %d %%:"):format(ENOUGH * 100)) end
for _, one in ipairs(low) do say("  " .. one[1], one[2], one[3]) end
say("all", math.tointeger(summary.line_covered), math.tointeger(summary.line_total))
