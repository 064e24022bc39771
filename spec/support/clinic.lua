-- SPDX-License-Identifier: GPL-3.0-or-later
-- `sotto doctor` for specs, and machines that something is wrong with: programs replaced, networks gone.
local command = require "support.command"
local json = require "sotto.json"
local sys = require "sotto.sys"
local system = require "support.system"

local M = {}

local quote = system.quote

-- how a program is started in a mount namespace of its own
local function unshare(what) return (sys.getuid() == 0 and "unshare -" or "unshare -Ur") .. what end

--- Whether this user may make such namespaces.
---@return boolean
function M.possible()
  local _, status = system.shell(unshare "m" .. " mount -t tmpfs none /mnt")
  return status == 0
end

--- Words that start a program where these files stand in the place of others.
---@param files table<string, string> path → the file that is seen there
---@return string[]
function M.replacing(files)
  local mounts = {}
  for path, file in pairs(files) do
    mounts[#mounts + 1] = ("mount --bind %s %s"):format(quote(file), quote(assert(sys.realpath(path))))
  end
  local words = { "sh", "-c", table.concat(mounts, " && ") .. ' && exec "$@"', "sh" }
  for word in unshare "m":gmatch "%S+" do table.insert(words, #words - 3, word) end
  return words
end

--- Words that start a program without any network.
---@return string[]
function M.offline()
  local words = {}
  for word in unshare "n":gmatch "%S+" do words[#words + 1] = word end
  return words
end

---@class support.clinic.result
---@field status integer
---@field findings sotto.finding[]
---@field by table<string, sotto.finding> the first of each check
---@field text string

--- Runs `sotto doctor`; through: words that start it.
---@param home string
---@param through? string[]
---@return support.clinic.result
function M.look(home, through)
  local ran = command.run({ "--home", home, "doctor", "--json" }, nil, nil, through)
  local findings = assert(json.decode(ran.out), ran.err .. ran.out)
  local by = {}
  for _, one in ipairs(findings) do by[one.check] = by[one.check] or one end
  return { status = ran.status, findings = findings, by = by, text = ran.out }
end

--- The same of one check; the spec says what it expects to be found.
---@param home string
---@param check string
---@param status string
---@param through? string[]
---@return string text, string advice, support.clinic.result
function M.find(home, check, status, through)
  local result = M.look(home, through)
  local one = assert(result.by[check], "there is no finding of " .. check .. ": " .. result.text)
  if one.status ~= status then
    error(("%s is '%s', not '%s': %s"):format(check, one.status, status, one.text), 2)
  end
  local broken = false
  for _, other in ipairs(result.findings) do broken = broken or other.status == "fail" end
  if (result.status == 1) ~= broken or result.status > 1 then error("the exit status is " .. result.status, 2) end
  return one.text, one.advice, result
end

return M
