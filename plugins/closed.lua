-- SPDX-License-Identifier: GPL-3.0-or-later
-- closed: nobody is taken in any more. The reason is told to whoever proposes somebody:
-- sotto scripts command closed because "We are complete."
local sotto = require "sotto"

local REASON_MAX = 200
local STANDARD = "nobody is taken in any more"

local policy = sotto.script {
  name = "closed", version = "1.0", api = 1, help = "refuses every newcomer", needs = { "proposals", "store" },
}

policy:admission({ priority = 1000 }, function() return sotto.refuse(policy.store.reason or STANDARD) end)

policy:command("because", { args = "<text>", help = "the reason that is given" }, function(_, ...)
  local text = table.concat({ ... }, " ")
  if text == "" or #text > REASON_MAX then return ("A text of at most %d bytes."):format(REASON_MAX) end
  policy.store.reason = text
  return "Whoever proposes somebody will read: " .. text
end)
