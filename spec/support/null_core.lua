-- SPDX-License-Identifier: GPL-3.0-or-later
-- sottod without an engine: lua5.4 spec/support/null_core.lua BEHAVIOUR [argument …], from the project's root.
-- The engine is a table that answers every call with "{}"; BEHAVIOUR: "good", "no_open", "not_ready", "never_ready".
package.path = "./lua/?.lua;" .. package.path
package.cpath = ("./%s/?.so"):format(os.getenv "SOTTO_SPEC_BUILD" or "build")
local loop = require "sotto.loop"

local behaviour = table.remove(arg, 1)
local Null = {}
Null.__index = Null

function Null:call(method)
  if method == "system.stop" then self:stop() end
  return "{}"
end

function Null:stop() loop.defer(self.config.stopped) end

package.loaded["sotto.engine"] = {
  options = { { name = "resume_window", standard = 86400, least = 0, most = 100000, text = "seconds" } },
  open = function(options)
    if behaviour == "no_open" then return nil, "the null engine does not open", "io" end
    if behaviour ~= "never_ready" then
      loop.after(1, function()
        if behaviour == "not_ready" then return options.ready(nil, "the null engine is not ready", "io") end
        options.ready(true)
      end)
    else
      loop.every(1000, function() end)
    end
    return setmetatable({ config = options }, Null)
  end,
}

os.exit(require("sotto.core.main").run(arg), true)
