-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a script asks for, put to the person: a load or a reload that is refused for want of grants is asked about, and
-- tried again where the person agrees.
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"

local M = {}

local METHODS = { ["scripts.load"] = true, ["scripts.reload"] = true }

--- What is missing, a line for each capability; nil where the failure is another.
---@param method string
---@param name string|nil of the error
---@param message string|nil
---@return string[]|nil
function M.missing(method, name, message)
  local text = METHODS[method] and name == "refused" and message:match("^not granted: ([^\n]*)$")
  if not text then return nil end
  local list = {}
  for need in (text:gsub(" %(the old text keeps running%)$", "") .. "; "):gmatch("(.-); ") do list[#list + 1] = need end
  return list
end

---@param answer string|nil what a person typed
---@return boolean
function M.is_yes(answer)
  local word = (answer or ""):lower():match("^%s*(.-)%s*$")
  return word == "yes" or word == "y"
end

--- Asks at the terminal; false where there is none. Each capability is agreed to by itself: a person who wants all but
--- one wants another script.
---@param missing string[]
---@return boolean
function M.ask_terminal(missing)
  if not (sys.isatty(0) and sys.isatty(2)) then return false end
  io.stderr:write("The script asks for what you have not granted yet:\n")
  for _, need in ipairs(missing) do
    io.stderr:write("  ", terminal.escape(need), "\nGrant that? [y/N] ")
    if not M.is_yes(io.stdin:read "l") then return false end
  end
  return true
end

--- The call; where it lacks grants, `ask` is given what is missing and says whether to grant it.
---@param call fun(method: string, params: table): any, string?, string?, table?
---@param method string
---@param params table
---@param ask fun(missing: string[]): boolean
---@return any result, string? message, string? name, table? object
function M.call(call, method, params, ask)
  local result, message, name, object = call(method, params)
  local missing = message and M.missing(method, name, message)
  if not missing or params.grant or not ask(missing) then return result, message, name, object end
  params.grant = true
  return call(method, params)
end

return M
