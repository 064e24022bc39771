-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"
local gnupg = require "sotto.doctor.gnupg"
local sys = require "sotto.sys"

local INSTALL = "Install gpg-agent; on Debian: apt-get install gpg-agent"

return {
  name = "gpg_agent", where = "anywhere",
  text = "gpg-agent, which holds the secret keys, is there",
  look = function()
    local found = sys.gnupg()
    if not found.agent then return finding.fail("gpg-agent is missing: no secret key can be used.", INSTALL) end
    return gnupg.look(found.agent, "gpg-agent", found.least, INSTALL)
  end,
}
