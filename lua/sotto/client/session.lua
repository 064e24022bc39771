-- SPDX-License-Identifier: GPL-3.0-or-later
-- Where this front end's person is: what the core tells the pinentry of the user's own GnuPG for an adopted key.
local json = require "sotto.json"
local sys = require "sotto.sys"

local M = {}

-- as engine/openpgp/session.c takes them; GPG_TTY is found out, for the environment's may be another window's
local NAMES = {
  "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_SESSION_TYPE", "XMODIFIERS", "DBUS_SESSION_BUS_ADDRESS",
  "QT_QPA_PLATFORM", "QT_IM_MODULE", "GTK_IM_MODULE", "INSIDE_EMACS", "PINENTRY_USER_DATA", "LANG", "LC_ALL",
  "LC_CTYPE", "LC_MESSAGES",
}

local function terminal()
  return sys.isatty(0) and sys.isatty(1) and sys.realpath "/proc/self/fd/0" or nil
end

--- "NAME=value" each.
---@return string[]
function M.variables()
  local found = json.array {}
  local tty = terminal()
  if tty then found[1] = "GPG_TTY=" .. tty end
  for _, name in ipairs(NAMES) do
    local value = sys.getenv(name)
    if value and value ~= "" and not value:find("%c") then found[#found + 1] = name .. "=" .. value end
  end
  return found
end

--- Fills a call's parameter "session", where the method has one and nobody gave it.
---@param method sotto.api.method
---@param params table<string, any>
function M.fill(method, params)
  for _, param in ipairs(method.params) do
    if param.name == "session" and params.session == nil then params.session = M.variables() end
  end
end

return M
