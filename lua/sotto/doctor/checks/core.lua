-- SPDX-License-Identifier: GPL-3.0-or-later
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

-- How much of the log's end is looked at for the last core's last words.
local LOG_END = 64 << 10

-- the process that holds the home's lock, as the kernel knows it; the file only tells people
local function holder(path)
  local text = sys.read_file(path, 32)
  local pid = text and math.tointeger(tonumber(text:match "^%d+"))
  if not pid or not sys.alive(pid) then return nil end
  local locks = io.open("/proc/locks", "r")
  if not locks then return nil end
  local found = false
  for line in locks:lines() do found = found or line:find(("FLOCK%%s+%%S+%%s+WRITE%%s+%d%%s"):format(pid)) ~= nil end
  locks:close()
  return found and pid or nil
end

-- why the last core did not start or ended, where its log says so
local function last_words(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local size = file:seek "end"
  file:seek("set", math.max(0, size - LOG_END))
  local text = file:read "a"
  file:close()
  local last = text:match "([^\n]+)\n*$"
  return last and last:match "^%S+ error (.*)$"
end

local function without_core(context)
  local pid = holder(context.paths.lock)
  if pid then
    return finding.fail(("Process %d holds this home, but serves no control socket."):format(pid),
      ("Look again in a moment; if it stays so, 'kill %d' ends it."):format(pid))
  end
  local words = last_words(context.paths.log)
  if words then
    return finding.warn("No core runs here. The last one ended with: " .. words,
      ("The other findings may say why; '%s start' tries again."):format(context.command))
  end
  local stale = sys.exists(context.paths.socket) and " The last one was killed, and left its socket." or ""
  return finding.skip("No core runs here." .. stale,
    ("'%s start' starts one%s."):format(context.command, stale ~= "" and ", and tidies up" or ""))
end

return {
  name = "core", where = "front end",
  text = "a core runs, and answers",
  look = function(context)
    local core = context.core
    if not core then
      return finding.ok(("The core runs: process %d."):format(sys.getpid()))
    elseif core.state == "runs" then
      return finding.ok(("The core runs: process %d, for %s."):format(core.info.pid, finding.span(core.info.uptime)))
    elseif core.state == "silent" then
      local pid = holder(context.paths.lock)
      return finding.fail("The core does not answer on its control socket.",
        ("'kill -9 %s' ends it, '%s start' starts it again: nothing is lost."):format(pid or "PROCESS",
          context.command))
    elseif core.state == "unreachable" then
      return finding.fail("The control socket cannot be reached: " .. core.message,
        ("Look at who may enter %s: it must be yours, mode 0700."):format(context.paths.run))
    end
    return without_core(context)
  end,
}
