-- SPDX-License-Identifier: GPL-3.0-or-later
-- vouched-by-two: whom two other members have consented to, the one who proposes included, you take in as well; until
-- then somebody else decides. --arguments 3 makes it three.
local sotto = require "sotto"

local policy = sotto.script {
  name = "vouched-by-two", version = "1.0", api = 1, help = "takes in whom two other members vouch for",
  needs = { "proposals" },
}

local count = math.tointeger(tonumber(arg[1] or 2))
if not count or count < 1 or count > 63 then error("its argument is a number of members, 1 to 63", 0) end

policy:admission(sotto.vouched_by(count))
