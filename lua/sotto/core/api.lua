-- SPDX-License-Identifier: GPL-3.0-or-later
-- The API table: every method as data, one file per noun. Checks, system.methods, the command line and its help are
-- made from it.
local json = require "sotto.json"

--- Parameter types. "peer" is a fingerprint, a unique prefix of at least 8 digits or an unambiguous name; "discussion"
--- likewise with an id, "proposal" an id or digits of it;
--- "address" is HOST:PORT; "path" is absolute; "secret" never becomes a Lua string (P2.4).
---@alias sotto.api.type
---| "string" | "secret" | "integer" | "boolean" | "strings" | "enum"
---| "address" | "path" | "peer" | "discussion" | "message" | "proposal"

---@class sotto.api.param
---@field name string
---@field type sotto.api.type
---@field text string what it is, for help
---@field required? boolean
---@field least? integer smallest integer, or fewest bytes of a string, or fewest strings
---@field most? integer largest integer; a string of more bytes, or a list of more strings, is too_large
---@field values? string[] of an enum
---@field standard? any the value that stands where it is left out
---@field unless? string of a secret: not asked for where the identity has that mark

---@class sotto.api.method
---@field name string "peers.show"
---@field noun string
---@field verb string
---@field text string one sentence
---@field params sotto.api.param[] in the order in which people give them
---@field asks? boolean the caller's person may be asked meanwhile: identity.cancel takes that back, or the caller's end
---@field one_of? string[] exactly one of these parameters is given
---@field result string what comes back, for help
---@field returns string "peer", "peer[]", … (lua/sotto/types/api.lua), "object" or "nothing"
---@field since integer API version
---@field capability string what a script must be granted to call it; "base" is everyone's
---@field errors string[] names of errors beside bad_params and internal

---@class sotto.api.event
---@field type string "message.received"
---@field noun string the field that holds the object
---@field text string
---@field since integer

local M = {}

--- Raised when a method is added or a meaning changes.
M.version = 1

--- Nouns in the order of help: { name, text, methods }.
M.nouns = {}
---@type table<string, sotto.api.method>
M.methods = {}
---@type sotto.api.event[]
M.events = {}

for _, name in ipairs { "system", "identity", "peers", "discussions", "messages", "proposals", "scripts", "events" } do
  local noun = require("sotto.core.api." .. name)
  M.nouns[#M.nouns + 1] = { name = name, text = noun.text, methods = noun.methods }
  for _, method in ipairs(noun.methods) do
    method.noun, method.verb = name, method.name
    method.name = name .. "." .. method.verb
    M.methods[method.name] = method
  end
  for _, event in ipairs(noun.events or {}) do M.events[#M.events + 1] = event end
end

--- The names under which a secret may come, over all methods: a line reader moves these out of reach, whatever the
--- method is.
---@return string[] in order
function M.secret_names()
  local seen, names = {}, {}
  for _, method in pairs(M.methods) do
    for _, param in ipairs(method.params) do
      if param.type == "secret" and not seen[param.name] then
        seen[param.name] = true
        names[#names + 1] = param.name
      end
    end
  end
  table.sort(names)
  return names
end

local function describe_method(method)
  local copy = {}
  for key, value in pairs(method) do copy[key] = value end
  copy.noun, copy.verb, copy.asks = nil, nil, nil
  copy.params, copy.errors = json.array {}, json.array { table.unpack(method.errors) }
  for i, param in ipairs(method.params) do copy.params[i] = param end
  return copy
end

--- The answer of system.methods.
function M.describe()
  local out = { api = M.version, methods = json.array(), events = json.array(), nouns = json.array() }
  for _, noun in ipairs(M.nouns) do
    out.nouns[#out.nouns + 1] = { name = noun.name, text = noun.text }
    for _, method in ipairs(noun.methods) do out.methods[#out.methods + 1] = describe_method(method) end
  end
  for _, event in ipairs(M.events) do out.events[#out.events + 1] = event end
  return out
end

return M
