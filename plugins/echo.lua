-- SPDX-License-Identifier: GPL-3.0-or-later
-- echo: says back what it hears. The smallest bot that is of use: to see whether anything arrives at all.
local sotto = require "sotto"

local bot = sotto.bot {
  name = "echo", version = "1.0", api = 1, help = "says back what it hears", needs = { "messages" },
  -- two of them end their talk
  rate = "20/1m",
}

bot:hear(".", function(ctx) return ctx.text end)
