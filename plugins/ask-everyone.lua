-- SPDX-License-Identifier: GPL-3.0-or-later
-- ask-everyone: about every newcomer you are asked, whatever other policies would say.
local sotto = require "sotto"

local policy = sotto.script {
  name = "ask-everyone", version = "1.0", api = 1, help = "about every newcomer you are asked yourself",
  needs = { "proposals" },
}

policy:admission({ priority = 500 }, sotto.ask "you are asked yourself")
