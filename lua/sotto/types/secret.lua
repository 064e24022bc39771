-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.secret

--- A password in locked memory. There is no way from it to a Lua string: tostring says "secret", json.encode refuses it.
--- `==` compares contents. stream:send_json embeds it; the engine takes it as a parameter.
---@class sotto.secret
local secret = {}

---@class sotto.secret.module
local M = {}

--- A copy of a text that Lua holds already (so better not, where the text came from a person). At most 1024 bytes.
---@param text string
---@return sotto.secret
function M.new(text) end

--- Reads up to the end of a line from the descriptor (0: standard input), waiting for it; the newline is left out. Bytes after the
--- newline stay unread. For `--password -`.
---@param fd integer
---@return sotto.secret|nil, string? message, string? name
function M.read_line(fd) end

--- Asks on the process's terminal, without echo, waiting for the answer. "canceled" at Ctrl-C or Ctrl-D, "unsupported" without a
--- terminal.
---@param prompt string
---@return sotto.secret|nil, string? message, string? name
function M.ask(prompt) end

---@return boolean
function secret:is_empty() end

---@param bytes integer
---@return boolean
function secret:is_longer_than(bytes) end

--- Overwrites it now; using it afterwards is an error.
function secret:wipe() end

return M
