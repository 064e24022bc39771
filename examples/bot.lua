-- SPDX-License-Identifier: GPL-3.0-or-later
-- The smallest bot. Usage: sotto run --grant examples/bot.lua
local sotto = require "sotto"

local bot = sotto.bot { name = "ping", version = "1.0", api = 1, needs = { "messages" } }

bot:hear("^ping$", function() return "pong" end)
