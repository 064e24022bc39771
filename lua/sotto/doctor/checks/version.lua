-- SPDX-License-Identifier: GPL-3.0-or-later
local ask = require "sotto.doctor.ask"
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

return {
  name = "version", where = "front end",
  text = "front end and core are of one version",
  look = function(context)
    local own, core = sys.version, context.core
    local line, message = ask.first_line(context.program, "--version")
    local installed = line and line:match "^sottod (%S+)$"
    if not installed then
      return finding.fail(("The core's program %s does not run: %s."):format(context.program, message or line),
        "Install sotto anew, with its two programs beside each other.")
    end
    if installed ~= own then
      return finding.warn(("This is sotto %s, but the core's program %s is %s."):format(own, context.program,
        installed), "Install both from one version.")
    end
    local running = core and core.info and core.info.version
    if running and running ~= own then
      return finding.warn(("The core that runs is sotto %s, and this front end is %s."):format(running, own),
        ("'%s stop' and '%s start' put the new one to work."):format(context.command, context.command))
    end
    return finding.ok(("sotto %s."):format(own))
  end,
}
