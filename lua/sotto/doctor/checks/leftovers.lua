-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

local function homes_on_disk(context)
  local found = {}
  for _, name in ipairs(sys.list(context.paths.data .. "/homes") or {}) do found[name] = true end
  return found
end

-- the home that a gpg-agent serves, from its command line; it may know it by a short alias
local function home_of(pid)
  local file = io.open("/proc/" .. pid .. "/cmdline", "rb")
  if not file then return nil end
  local text = file:read "a" or ""
  file:close()
  local home = text:find "^[^\0]*gpg%-agent\0" and text:match "\0%-%-homedir\0([^\0]+)"
  return home and (sys.realpath(home) or home)
end

local function agents_below(directory)
  local count = 0
  directory = (sys.realpath(directory) or directory) .. "/"
  for _, pid in ipairs(sys.list "/proc" or {}) do
    local home = pid:find "^%d+$" and home_of(pid)
    if home and home:sub(1, #directory) == directory then count = count + 1 end
  end
  return count
end

local function outside(context)
  local agents = agents_below(context.paths.data .. "/homes")
  if agents == 0 then return finding.ok "Nothing is left of an earlier core." end
  return finding.warn(("A core that was killed has left %s, which may still know your keys."):format(
    finding.count(agents, "gpg-agent", "gpg-agents")), ("'%s start' ends them."):format(context.command))
end

local function inside(context)
  local homes, count = homes_on_disk(context), 0
  for _, name in ipairs(context.facts.known_homes) do homes[name] = nil end
  for _ in pairs(homes) do count = count + 1 end
  if count == 0 or context.facts.homes_ending then return finding.ok "Nothing is left over." end
  return finding.warn(("%s any more."):format(finding.count(count, "directory with keys belongs to nothing",
    "directories with keys belong to nothing")),
    ("'%s stop' and '%s start' remove what is left."):format(context.command, context.command))
end

return {
  name = "leftovers", where = "anywhere",
  text = "nothing is left of a core that was killed",
  look = function(context)
    if context.facts then return inside(context) end
    if context.core and context.core.state ~= "none" then
      return finding.skip "Not looked at: the core does not answer."
    end
    return outside(context)
  end,
}
