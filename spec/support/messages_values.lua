-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a discussion without gpg has: members, messages, payloads, and seals that bind signer, recipients and bytes as
-- OpenPGP does. Numbers come from a seed.
local wire = require "support.wire"
local codec = require("support.wire_links").payload

local M = { payload = codec }

M.discussion = ("d"):rep(32)
M.roster_hash = wire.hash "the roster"

function M.fingerprint(i) return ("%040X"):format(0xF00 + i) end

function M.roster(n, discussion)
  local members = {}
  for i = 1, n do members[i] = M.fingerprint(i) end
  return { discussion = discussion or M.discussion, epoch = 0, members = members }
end

-- Numbers from a seed; the same everywhere.
function M.random(seed)
  local state = seed * 0x9E3779B97F4A7C15 + 1
  local function next_number()
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 33) ~ (state >> 51)
  end
  for _ = 1, 3 do next_number() end
  local r = {}
  function r.below(n) return next_number() % n end
  function r.chance(p) return next_number() % 100000 < p * 100000 end
  return r
end

-- Sealed messages that bind signer, recipients and bytes as OpenPGP does, and differ each time -----------------------

local function recipients(roster, sender)
  local list = {}
  for i, member in ipairs(roster.members) do
    if i ~= sender then list[#list + 1] = member end
  end
  return table.concat(list, ",")
end

M.sealed = 0
-- ids: of the keys that it is sealed to, where that matters
function M.seal(roster, sender, payload, ids)
  M.sealed = M.sealed + 1
  return ("SEALED %s %s %d%s\n%s"):format(roster.members[sender], recipients(roster, sender), M.sealed,
    ids and " " .. table.concat(ids, ",") or "", payload)
end

-- As the shell opens: the payload, or nil and the error's name.
function M.open(roster, me, sender, message)
  local signer, to, payload = message:match "^SEALED (%x+) (%S+) %d+[ %d,]*\n(.*)$"
  if not signer or to ~= recipients(roster, sender) then return nil, "bad_input" end
  if not to:find(roster.members[me], 1, true) then return nil, "not_found" end
  if signer ~= roster.members[sender] then return nil, "crypto" end
  return payload
end

function M.message(sender, number, text)
  local nonce = ("%04d%012d"):format(sender, number)
  return {
    id = wire.message_id(M.discussion, M.fingerprint(sender), nonce), nonce = nonce, time = number,
    text = text or ("message %d of %d"):format(number, sender),
  }
end

return M
