-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"
local gnupg = require "sotto.doctor.gnupg"
local sys = require "sotto.sys"

local INSTALL = "Install GnuPG; on Debian: apt-get install gnupg gpg-agent"

return {
  name = "gpg", where = "anywhere",
  text = "GnuPG is there, new enough, and works",
  look = function(context)
    local found = sys.gnupg()
    if not found.gpg then return finding.fail("GnuPG is missing: there is no gpg.", INSTALL) end
    local result = gnupg.look(found.gpg, "gpg", found.least, INSTALL)
    local trouble = context.facts and context.facts.troubles.gpg
    if result.status ~= "ok" or not trouble then return result end
    return finding.fail(("GnuPG fails: %s."):format(trouble.text),
      "Look at the log, at the disk's room and at the limit of descriptors; what waits goes on by itself.")
  end,
}
