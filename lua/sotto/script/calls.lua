-- SPDX-License-Identifier: GPL-3.0-or-later
-- The API as scripts call it: sotto.messages.send{…} looks blocking and waits inside its handler. A failure is an
-- error that pcall gives as a table {name, message}; its text is the message.
local M = {}

-- an API failure: tostring gives the message, fields tell the rest
local failure = { __tostring = function(self) return self.message end, __name = "sotto.failure" }

---@param name string the error's name, as "not_found"
---@param message string
function M.failure(name, message) return setmetatable({ name = name, message = message }, failure) end

--- Nouns with their methods: { messages = { send = f, … }, … }.
---@param methods string[] "messages.send"
---@param call fun(method: string, params: table): any, string?, string? waits; nil, message, name on failure
---@return table<string, table<string, function>>
function M.nouns(methods, call)
  local nouns = {}
  for _, method in ipairs(methods) do
    local noun, verb = method:match("^(.-)%.(.*)$")
    nouns[noun] = nouns[noun] or setmetatable({}, {
      __index = function(_, name) error(("there is no method %s.%s"):format(noun, tostring(name)), 2) end,
    })
    nouns[noun][verb] = function(params)
      if params ~= nil and type(params) ~= "table" then
        error(("%s takes a table of parameters"):format(method), 2)
      end
      local result, message, name = call(method, params or {})
      if message then error(M.failure(name or "internal", message), 2) end
      return result
    end
  end
  return nouns
end

return M
