-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the core does for a script's process beside the API: files, pages and programs, each where it was granted.
local errors = require "sotto.core.errors"
local files = require "sotto.core.scripts.files"
local http = require "sotto.core.scripts.http"
local json = require "sotto.json"
local programs = require "sotto.core.scripts.programs"

local M = {}

-- a longer answer would not fit into the script's queue
local ANSWER_MAX = 4 << 20

---@class sotto.services
local Services = {}
Services.__index = Services

-- The methods, with the service that each belongs to and the capability for it.
local METHODS = { ["script.http"] = "http", ["script.files"] = "files", ["script.command"] = "command" }

---@param method string
---@return boolean
function M.has(method) return METHODS[method] ~= nil end

-- config.lua may let a script that needs http reach further than it says itself
local function effective(needs, granted)
  local list = { table.unpack(needs) }
  for _, need in ipairs(granted) do
    if need == "http:private" then list[#list + 1] = need end
  end
  return list
end

---@param needs string[] all of them granted
---@param granted string[]
---@param limits table<string, integer>
---@param host sotto.host
---@return sotto.services
function M.new(needs, granted, limits, host)
  local list = effective(needs, granted)
  return setmetatable({
    host = host, http = http.new(list, limits.http_bytes), files = files.new(needs, limits.file_size),
    command = programs.new(needs, host),
  }, Services)
end

local function reply(self, id, result, message, name)
  if id == nil then return end
  local problem = result == nil and errors.make(name or "internal", message) or nil
  local text = assert(json.encode { jsonrpc = "2.0", id = id, result = result, error = problem })
  if #text > ANSWER_MAX then
    problem = errors.make("too_large", "the answer is too long for a script")
    text = assert(json.encode { jsonrpc = "2.0", id = id, error = problem })
  end
  self.host:reply(text)
end

--- Carries out a request of the script's process.
---@param request {id: any, method: string, params: table}
function Services:call(request)
  local name = METHODS[request.method]
  local service = self[name]
  local function answer(...) reply(self, request.id, ...) end
  if not service then
    local wanted = name == "http" and "http" or name == "files" and "files:PATH" or "command:PROGRAM"
    return answer(nil, ("this needs the capability '%s'"):format(wanted), "refused")
  end
  local params = type(request.params) == "table" and request.params or {}
  if name == "files" then return answer(service:call(params)) end
  service:call(params, answer)
end

--- Ends all that is under way.
function Services:close()
  if self.http then self.http:close() end
  if self.command then self.command:close() end
end

return M
