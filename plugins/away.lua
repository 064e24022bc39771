-- SPDX-License-Identifier: GPL-3.0-or-later
-- away: answers for its owner, who is not there, each person once an hour; and tells who has written when the owner
-- is back. !away lunch, !back; or sotto scripts command away away lunch.
local sotto = require "sotto"

local AGAIN = 3600 -- seconds until a person is told again
local WRITERS_MAX = 100

local bot = sotto.bot {
  name = "away", version = "1.0", api = 1, help = "answers while its owner is away", needs = { "messages", "store" },
}

local store = bot.store

bot:command("away", { args = "[why:text]", allow = "owner", help = "its owner is away" }, function(_, why)
  store.away = { since = os.time(), why = why or "", writers = {} }
  return "Away. I answer for you, and remember who writes."
end)

local function told(writers)
  local lines, names = {}, {}
  for _, writer in pairs(writers) do names[#names + 1] = writer.name end
  table.sort(names)
  for i, name in ipairs(names) do lines[i] = "  " .. name end
  return table.concat(lines, "\n")
end

bot:command("back", { allow = "owner", help = "its owner is there again, and learns who has written" }, function(ctx)
  local away = store.away
  if not away then return "You were not away." end
  local lines = next(away.writers) and told(away.writers) or nil
  store.away = nil
  -- in a discussion it is nobody else's business who has written
  if ctx.mine or not lines then return "Welcome back." end
  return "Welcome back. Meanwhile there wrote:\n" .. lines
end)

local function count(writers)
  local n = 0
  for _ in pairs(writers) do n = n + 1 end
  return n
end

bot:hear("", function(ctx)
  local away = store.away
  if not away then return nil end
  local known = away.writers[ctx.sender]
  local now = os.time()
  if known and now - known.told < AGAIN then return nil end
  if not known and count(away.writers) >= WRITERS_MAX then return nil end
  away.writers[ctx.sender] = { name = ctx.name, told = now }
  local why = away.why ~= "" and ": " .. away.why or ""
  return ("I am away since %s%s. Your message is here, and I will read it."):format(os.date("%H:%M", away.since), why)
end)
