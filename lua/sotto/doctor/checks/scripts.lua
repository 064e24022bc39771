-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"

-- what is wrong with one script: a finding, or what it says of its own health
local function look_at(script, found)
  local reason = script.reason and script.reason ~= "" and script.reason or "it does not say why"
  if script.state == "disabled" then
    found[#found + 1] = finding.fail(("The script %s has failed again and again, and is off: %s."):format(script.name,
      reason), ("'scripts log %s' shows what it said, 'scripts reload %s' starts it again."):format(script.name,
      script.name))
  elseif script.state == "failed" then
    found[#found + 1] = finding.warn(("The script %s has failed, and is started again soon: %s."):format(script.name,
      reason), ("'scripts log %s' shows what it said."):format(script.name))
  elseif script.state == "waiting" then
    found[#found + 1] = finding.warn(("The script %s waits for you: %s."):format(script.name, reason),
      ("Look at it; 'scripts reload %s' starts it."):format(script.name))
  end
  for _, one in ipairs(script.health or {}) do
    if one.status ~= "ok" then
      local make = one.status == "fail" and finding.fail or finding.warn
      found[#found + 1] = make(("The script %s says: %s"):format(script.name, one.text),
        ("That is the script's own word; 'scripts log %s' may say more."):format(script.name))
    end
  end
end

return {
  name = "scripts", where = "core",
  text = "scripts run, and say that they are well",
  look = function(context)
    local found, scripts = {}, context.facts.scripts or {}
    for _, script in ipairs(scripts) do look_at(script, found) end
    if #found > 0 then return found end
    if #scripts == 0 then return finding.ok "There are no scripts." end
    return finding.ok(#scripts == 1 and "The script runs." or ("All %d scripts run."):format(#scripts))
  end,
}
