-- SPDX-License-Identifier: GPL-3.0-or-later
-- A policy: friends come in at any time; others whom a password has proven by day, three of them a day; about everybody
-- else the person is asked. Usage:
--   sotto scripts load examples/policy.lua
--   sotto scripts command door friend FINGERPRINT
--   sotto scripts explain PEER                    what it would say
local sotto = require "sotto"

local door = sotto.script {
  name = "door", version = "1.0", api = 1, help = "who may come in", needs = { "proposals", "store" },
}

door.store.friends = door.store.friends or {}

door:command("friend", { args = "<fingerprint>", help = "lets somebody in at any time" }, function(_, fingerprint)
  local digits = (fingerprint or ""):gsub("%s", ""):upper()
  if #digits ~= 40 or not digits:find("^%x+$") then return "A fingerprint has 40 digits." end
  door.store.friends[digits] = true
  return "done"
end)

door:admission(sotto.any_of(
  sotto.listed(function() return door.store.friends end),
  sotto.all_of(sotto.verified(), sotto.within("8-22"), sotto.rate(3, "1d"))))
