-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

-- whether anything could be written to a swap at all
local function swaps()
  local file = io.open("/proc/swaps", "r")
  if not file then return true end
  local text = file:read "a"
  file:close()
  return text:find "\n[^\n]" ~= nil
end

return {
  name = "memory", where = "anywhere",
  text = "secrets stay out of the swap",
  look = function()
    if sys.locks_memory() then return finding.ok "Secrets are kept out of the swap." end
    if swaps() then
      return finding.warn("Secrets may reach the disk: this process may not lock memory, and a swap is in use.",
        "Raise the limit: 'ulimit -l 8192', or LimitMEMLOCK=8M in the service; or encrypt the swap.")
    end
    return finding.warn("This process may not lock memory. There is no swap now, so secrets stay off the disk.",
      "Raise the limit before you use a swap or hibernate: 'ulimit -l 8192', or LimitMEMLOCK=8M in the service.")
  end,
}
