-- SPDX-License-Identifier: GPL-3.0-or-later
-- karma: counts "tea++" and "mondays--" of a discussion. Nobody adds to their own.
local sotto = require "sotto"

local WORD_MAX, SHOWN = 64, 10

local bot = sotto.bot {
  name = "karma", version = "1.0", api = 1, help = "counts ++ and --", needs = { "messages", "store" }, rate = "10/1m",
}

local store = bot.store
store.karma = store.karma or {}

-- of one discussion
local function counts(ctx)
  if not store.karma[ctx.discussion] then store.karma[ctx.discussion] = {} end
  return store.karma[ctx.discussion]
end

local function change(ctx, word, by)
  word = word:lower()
  if #word > WORD_MAX then return nil end
  if word == ctx.name:lower() then return "Nobody praises themselves here." end
  local known = counts(ctx)
  known[word] = (known[word] or 0) + by
  return ("%s: %d"):format(word, known[word])
end

bot:hear("^%s*([^%s+-]+)%+%+", function(ctx, word) return change(ctx, word, 1) end)
bot:hear("^%s*([^%s+-]+)%-%-", function(ctx, word) return change(ctx, word, -1) end)

bot:command("karma", { args = "[word]", help = "how much something has, or what has most" }, function(ctx, word)
  if ctx.owner then return "Karma belongs to a discussion: ask there." end
  local known = counts(ctx)
  if word then return ("%s: %d"):format(word:lower(), known[word:lower()] or 0) end
  local list = {}
  for name, count in pairs(known) do list[#list + 1] = { name = name, count = count } end
  if #list == 0 then return "Nothing has any yet: tea++" end
  table.sort(list, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.name < b.name
  end)
  local lines = {}
  for i = 1, math.min(#list, SHOWN) do lines[i] = ("%s: %d"):format(list[i].name, list[i].count) end
  return table.concat(lines, "\n")
end)
