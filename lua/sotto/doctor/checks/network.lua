-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

-- LAN discovery reaches others through these: IPv4 broadcast, or IPv6 multicast
local function reaches(interface)
  if not interface.up or interface.loopback then return false end
  if interface.six then return interface.multicast end
  return interface.broadcast
end

return {
  name = "network", where = "anywhere",
  text = "a network interface can broadcast",
  look = function(context)
    local interfaces, message = sys.interfaces()
    if not interfaces then return finding.warn(finding.sentence(message), "Look again when the network is up.") end
    local names, seen = {}, {}
    for _, interface in ipairs(interfaces) do
      if reaches(interface) and not seen[interface.name] then
        seen[interface.name] = true
        names[#names + 1] = interface.name
      end
    end
    if #names == 0 then
      return finding.warn("No network interface is up that can broadcast: nobody on the LAN is found, or finds you.",
        ("Connect to a network; '%s peers probe HOST:PORT' asks an address that you know."):format(context.command))
    end
    return finding.ok(("Others on the LAN can be reached through %s."):format(table.concat(names, ", ")))
  end,
}
