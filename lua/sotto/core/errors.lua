-- SPDX-License-Identifier: GPL-3.0-or-later
-- The API's errors: stable names (engine/base/err.h), and the numbers that JSON-RPC wants beside them.
local M = {}

M.parse = -32700
M.invalid_request = -32600
M.unknown_method = -32601

--- Numbers of names. What JSON-RPC itself does not define is from -32001 downward.
M.codes = {
  bad_params = -32602,
  internal = -32603,
  not_found = -32001,
  ambiguous = -32002,
  wrong_state = -32003,
  refused = -32004,
  locked = -32005,
  too_large = -32006,
  busy = -32007,
  timeout = -32008,
  canceled = -32009,
  crypto = -32010,
  io = -32011,
  unsupported = -32012,
  bad_input = -32013,
  script = -32014, -- a script's own error
}

---@class sotto.rpc.error
---@field code integer
---@field message string
---@field data {name: string}

---@param name string
---@param message? string standard: the name
---@param code? integer where it is not the name's own
---@param data? table further fields of data
---@return sotto.rpc.error
function M.make(name, message, code, data)
  local known = M.codes[name] and name or "internal"
  local out = { name = known }
  for key, value in pairs(data or {}) do out[key] = value end
  return { code = code or M.codes[known], message = message or known, data = out }
end

return M
