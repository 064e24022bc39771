-- SPDX-License-Identifier: GPL-3.0-or-later
-- dice: !roll 2d6+1, !coin, !pick tea | coffee | water. Whoever runs it could load the dice: it is a game, no lottery.
local sotto = require "sotto"

local DICE_MAX, SIDES_MAX, SHOWN_MAX = 100, 1000000, 20

local bot = sotto.bot {
  name = "dice", version = "1.0", api = 1, help = "rolls dice", needs = { "messages" },
}

-- "2d6+1" as count, sides and what is added
local function parse(text)
  local count, sides, rest = text:lower():match("^(%d*)d(%d+)(.*)$")
  local added = rest == "" and 0 or rest and rest:match("^[+-]%d+$") and tonumber(rest)
  count, sides = tonumber(count == "" and 1 or count), tonumber(sides)
  if not added or count < 1 or count > DICE_MAX or sides < 2 or sides > SIDES_MAX or math.abs(added) > SIDES_MAX then
    return nil
  end
  return count, sides, added
end

bot:command("roll", { args = "[dice]", help = "rolls dice: 2d6, d20, 3d8+2; without a word one of six" },
  function(ctx, dice)
    local count, sides, added = parse(dice or "d6")
    if not count then return ("%s are no dice: 2d6, d20, 3d8+2"):format(dice) end
    local sum, rolled = added, {}
    for i = 1, count do
      rolled[i] = math.random(math.tointeger(sides))
      sum = sum + rolled[i]
    end
    local shown = count > 1 and count <= SHOWN_MAX and (" (%s)"):format(table.concat(rolled, " ")) or ""
    return ("%s rolls %s: %d%s"):format(ctx.name, dice or "d6", sum, shown)
  end)

bot:command("coin", { help = "heads or tails" }, function(ctx)
  return ("%s: %s"):format(ctx.name, math.random(2) == 1 and "heads" or "tails")
end)

bot:command("pick", { args = "<choices:text>", help = "one of several: tea | coffee" }, function(_, text)
  local choices = {}
  for choice in (text .. "|"):gmatch("%s*(.-)%s*|") do
    if choice ~= "" then choices[#choices + 1] = choice end
  end
  if #choices < 2 then return "Between what? !pick tea | coffee" end
  return choices[math.random(#choices)]
end)
