-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.control

--- The control socket, for the core alone.
---@class sotto.control
---@field queue_mark integer bytes: half of what may wait for one client; `drained` comes when it falls below again
---@field line_max integer bytes of a request's line
local control = {}

---@class sotto.control.client
local client = {}
--- "busy", and nothing taken, where the queue is full; "wrong_state" after its end.
---@param line string|userdata a text without a newline, or control.line's
---@return boolean|nil ok, string? message, string? name
function client:send(line) end
---@return integer bytes that wait to be written
function client:queued() end
---@return integer bytes that a send could take now
function client:room() end
--- No request comes until resume.
function client:pause() end
function client:resume() end
--- What is queued still goes out, for two seconds at most; then `gone` comes.
function client:close() end

---@class sotto.control.callbacks
---@field open? fun(client: sotto.control.client)
---@field request? fun(client: sotto.control.client, request: any, message?: string, name?: string) nil, message and
---  "bad_input" or "too_large" for a line that cannot be read
---@field drained? fun(client: sotto.control.client)
---@field gone? fun(client: sotto.control.client) after this its methods do nothing

---@class sotto.control.socket
local socket = {}
--- Takes one end of a socketpair as a client; `open` is not called for it.
---@param fd integer
---@return sotto.control.client
function socket:adopt(fd) end
--- Closes all clients at once, without `gone`, and removes the socket.
function socket:close() end

--- Only processes of this user are accepted, 64 at a time.
---@param path string of any length
---@param callbacks sotto.control.callbacks
---@return sotto.control.socket|nil, string? message, string? name
function control.listen(path, callbacks) end

--- A line that many clients share as one copy.
---@param text string without a newline
---@return userdata
function control.line(text) end

--- The parameter names (up to 16) that carry secrets: whatever stands under them in a request reaches Lua as sotto.secret.
---@param names string[]
function control.secrets(names) end

--- A request's line as `request` would get it.
---@param line string
---@return any|nil request, string? message, string? name
function control.parse(line) end

return control
