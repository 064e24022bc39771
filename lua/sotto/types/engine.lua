-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
---@meta sotto.engine

--- The C engine, for the core alone. Results and events are JSON text, encoded once.
---@class sotto.engine
---@field options { name: string, standard: integer, least: integer, most: integer, text: string }[] what options may hold
local engine = {}

---@class sotto.engine.config
---@field home? string
---@field data string
---@field run string
---@field listen? string
---@field discover? string
---@field options? table<string, integer>
---@field ready fun(ok: boolean|nil, message?: string, name?: string) calls are answered from now on, or never
---@field event fun(type: string, noun: string, text: string)
---@field stopped fun() after stop, or system.stop

---@class sotto.engine.handle
local handle = {}

--- A method. Its JSON text; or false, and `answer` is called once, later; or nil, message, name. Secrets among the parameters
--- are handed on as they are.
---@param method string
---@param params table<string, any>|nil
---@param answer fun(text: string|nil, message?: string, name?: string)
---@return string|false|nil, string? message, string? name
function handle:call(method, params, answer) end

--- In good order: links, agents, store; then `stopped`.
function handle:stop() end

---@param config sotto.engine.config
---@return sotto.engine.handle|nil, string? message, string? name
function engine.open(config) end

--- Reads a store's file through, and changes nothing. It blocks for as long as that takes: in a process of its own.
---@param path string
---@return boolean|nil whole, string? message, string? name "not_found", "bad_input": no store, "unsupported": a newer one, "io"
function engine.inspect(path) end

return engine
