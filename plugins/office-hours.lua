-- SPDX-License-Identifier: GPL-3.0-or-later
-- office-hours: outside of its hours nobody is taken in, and whoever is proposed waits until they begin; within them
-- others decide, policies or you. sotto scripts command office-hours hours 8:30-16
local sotto = require "sotto"

local STANDARD = "9-17"

local policy = sotto.script {
  name = "office-hours", version = "1.0", api = 1, help = "outside of its hours newcomers wait",
  needs = { "proposals", "store" },
}

policy:admission({ priority = 100 }, function(request)
  local answer = sotto.within(policy.store.hours or STANDARD)(request)
  if answer.answer == "later" then return answer end
  return nil
end)

policy:command("hours", { args = "[from-to]", help = "its hours, by this machine's clock" }, function(_, hours)
  if not hours then return policy.store.hours or STANDARD end
  local ok, problem = pcall(sotto.within, hours)
  if not ok then return (tostring(problem):gsub("^[^:]*:%d+: ", "")) end
  policy.store.hours = hours
  return "Newcomers wait outside " .. hours .. "."
end)
