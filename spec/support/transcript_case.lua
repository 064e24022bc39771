-- SPDX-License-Identifier: GPL-3.0-or-later
-- A transcript machine of member 1 for specs: what it takes from a link, and what came of it.
local transcript = require "support.transcript"
local world = require "support.messages_world"
local wire = require "support.wire"
local encode = world.payload.encode

---@class support.transcript_case what the specs look at
---@field t userdata the machine
---@field roster table
---@field log table[] actions since the last look
---@field opens table[] OPENs that nobody has answered
local M = {}

local ME, BOB = 1, 2

M.H = wire.hash

function M.item(nonce, text)
  return { type = 0, nonce = (nonce .. ("-"):rep(16)):sub(1, 16), time_ms = 5, text = text or "text of " .. nonce }
end

M.CLOSE = { type = 1 }

-- Bytes of a payload; of Bob's first one, unless said otherwise.
function M.payload(t)
  local p = {
    discussion = world.discussion, epoch = 0, roster_hash = world.roster_hash, sender = world.fingerprint(BOB),
    sequence = 1, previous = world.roster_hash, seen = {}, time_ms = 1, items = { M.item "a" },
  }
  for k, v in pairs(t or {}) do p[k] = v end
  return assert(encode(p))
end

-- Payloads 1 to n of a member, each with the hash of the one before.
function M.chain(n, sender)
  local list, previous = {}, world.roster_hash
  for i = 1, n do
    list[i] = M.payload { sequence = i, previous = previous, sender = world.fingerprint(sender or BOB),
      items = { M.item(("%d of %d"):format(i, sender or BOB)) } }
    previous = M.H(list[i])
  end
  return list
end

function M.new(options)
  options = options or {}
  M.roster = world.roster(options.n or 3, options.discussion)
  M.t = transcript.new {
    own = world.fingerprint(ME), roster = M.roster, roster_hash = world.roster_hash, heads = options.heads,
    closed = options.closed, cut = options.cut,
  }
  M.log, M.opens = {}, {}
end

function M.step(event)
  local actions = M.t:step(event)
  for _, a in ipairs(actions) do
    M.log[#M.log + 1] = a
    if a.type == "open" then M.opens[#M.opens + 1] = a end
  end
  return actions
end

-- the types of the actions since the last look
function M.took()
  local names = {}
  for i, a in ipairs(M.log) do names[i] = a.type .. (a.reason and " " .. a.reason or "") end
  local all = M.log
  M.log = {}
  return table.concat(names, ", "), all
end

function M.receive(bytes, o)
  o = o or {}
  local frame = wire.sealed_encode(world.fingerprint(o.sender or BOB), o.epoch or 0, o.sequence or 1,
    o.message or world.seal(o.roster or M.roster, o.signer or o.sender or BOB, bytes))
  return M.step { type = "received", member = o.from or BOB, frame = frame }
end

-- gpg's answer to an OPEN
function M.opened(a, code)
  local bytes, why = world.open(M.roster, ME, a.sender, a.message)
  return M.step { type = "opened", ticket = a.ticket, code = code or why, payload = not code and bytes or nil,
    session_key = "9:K" }
end
function M.open_all() while #M.opens > 0 do M.opened(table.remove(M.opens, 1)) end end
function M.committed(skipped) return M.step { type = "committed", skipped = skipped } end

-- all the way
function M.accept(bytes, o)
  M.receive(bytes, o)
  M.open_all()
  M.committed()
  return M.took()
end

function M.dropped(reason) return M.t:counters().dropped[reason] or 0 end

return M
