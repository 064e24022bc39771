-- SPDX-License-Identifier: GPL-3.0-or-later
-- An outbox machine of member 1 for specs, on a disk that answers at once, as in the shell; seals wait for M.sealed.
local outbox = require "support.outbox"
local transcript = require "support.transcript"
local world = require "support.messages_world"
local assert = require "luassert"

local ME = 1

---@class support.outbox_case what the specs look at
---@field o userdata the machine
---@field roster table
---@field disk {own: table[], rows: table[], by_id: table, acked: table, closing: boolean}
---@field log table[] actions since the last look
---@field sealing table|nil the seal under way
---@field fails table<string, any> "commit", "store", "ack", "failed", "load": the code to fail with; silent: no answer at all
---@field others userdata the transcript
---@field number integer of the message that was made last
local M = {}

-- A machine on what the disk has.
function M.restore(t)
  local config = {
    own = world.fingerprint(ME), roster = M.roster, roster_hash = world.roster_hash, transcript = M.others,
    built = #M.disk.own, head = #M.disk.own > 0 and M.disk.own[#M.disk.own].hash or nil, acknowledged = M.disk.acked,
    closing = M.disk.closing, queued = {},
  }
  for _, row in ipairs(M.disk.rows) do
    if not row.sequence and not row.held then table.insert(config.queued, row) end
  end
  for k, v in pairs(t or {}) do config[k] = v end
  M.o, M.log, M.sealing = outbox.new(config), {}, nil
end

function M.new(n, t)
  M.roster = world.roster(n or 3)
  M.others = transcript.new { own = world.fingerprint(ME), roster = M.roster, roster_hash = world.roster_hash,
    heads = t and t.heads }
  M.disk = { own = {}, rows = {}, by_id = {}, acked = {} }
  M.fails, M.number = {}, 0
  M.restore()
end

local disk_does = {}

function disk_does.commit(a)
  if M.fails.commit then return { type = "committed", code = M.fails.commit } end
  for _, p in ipairs(a.payloads) do
    assert.equal(#M.disk.own + 1, p.sequence)
    M.disk.own[p.sequence] = { hash = p.hash, payload = p.bytes }
  end
  for _, r in ipairs(a.rows) do
    local row = M.disk.by_id[r.id]
    assert.equal(r.fresh, row == nil)
    if not row then
      row = { id = r.id, nonce = r.nonce, time = r.time, text = r.text }
      M.disk.by_id[r.id] = row
      table.insert(M.disk.rows, row)
    end
    assert.equal(r.released, row.held == true)
    row.sequence, row.index, row.held = r.sequence, r.index, nil
  end
  M.disk.closing = M.disk.closing or a.closes
  return { type = "committed" }
end

function disk_does.store_sealed(a)
  if M.fails.store then return { type = "stored", code = M.fails.store } end
  M.disk.own[a.sequence].message = a.message
  return { type = "stored" }
end

function disk_does.store_ack(a)
  if M.fails.ack then return { type = "ack_stored", code = M.fails.ack } end
  M.disk.acked[a.member] = a.sequence
  return { type = "ack_stored" }
end

function disk_does.failed()
  return { type = "failed_stored", code = M.fails.failed }
end

function disk_does.load(a)
  if M.fails.load then return { type = "loaded", code = M.fails.load } end
  local rows = {}
  for s = a.after + 1, math.min(#M.disk.own, a.after + a.count) do
    rows[#rows + 1] = { sequence = s, payload = M.disk.own[s].payload, message = M.disk.own[s].message }
  end
  return { type = "loaded", rows = rows }
end

-- The disk answers at once, as in the shell; seals wait for sealed().
function M.step(event)
  event.now = event.now or 1000
  for _, a in ipairs(M.o:step(event)) do
    M.log[#M.log + 1] = a
    if a.type == "seal" then M.sealing = a end
    local answer = disk_does[a.type] and not M.fails.silent and disk_does[a.type](a)
    if answer then M.step(answer) end
  end
end

-- the types of the actions since the last look, and the actions
function M.took()
  local names = {}
  for i, a in ipairs(M.log) do names[i] = a.type end
  local all = M.log
  M.log = {}
  return table.concat(names, ", "), all
end

function M.find(type)
  local found = {}
  for _, a in ipairs(M.log) do
    if a.type == type then found[#found + 1] = a end
  end
  M.log = {}
  return found
end

function M.submit(count, text, ticket)
  local list = {}
  for i = 1, count or 1 do
    M.number = M.number + 1
    list[i] = world.message(ME, M.number, text)
  end
  M.step { type = "submit", ticket = ticket or M.number, messages = list }
  return list
end

-- Messages that are on disk, in state held.
function M.hold(count)
  local list = {}
  for i = 1, count do
    M.number = M.number + 1
    local m = world.message(ME, M.number)
    local row = { id = m.id, nonce = m.nonce, time = m.time, text = m.text, held = true }
    M.disk.by_id[m.id] = row
    table.insert(M.disk.rows, row)
    list[i] = m
  end
  return list
end

function M.release(list, ticket) M.step { type = "release", ticket = ticket or 1, messages = list } end

function M.sealed(code)
  local a = assert(M.sealing, "nothing is being sealed")
  M.sealing = nil
  M.step { type = "sealed", code = code, message = not code and world.seal(M.roster, ME, a.payload) or nil }
  return a
end
function M.seal_all() while M.sealing do M.sealed() end end

-- so many payloads of one message
function M.build(count)
  for _ = 1, count do
    M.submit()
    M.seal_all()
  end
  M.log = {}
end

function M.link(member, sequence)
  M.step { type = "link_up", member = member, sequence = sequence,
    hash = sequence and sequence > 0 and M.disk.own[sequence] and M.disk.own[sequence].hash or nil }
end
function M.ack(member, sequence) M.step { type = "ack", member = member, sequence = sequence } end

-- "member:sequence …" of all that was transmitted since the last look
function M.transmitted()
  local list = {}
  for i, a in ipairs(M.find "transmit") do list[i] = a.member .. ":" .. a.sequence end
  return table.concat(list, " ")
end

return M
