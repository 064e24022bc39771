-- SPDX-License-Identifier: GPL-3.0-or-later
local files = require "sotto.doctor.files"
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

-- Presence records live for an hour: a clock that is off by less than this harms nothing.
local TOLERANCE_MS = 120000
local ADVICE = "Set the clock: 'timedatectl set-ntp true' keeps it right."

-- nobody installs a program that is not written yet
local function before_program(context)
  local path = sys.executable()
  local stat = path and sys.stat(path)
  local behind = stat and stat.modified * 1000 - context.now or 0
  if behind > TOLERANCE_MS then
    return finding.fail(("The clock is at least %s behind: it shows a time before this program was installed."):format(
      finding.span(behind / 1000)), ADVICE)
  end
end

-- A clock that was ahead once leaves the same trace in files: where others agree with it now, it is right now.
local function before_files(context)
  local newest = 0
  local store = files.store(context.paths)
  for _, path in ipairs { store, store .. "-wal", context.paths.log } do
    local stat = sys.stat(path)
    newest = math.max(newest, stat and stat.modified * 1000 or 0)
  end
  if newest - context.now > TOLERANCE_MS then
    local later = finding.span((newest - context.now) / 1000)
    return finding.warn(("Files of this home were written %s from now: the clock is behind, or was ahead."):format(
      later), ADVICE)
  end
end

-- what other people's clocks say
local function by_peers(clock)
  local by, way
  if clock.ahead > TOLERANCE_MS then
    by, way = clock.ahead, "ahead"
  elseif clock.behind > TOLERANCE_MS then
    by, way = clock.behind, "behind"
  else
    return nil
  end
  local text = ("The clock is at least %s %s, if %s right."):format(finding.span(by / 1000), way, clock.peers == 1 and
    "the one other clock that was seen is" or ("the clocks of %d others are"):format(clock.peers))
  -- one may be wrong itself
  return clock.peers == 1 and finding.warn(text, ADVICE) or finding.fail(text, ADVICE)
end

return {
  name = "clock", where = "anywhere",
  text = "the clock is right, as far as can be told",
  look = function(context)
    local wrong = before_program(context)
    if wrong then return wrong end
    local clock = context.facts and context.facts.clock or { peers = 0 }
    wrong = clock.peers == 0 and before_files(context) or clock.peers > 0 and by_peers(clock)
    if wrong then return wrong end
    if not context.facts then
      return finding.ok "The clock may be right; without a core it is compared with nobody's."
    end
    if clock.peers == 0 then return finding.ok "The clock may be right; nobody is there to compare it with." end
    return finding.ok(("The clock agrees with %s."):format(clock.peers == 1 and "another person's" or
      ("those of %d others"):format(clock.peers)))
  end,
}
