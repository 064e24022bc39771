-- SPDX-License-Identifier: GPL-3.0-or-later
local ask = require "sotto.doctor.ask"
local finding = require "sotto.doctor.finding"
local loop = require "sotto.loop"
local sys = require "sotto.sys"

-- A socket, or where its file leads: that of an adopted key's home leads to the user's own agent.
local function follow(path)
  local stat = sys.stat(path)
  if not stat or stat.kind ~= "file" then return path end
  local text = sys.read_file(path, 4096) or ""
  return text:match "^%%Assuan%%%s*\nsocket=([^\n]+)" or path
end

-- All of them are asked at once; what comes back is how many there are, and who is silent.
local function ask_all(homes)
  local thread, left, waits, running, silent = coroutine.running(), #homes, false, 0, {}
  for _, home in ipairs(homes) do
    coroutine.wrap(function()
      local line, _, name = ask.greeting(follow(home.socket))
      if line and line:find "^OK" then
        running = running + 1
      elseif name ~= "not_found" then
        silent[#silent + 1] = home
      end
      left = left - 1
      if left == 0 and waits then loop.defer(function() assert(coroutine.resume(thread)) end) end
    end)()
  end
  if left > 0 then
    waits = true
    coroutine.yield()
  end
  return running, silent
end

return {
  name = "agent", where = "core",
  text = "the agents that hold the secret keys answer",
  look = function(context)
    local running, silent = ask_all(context.facts.homes)
    if #silent > 0 then
      local own = false
      for _, home in ipairs(silent) do own = own or home.own end
      return finding.fail(("%s, of %d%s."):format(finding.count(#silent, "gpg-agent does not answer",
        "gpg-agents do not answer"), running + #silent, own and "; one of them holds your own key" or ""),
        ("'%s stop' ends them, '%s start' brings new ones: no key is lost."):format(context.command, context.command))
    end
    if running == 0 then return finding.ok "No gpg-agent runs now; GnuPG starts one when it needs it." end
    return finding.ok(running == 1 and "The gpg-agent answers." or ("All %d gpg-agents answer."):format(running))
  end,
}
