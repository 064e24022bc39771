-- SPDX-License-Identifier: GPL-3.0-or-later
-- The control socket at work: its clients' requests go to rpc, the engine's events to their subscribers.
local admissions = require "sotto.core.admissions"
local api = require "sotto.core.api"
local control = require "sotto.control"
local events = require "sotto.core.events"
local json = require "sotto.json"
local log = require "sotto.log"
local loop = require "sotto.loop"
local rpc = require "sotto.core.rpc"
local scripts = require "sotto.core.scripts"
local sys = require "sotto.sys"

local M = {}

-- after this the last answers have had their time
local CLOSE_MS = 500

-- --- a client of rpc and events -------------------------------------------------------------------

---@class sotto.core.client
---@field handle sotto.control.client
---@field outstanding integer calls that wait for their answers
local Client = {}
Client.__index = Client

function Client:reply(text)
  local ok, _, name = self.handle:send(text)
  if ok then
    -- who does not read its answers is not asked for more questions
    if self.handle:queued() > control.queue_mark then self.handle:pause() end
  elseif name == "busy" then
    -- an answer that is lost would leave its caller waiting for ever
    log.warn("a client does not read its answers, and is dropped")
    self.handle:close()
  end
end

function Client:send(line) return self.handle:send(line) end

function Client:queued() return self.handle:queued() end

--- A line of the client's that was read; nil and why where it could not be.
function Client:take(request, message, name)
  if request == nil then return rpc.refuse(self, message, name) end
  self.server.rpc:handle(self, request)
end

function Client:gone()
  self.server.events:unsubscribe(self)
  self.server.rpc:gone(self)
  self.server.scripts:client_gone(self)
end

-- --- the server -----------------------------------------------------------------------------------

---@class sotto.core.server
local Server = {}
Server.__index = Server

-- calls on a later turn
local function later(answer)
  return function(...)
    local results = table.pack(...)
    loop.defer(function() answer(table.unpack(results, 1, results.n)) end)
  end
end

-- what the engine has answered, as a handler's answer
local function raw(text, message, name)
  if type(text) == "string" then return json.raw(text) end
  return text, message, name
end

local function make_handlers(server, more)
  local described
  local handlers = {
    ["system.methods"] = function()
      described = described or json.raw(assert(json.encode(api.describe())))
      return described
    end,
    ["proposals.answer"] = function(client, params, answer)
      params.by = client.is_script and "policy" or "person"
      return raw(server.engine:call("proposals.answer", params, function(...) answer(raw(...)) end))
    end,
    ["proposals.explain"] = function(_, params, answer)
      admissions.explain(server.engine, server.scripts, params.proposal, later(answer))
      return false
    end,
    ["events.subscribe"] = function(client, params) return server.events:subscribe(client, params) end,
    ["events.unsubscribe"] = function(client)
      server.events:unsubscribe(client)
      return {}
    end,
  }
  for name, handler in pairs(more or {}) do handlers[name] = handler end
  return handlers
end

function Server:callbacks()
  local clients = self.clients
  return {
    open = function(handle)
      if self.closing then return handle:close() end
      clients[handle] = setmetatable({ handle = handle, outstanding = 0, server = self }, Client)
    end,
    request = function(handle, request, message, name)
      local client = clients[handle]
      if client then client:take(request, message, name) end
    end,
    drained = function(handle)
      handle:resume()
      if clients[handle] then self.events:drained(clients[handle]) end
    end,
    gone = function(handle)
      local client = clients[handle]
      clients[handle] = nil
      if client then client:gone() end
      if self.closing and not next(clients) then self:finish() end
    end,
  }
end

--- Opens the control socket.
---@param path string
---@param engine sotto.rpc.engine
---@param handlers? table<string, sotto.rpc.handler> methods that are neither the engine's nor the server's own
---@param rules? {limits: table<string, integer>, config: sotto.configured[]} of scripts: what each may use, and which
---  of them config.lua names
---@return sotto.core.server|nil, string? message, string? name
function M.open(path, engine, handlers, rules)
  local self = setmetatable({ clients = {}, engine = engine }, Server)
  self.events = events.new {
    make_line = control.line, defer = loop.defer, now = sys.now_ms, queue_mark = control.queue_mark,
  }
  local all = make_handlers(self, handlers)
  self.rpc = rpc.new(engine, all)
  self.scripts = scripts.new {
    engine = engine, rpc = self.rpc, events = self.events,
    limits = rules and rules.limits, config = rules and rules.config or {},
    event = function(type, noun, text) self:publish(type, noun, text) end,
    adopt = function(fd, host) return self:adopt(fd, host) end,
    opened = function() self.admissions:open() end,
    policies_changed = function() self.admissions:policies_changed() end,
  }
  self.admissions = admissions.new(engine, self.scripts)
  for method, handler in pairs(self.scripts:handlers()) do all[method] = handler end
  control.secrets(api.secret_names())
  local socket, message, name = control.listen(path, self:callbacks())
  if not socket then return nil, message, name end
  self.socket = socket
  return self
end

--- Starts the scripts that were loaded before.
function Server:start_scripts() self.scripts:open() end

--- Our end of a script's socket pair: one more client.
---@param fd integer the control socket's from now on
---@param host sotto.host
---@return table handle
function Server:adopt(fd, host)
  local handle = self.socket:adopt(fd)
  self.clients[handle] = host
  return handle
end

--- An event of the engine's.
function Server:publish(type, noun, text)
  self.events:publish(type, noun, text)
  if noun == "proposal" then self.admissions:hear(text) end
end

function Server:finish()
  if not self.socket then return end
  self.timer:stop()
  self.socket:close()
  self.socket = nil
  self.finished()
end

--- Ends it: what is queued still goes out, for half a second at most.
---@param finished fun()
function Server:close(finished)
  self.closing, self.finished = true, finished
  self.admissions:close()
  self.scripts:close()
  self.timer = loop.after(next(self.clients) and CLOSE_MS or 0, function() self:finish() end)
  for handle in pairs(self.clients) do handle:close() end
end

return M
