-- SPDX-License-Identifier: GPL-3.0-or-later
-- The doctor from outside: asks the core for its findings where one answers, else looks itself; and says them to a
-- person.
local ask = require "sotto.doctor.ask"
local connection = require "sotto.client.connection"
local doctor = require "sotto.doctor"
local finding = require "sotto.doctor.finding"
local paths = require "sotto.core.paths"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"

local M = {}

-- a core that is asked for findings has checks that wait; one that does not answer at all is not asked
local FINDINGS_MS = doctor.PATIENCE_MS + 5000

-- --- looking ---------------------------------------------------------------------------------------------------

-- what there is of a core, and its own findings where it gives some
local function ask_core(place)
  local there, message, name = connection.open(place.socket)
  if not there then
    return { state = name == "not_found" and "none" or "unreachable", message = message }
  end
  local info = ask.core(there, "system.info", nil, ask.PATIENCE_MS)
  if not info then
    there:close()
    return { state = "silent" }
  end
  local findings = ask.core(there, "system.doctor", { command = place.command }, FINDINGS_MS)
  there:close()
  return { state = "runs", info = info }, findings
end

local function skipped(state)
  local all = {}
  for _, check in ipairs(doctor.checks) do
    if check.where == "core" then
      local one = finding.skip(state == "none" and "No core runs that could say." or "The core does not say.")
      one.check = check.name
      all[#all + 1] = one
    end
  end
  return all
end

--- All findings, in the order of the checks. From inside a coroutine.
---@param place sotto.place
---@return sotto.finding[]
function M.examine(place)
  local found, inside = ask_core(place)
  local context = {
    paths = place, config = place.config, command = place.command, program = paths.program "sottod", now = sys.now_ms(),
    core = found,
  }
  local own = doctor.run(context, function(check)
    return check.where == "front end" or (check.where == "anywhere" and not inside)
  end)
  if not inside then return doctor.merge(own, skipped(found.state)) end
  local mine, others = {}, {}
  for _, one in ipairs(own) do mine[one.check] = true end
  for _, one in ipairs(inside) do
    if not mine[one.check] then others[#others + 1] = one end
  end
  return doctor.merge(own, others)
end

-- --- saying ----------------------------------------------------------------------------------------------------

local NAME_WIDTH = 12

---@param one sotto.finding
---@return string[] lines
local function lines_of(one)
  local name = terminal.escape(one.check)
  local head = ("%-4s  %s%s "):format(one.status, name, (" "):rep(NAME_WIDTH - terminal.width(name)))
  local lines = { head .. terminal.escape(one.text) }
  if one.advice ~= "" then lines[2] = (" "):rep(#head) .. terminal.escape(one.advice) end
  return lines
end

--- The column in which a finding's text begins.
M.INDENT = 6 + NAME_WIDTH + 1

--- The last line: how it is on the whole.
---@param findings sotto.finding[]
---@return string
function M.summary(findings)
  local counts = doctor.count(findings)
  local parts = {}
  if counts.fail > 0 then parts[1] = finding.count(counts.fail, "thing is broken", "things are broken") end
  if counts.warn > 0 then parts[#parts + 1] = finding.count(counts.warn, "is worth a look", "are worth a look") end
  local text = table.concat(parts, ", ") .. "."
  if #parts == 0 then text = finding.count(counts.ok, "check", "checks") .. ", and all is well." end
  if counts.skip > 0 then text = ("%s %d could not be looked at."):format(text, counts.skip) end
  return text
end

--- For people: each finding in a line, and what to do about it in the next.
---@param findings sotto.finding[]
---@param all boolean also those that are in order
---@return string[] lines
function M.report(findings, all)
  local out = {}
  for _, one in ipairs(findings) do
    if all or one.status ~= "ok" then
      local lines = lines_of(one)
      table.move(lines, 1, #lines, #out + 1, out)
    end
  end
  out[#out + 1] = M.summary(findings)
  return out
end

return M
