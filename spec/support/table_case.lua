-- SPDX-License-Identifier: GPL-3.0-or-later
-- A table of neighbours for specs, and records as people's own cores would send them.
local peers = require "support.peers"

local M = {}

M.HOUR = 3600 * 1000
M.NOW = 1700000000000

function M.fpr(n) return ("%040X"):format(n) end
function M.key(n) return ("%032d"):format(n) end
M.CERTIFICATION = ("c"):rep(32)

-- A record of person n as its own core would send it now.
function M.record(n, change)
  local r = {
    fingerprint = M.fpr(n), name = "person " .. n, key = M.key(n), certification = M.CERTIFICATION, since = 1000,
    sequence = 1, issued = M.NOW, expires = M.NOW + M.HOUR, endpoints = { "10.0.0.1:4788" },
  }
  for k, v in pairs(change or {}) do r[k] = v end
  return r
end

function M.new(config)
  local t = peers.table(config)
  return t, function(r, options)
    options = options or {}
    local direct = options.direct
    if direct == nil then direct = true end
    return t:feed(r, options.source or "lan", options.from or "10.0.0.1:4788", direct, options.now or M.NOW)
  end
end

function M.addresses(t, n)
  local out = {}
  for i, a in ipairs(t:get(M.fpr(n)).addresses) do out[i] = a[1] .. (a[2] ~= 0 and "!" or "") end
  return table.concat(out, " ")
end

return M
