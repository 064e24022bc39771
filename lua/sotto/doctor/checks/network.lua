-- SPDX-License-Identifier: GPL-3.0-or-later
local config = require "sotto.core.config"
local finding = require "sotto.doctor.finding"
local options = require "sotto.options"
local sys = require "sotto.sys"

local OFF = "Others on the LAN are not looked for: config.lua says so."

-- The names in a list, each once. One that others can hear may still not hear them.
local function names_of(list, name, wanted)
  local names, seen = {}, {}
  for _, one in ipairs(list) do
    if wanted(one) and not seen[one[name]] then
      seen[one[name]] = true
      names[#names + 1] = one[name]
    end
  end
  return names
end

local function verdict(names, command)
  if #names > 0 then
    return finding.ok(("Others on the LAN can be reached through %s."):format(table.concat(names, ", ")))
  end
  return finding.warn("No network interface is up that can broadcast: nobody on the LAN is found, or finds you.",
    ("Connect to a network; '%s peers probe HOST:PORT' asks an address that you know."):format(command))
end

-- what the core does; it speaks on the loopback, too, for others on this machine
local function inside(lan, command)
  local loopback = {}
  for _, interface in ipairs(sys.interfaces()) do loopback[interface.name] = interface.loopback end
  local function leads_out(path) return not loopback[path.interface] end
  local deaf = names_of(lan.paths, "interface", function(path) return leads_out(path) and not path.listening end)
  if #deaf > 0 then
    return finding.warn(("Nobody is heard on the LAN of %s: port %d cannot be listened at."):format(
      table.concat(deaf, ", "), lan.port), ("'ss -lnup sport = :%d' shows who holds it alone."):format(lan.port))
  end
  return verdict(names_of(lan.paths, "interface", leads_out), command)
end

-- what a core could do
local function outside(context)
  local settings = config.load(context.config, config.schema(options), false)
  if settings and settings.discover == "off" then return finding.ok(OFF) end
  local function reaches(interface)
    return not interface.loopback and (interface.multicast or interface.broadcast ~= nil)
  end
  return verdict(names_of(sys.interfaces(), "name", reaches), context.command)
end

return {
  name = "network", where = "anywhere",
  text = "a network interface can broadcast",
  look = function(context)
    local facts = context.facts
    if not facts or facts.identity ~= "ready" then return outside(context) end
    if not facts.lan then return finding.ok(OFF) end
    return inside(facts.lan, context.command)
  end,
}
