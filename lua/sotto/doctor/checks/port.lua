-- SPDX-License-Identifier: GPL-3.0-or-later
local config = require "sotto.core.config"
local finding = require "sotto.doctor.finding"
local options = require "sotto.options"
local sys = require "sotto.sys"

local STANDARD_PORT, STANDARD = 4788, "0.0.0.0:4788"

local function inside(listen, wanted)
  local port = tonumber(listen:match ":(%d+)$")
  if not wanted and port ~= STANDARD_PORT then
    return finding.ok(("The core listens on %s; port %d was another program's when it chose."):format(listen,
      STANDARD_PORT))
  end
  return finding.ok(("The core listens on %s."):format(listen))
end

-- as long as the core does not have it itself
local function outside(wanted)
  if wanted and wanted:find ":0$" then return finding.ok "Any free port will do." end
  local ok, message, name = sys.try_listen(wanted or STANDARD)
  if ok then return finding.ok(("%s is free."):format(wanted or STANDARD)) end
  if not wanted and name == "busy" then
    return finding.ok(("Port %d is another program's; the core takes a free one instead."):format(STANDARD_PORT))
  end
  local port = (wanted or STANDARD):match ":(%d+)$"
  return finding.fail(finding.sentence(message), name == "busy" and
    ("'ss -lntup sport = :%s' shows by which; end it, or set another 'listen' in config.lua."):format(port) or
    "Set 'listen' in config.lua to an address of this machine, or leave it out.")
end

return {
  name = "port", where = "anywhere",
  text = "the port is free, or the core's own",
  look = function(context)
    if context.facts then return inside(context.facts.listen, context.listen) end
    if context.core and context.core.state ~= "none" then
      return finding.skip "The port is held by the core, which does not answer."
    end
    local settings = config.load(context.config, config.schema(options), false)
    if not settings then return finding.skip "Not looked at: the configuration has an error." end
    return outside(settings.listen)
  end,
}
