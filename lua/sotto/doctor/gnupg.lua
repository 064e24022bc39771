-- SPDX-License-Identifier: GPL-3.0-or-later
-- A program of GnuPG's, asked for its version: not what was found once, for it may have gone since.
local ask = require "sotto.doctor.ask"
local finding = require "sotto.doctor.finding"

local M = {}

local function parts(version)
  local list = {}
  for number in version:gmatch "%d+" do list[#list + 1] = tonumber(number) end
  return list
end

--- "2.2.40" against "2.10.1"
---@param version string
---@param than string
---@return boolean
function M.is_older(version, than)
  local a, b = parts(version), parts(than)
  for i = 1, math.max(#a, #b) do
    local x, y = a[i] or 0, b[i] or 0
    if x ~= y then return x < y end
  end
  return false
end

--- From inside a coroutine.
---@param path string
---@param name string as the program calls itself
---@param least string the oldest version that serves
---@param install string what to do where it does not run
---@return sotto.finding
function M.look(path, name, least, install)
  local line, message = ask.first_line(path, "--version")
  local said, version = (line or ""):match "^(%S+) %(GnuPG[^)]*%) (%d%S*)"
  if said ~= name then
    return finding.fail(("%s does not run as %s: %s."):format(path, name, message or line), install)
  end
  if M.is_older(version, least) then
    return finding.fail(("%s %s (%s) is too old."):format(name, version, path),
      ("Install GnuPG %s or newer."):format(least))
  end
  return finding.ok(("%s %s (%s)."):format(name, version, path))
end

return M
