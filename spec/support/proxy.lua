-- SPDX-License-Identifier: GPL-3.0-or-later
-- Somebody on the wire between two cores: takes the calls that are for one of them, and passes the frames on, or others.
local net = require "support.net"
local stream = require "support.net_stream"
local waiting = require "support.waiting"
local wire = require "support.wire"

local CAP = 1 << 20

local M = {}

---@class support.proxy.frame
---@field way "out"|"back" out: from who called
---@field number integer of its way on its link, from 1
---@field kind integer
---@field payload string

---@class support.proxy
---@field at string where it listens
---@field calls integer how many links there were
---@field frames support.proxy.frame[] all that passed, as they came
---@field tamper nil|fun(frame: support.proxy.frame): string|false|nil the bytes to pass on instead; false: nothing
local Proxy = {}
Proxy.__index = Proxy

--- A frame's bytes.
---@param kind integer
---@param payload string
function M.encode(kind, payload) return assert(wire.frame_encode(kind, payload, CAP)) end

local Half = {}
Half.__index = Half

local function end_link(link)
  if link.over then return end
  link.over = true
  for _, half in pairs(link.halves) do half.stream:finish() end
  waiting.wake()
end

local function pass_on(self, link, half, frame)
  local bytes = M.encode(frame.kind, frame.payload)
  self.frames[#self.frames + 1] = frame
  local instead = self.tamper and self.tamper(frame)
  if instead == false then return end
  local to = link.halves[half.way == "out" and "back" or "out"]
  if not link.over then assert(to.stream:send(instead or bytes)) end
end

local function take(self, link, half)
  local rest = half.rest .. half.stream:take()
  while #rest > 0 do
    local left, kind, payload = half.decoder:take(rest)
    if not left then return end_link(link) end
    rest = left
    if not kind then break end
    half.count = half.count + 1
    pass_on(self, link, half, { way = half.way, number = half.count, kind = kind, payload = payload })
  end
  half.rest = rest
  waiting.wake()
end

-- Which way its bytes go: what comes from the caller goes "out".
local function new_half(self, link, way, where)
  local half = setmetatable({ way = way, rest = "", count = 0, decoder = wire.frame_decoder(CAP) }, Half)
  link.halves[way] = half
  half.stream = assert(stream.stream(where, {
    queue_max = 8 << 20,
    input = function() take(self, link, half) end,
    ended = function() end_link(link) end,
  }))
end

--- Listens at one address and calls the other.
---@param at string
---@param to string
---@return support.proxy
function M.new(at, to)
  local self = setmetatable({ calls = 0, frames = {}, links = {}, at = at }, Proxy)
  self.listener = assert(net.listen(at, function(_, fd)
    local link = { halves = {} }
    self.calls = self.calls + 1
    self.links[#self.links + 1] = link
    new_half(self, link, "out", fd)
    new_half(self, link, "back", to)
  end))
  return self
end

--- Takes the place of a core: whoever knows it calls here from now on, and it lives behind this.
---@param who support.person
---@return support.proxy
function M.before(who)
  local address = who.address
  who:stop()
  -- so that it does not take its port again
  local placeholder = M.new(address, "127.0.0.1:9")
  who:start()
  assert(who.address ~= address, "the core took its port again")
  placeholder:close()
  return M.new(address, who.address)
end

--- Puts bytes on the newest link, as if they came from who called ("out") or who was called ("back").
function Proxy:inject(way, bytes)
  assert(self:link().halves[way == "out" and "back" or "out"].stream:send(bytes))
end

--- The newest link, for wait_end.
function Proxy:link() return assert(self.links[#self.links], "nobody has called") end

--- Waits until that link has ended; there may be another one by then.
function M.wait_end(link)
  waiting.wait("the end of the link on the wire", function() return link.over end)
end

--- Forgets what has passed, and meddles no more.
function Proxy:rest() self.frames, self.tamper = {}, nil end

function Proxy:close()
  for _, link in ipairs(self.links) do
    for _, half in pairs(link.halves) do half.stream:free() end
  end
  self.listener:free()
end

return M
