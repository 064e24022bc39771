-- SPDX-License-Identifier: GPL-3.0-or-later
-- People for spec/scenario whose cores live on a LAN of support.lans, and what they see of each other.
local cores = require "support.cores"
local lans = require "support.lans"

local M = {}

--- A person whose core runs there, with an identity. Standard: every address, any port, discovery as it comes.
---@param name string
---@param place support.lan.place
---@param options? support.person.options
---@return support.person
function M.person(name, place, options)
  local all = { netns = place.netns, listen = "[::]:0", discover = false }
  for key, value in pairs(options or {}) do all[key] = value end
  return cores.person(name, all)
end

--- Waits for `who` to be told of the other.
---@return table peer
function M.seen(who, other, ms)
  return who:event("peer.seen", { fingerprint = other.fingerprint }, ms)
end

--- What `who` knows of the other.
---@return table|nil peer
function M.of(who, other)
  for _, peer in ipairs(who:call "peers.list") do
    if peer.fingerprint == other.fingerprint then return peer end
  end
end

function M.is_online(who, other)
  local peer = M.of(who, other)
  return peer and peer.online
end

--- Ends the cores and removes the networks, also after a failure.
function M.clean()
  local ok, problem = pcall(cores.clean)
  lans.clean()
  if not ok then error(problem, 0) end
end

return M
