-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"

local REASONS = {
  refused = "nothing listens there", unreachable = "there is no way to it", timeout = "nothing comes back",
}

return {
  name = "peers", where = "core",
  text = "who is seen can also be dialled",
  look = function(context)
    local found, reached = {}, 0
    for _, peer in ipairs(context.facts.peers) do
      if peer.reached then
        reached = reached + 1
      else
        local who = peer.name ~= "" and peer.name or peer.fingerprint:sub(1, 8)
        local why = REASONS[peer.reason] or peer.reason
        found[#found + 1] = finding.warn(("%s is seen, but cannot be dialled at %s: %s."):format(who,
          table.concat(peer.addresses, " or "), why),
          "A firewall may let UDP through and not TCP: both are needed, on either side, with one port number.")
      end
    end
    if #found > 0 then return found end
    if reached == 0 then return finding.ok "Nobody is seen at the moment who could be dialled." end
    return finding.ok(reached == 1 and "The one who is seen can be dialled." or
      ("All %d who are seen can be dialled."):format(reached))
  end,
}
