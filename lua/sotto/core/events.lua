-- SPDX-License-Identifier: GPL-3.0-or-later
-- Events: numbered from 1, kept in a ring, given to subscribers at the end of the loop's turn.
--
-- A subscriber's queue is its place in the ring, so that many slow ones cost no memory: events are handed to the
-- socket's queue while there is room, and when the ring overtakes the place, the subscriber is told with events.lagged.
-- Nothing here knows of sockets: a client is whoever has send(line) and queued(), and somebody calls `drained` for it.
local M = {}

M.RING_COUNT = 4096
M.RING_BYTES = 32 << 20
M.BATCH_COUNT = 1000
M.BATCH_BYTES = 512 << 10

---@class sotto.events.entry
---@field type string
---@field noun string
---@field time integer
---@field text string the object as JSON
---@field line userdata|nil the whole line, shared by all queues; only within a turn

---@class sotto.events.client
---@field send fun(self, line: any): boolean|nil, string?, string? nothing was taken where it fails
---@field queued fun(self): integer bytes that wait

---@class sotto.events.subscription
---@field client sotto.events.client
---@field next integer the seq that comes next for it
---@field batch boolean
---@field types table<string, boolean>|nil exact types
---@field nouns table<string, boolean>|nil of "noun.*"
---@field accepts (fun(entry: sotto.events.entry): boolean)|nil what else must hold

---@class sotto.events
local Events = {}
Events.__index = Events

---@class sotto.events.options
---@field make_line fun(text: string): any bytes that many queues share; standard: the text itself
---@field defer fun(f: fun()) calls at the end of the turn
---@field now fun(): integer milliseconds since 1970
---@field queue_mark integer a client with more bytes queued gets nothing until it is drained

---@param options sotto.events.options
---@return sotto.events
function M.new(options)
  return setmetatable({
    make_line = options.make_line or function(text) return text end,
    defer = options.defer,
    now = options.now,
    queue_mark = options.queue_mark,
    seq = 0,
    oldest = 1,
    ring = {},
    bytes = 0,
    subscriptions = {},
    fresh = {},
  }, Events)
end

function Events:drop_oldest()
  self.bytes = self.bytes - #self.ring[self.oldest].text
  self.ring[self.oldest] = nil
  self.oldest = self.oldest + 1
end

function Events:flush_later()
  if self.planned then return end
  self.planned = true
  self.defer(function()
    self.planned = false
    for _, subscription in pairs(self.subscriptions) do self:flush(subscription) end
    -- the queues hold their own references
    for _, entry in ipairs(self.fresh) do entry.line = nil end
    self.fresh, self.last_batch = {}, nil
  end)
end

--- Takes an event.
---@param type string
---@param noun string
---@param text string the object as JSON
function Events:publish(type, noun, text)
  self.seq = self.seq + 1
  self.ring[self.seq] = { type = type, noun = noun, time = self.now(), text = text }
  self.bytes = self.bytes + #text
  while self.seq - self.oldest >= M.RING_COUNT or (self.bytes > M.RING_BYTES and self.oldest < self.seq) do
    self:drop_oldest()
  end
  if next(self.subscriptions) then self:flush_later() end
end

local ENVELOPE = '{"jsonrpc":"2.0","method":"event","params":{"seq":%d,"type":"%s","time":%d,"%s":'

local function line_text(seq, entry, noun, text)
  return ENVELOPE:format(seq, entry.type, entry.time, noun) .. text .. "}}"
end

function Events:single(seq, entry)
  if not entry.line then
    entry.line = self.make_line(line_text(seq, entry, entry.noun, entry.text))
    self.fresh[#self.fresh + 1] = entry
  end
  return entry.line
end

local function wanted(subscription, entry)
  if subscription.accepts and not subscription.accepts(entry) then return false end
  if not subscription.types then return true end
  return subscription.types[entry.type] or subscription.nouns[entry.type:match("^[^.]*")] or false
end

-- The run of messages from `first` on that this subscriber gets as one event: its line, and the seq of the last.
function Events:batch(subscription, first)
  local type, texts, bytes, last = self.ring[first].type, {}, 0, first
  for seq = first, self.seq do
    local entry = self.ring[seq]
    if entry.type == type then
      bytes = bytes + #entry.text
      if #texts == M.BATCH_COUNT or (bytes > M.BATCH_BYTES and #texts > 0) then break end
      texts[#texts + 1], last = entry.text, seq
    elseif wanted(subscription, entry) then
      break
    end
  end
  local known = self.last_batch
  if not known or known.first ~= first or known.last ~= last then
    local text = line_text(last, self.ring[last], "messages", "[" .. table.concat(texts, ",") .. "]")
    known = { first = first, last = last, line = self.make_line(text) }
    self.last_batch = known
  end
  return known.line, last
end

local LAGGED = '{"dropped":%d,"resume_after":%d}'

-- true when it was sent
function Events:tell_lag(subscription)
  local dropped, resume_after = self.oldest - subscription.next, self.oldest - 1
  local entry = { type = "events.lagged", time = self.now() }
  local text = line_text(resume_after, entry, "events", LAGGED:format(dropped, resume_after))
  -- also beside the object, where most readers look first
  text = text:sub(1, -3) .. (',"dropped":%d,"resume_after":%d}}'):format(dropped, resume_after)
  if not subscription.client:send(self.make_line(text)) then return false end
  subscription.next = self.oldest
  return true
end

-- Gives a subscriber what it has not had, while its queue takes it; `drained` goes on.
function Events:flush(subscription)
  local client = subscription.client
  while subscription.next <= self.seq and client:queued() <= self.queue_mark do
    if subscription.next < self.oldest then
      if not self:tell_lag(subscription) then return end
    else
      local entry, last = self.ring[subscription.next], subscription.next
      if wanted(subscription, entry) then
        local line
        if subscription.batch and entry.noun == "message" then
          line, last = self:batch(subscription, last)
        else
          line = self:single(last, entry)
        end
        if not client:send(line) then return end
      end
      subscription.next = last + 1
    end
  end
end

-- types and nouns as sets; nil, message where one is no filter
local function parse_filter(types)
  if not types then return true, nil, nil end
  local exact, nouns = {}, {}
  for _, filter in ipairs(types) do
    local noun, rest = filter:match("^([a-z_]+)%.([a-z_*]+)$")
    if noun and rest == "*" then
      nouns[noun] = true
    elseif noun and not rest:find("*", 1, true) then
      exact[filter] = true
    else
      return nil, ("'types' must be of the form \"noun.verb\" or \"noun.*\", not \"%s\""):format(filter:sub(1, 64))
    end
  end
  return true, exact, nouns
end

--- Begins, or changes, a client's subscription.
---@param client sotto.events.client
---@param params {types?: string[], after?: integer, batch?: boolean}
---@param accepts? fun(entry: sotto.events.entry): boolean a filter beside the types
---@return {seq: integer}|nil, string? message, string? name
function Events:subscribe(client, params, accepts)
  local ok, types, nouns = parse_filter(params.types)
  if not ok then return nil, types, "bad_params" end
  local subscription = self.subscriptions[client] or { client = client, next = self.seq + 1 }
  subscription.types, subscription.nouns, subscription.batch = types, nouns, params.batch or false
  subscription.accepts = accepts
  -- a number from an earlier core's life is beyond any of this one's
  if params.after and params.after <= self.seq then subscription.next = params.after + 1 end
  self.subscriptions[client] = subscription
  self:flush_later()
  return { seq = self.seq }
end

---@param client sotto.events.client
---@return integer|nil last the seq of the last event that it has got, or passed over
function Events:unsubscribe(client)
  local subscription = self.subscriptions[client]
  self.subscriptions[client] = nil
  return subscription and subscription.next - 1
end

--- The client's queue has room again.
---@param client sotto.events.client
function Events:drained(client)
  local subscription = self.subscriptions[client]
  if subscription then self:flush(subscription) end
end

return M
