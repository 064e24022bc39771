-- SPDX-License-Identifier: GPL-3.0-or-later
-- A machine as people have it: with a runtime directory of the user's, where GnuPG then keeps its sockets. In a mount
-- namespace, for what is there is the machine's.
local gnupg = require "support.gnupg"

local M = {}

local SET_UP = [[
set -e
mount -t tmpfs none /run
mkdir -p /run/user
mkdir -m 700 /run/user/$(id -u)
export XDG_RUNTIME_DIR=/run/user/$(id -u)
]]

local function unshare() return gnupg.run("id -u") == "0\n" and "unshare -m" or "unshare -Urm" end

--- Whether this user may make such a namespace.
---@return boolean
function M.possible()
  return (select(2, gnupg.run("%s mount -t tmpfs none /run", unshare()))) or false
end

--- Runs a shell script there.
---@param script string
---@return string output, boolean ok
function M.run(script)
  local output, ok = gnupg.run("%s sh -c %s", unshare(), gnupg.quote(SET_UP .. script))
  return output, ok or false
end

return M
