-- SPDX-License-Identifier: GPL-3.0-or-later
local config = require "sotto.core.config"
local finding = require "sotto.doctor.finding"
local options = require "sotto.options"
local sys = require "sotto.sys"

local CHAT_MAX = 1 << 20

return {
  name = "config", where = "anywhere",
  text = "config.lua and chat.lua can be read",
  look = function(context)
    local found = {}
    local settings, message = config.load(context.config, config.schema(options), false)
    if not settings then
      found[1] = finding.fail(("The configuration has an error: %s."):format(message),
        ("Correct %s. A core that runs keeps what it read; the next one would not start."):format(context.config))
    end
    local text = sys.read_file(context.paths.chat, CHAT_MAX)
    local chunk, problem = load(text or "", "=chat.lua", "t", {})
    if not chunk then
      found[#found + 1] = finding.fail(("The chat's own file has an error: %s."):format(problem),
        ("Correct %s."):format(context.paths.chat))
    end
    if #found > 0 then return found end
    if not sys.exists(context.config) then return finding.ok("There is no config.lua: the standard values hold.") end
    return finding.ok(("%s is in order."):format(context.config))
  end,
}
