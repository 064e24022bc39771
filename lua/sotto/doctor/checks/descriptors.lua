-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

-- eight gpg at a time take five each; then links, front ends, files
local LEAST, ROOM = 256, 64

return {
  name = "descriptors", where = "anywhere",
  text = "enough files and sockets may be open",
  look = function(context)
    local now, message = sys.descriptors()
    if not now then return finding.fail(finding.sentence(message), "Look at /proc: it must be mounted.") end
    local raise = "Raise the limit: 'ulimit -n 4096' before the core is started, or LimitNOFILE=4096 in the service."
    local ran_out = context.facts and context.facts.troubles.descriptors
    if ran_out or now.limit - now.used < ROOM then
      local text = ("%d of %d descriptors are in use%s."):format(now.used, now.limit,
        ran_out and ", and they have run out lately" or "")
      return finding.fail(text, raise)
    end
    if now.limit < LEAST then
      return finding.warn(("Only %d files and sockets may be open at one time."):format(now.limit), raise)
    end
    return finding.ok(("%d of %d descriptors are in use."):format(now.used, now.limit))
  end,
}
