-- SPDX-License-Identifier: GPL-3.0-or-later
-- Links for specs: on raw descriptors, in pairs, with what happens to them noted down.
local streams = require "support.net_stream"
local case = require "support.net_case"
local assert = require "luassert"

local M = {}

M.KEY_A, M.KEY_B = ("A"):rep(32), ("B"):rep(32)

-- A frame as it travels, and what is sealed in one under keys.
function M.frame(kind, payload) return string.pack(">I4B", #payload + 1, kind) .. payload end
function M.inner(kind, payload) return string.char(kind) .. payload end

-- A link on a descriptor or to an address, and the table in which its frames and ends are noted.
function M.open(where, callbacks)
  local seen = { frames = {}, ended = 0, unreadable = 0, drained = 0, connected = 0 }
  local all = {
    frame = function(_, kind, payload, encrypted)
      seen.frames[#seen.frames + 1] = { kind, payload, encrypted }
    end,
    ended = function(_, why, name, text)
      seen.ended, seen.why, seen.name, seen.text = seen.ended + 1, why, name, text
    end,
    connected = function() seen.connected = seen.connected + 1 end,
    drained = function() seen.drained = seen.drained + 1 end,
  }
  for k, v in pairs(callbacks or {}) do all[k] = v end
  if all.unreadable == true then
    all.unreadable = function() seen.unreadable = seen.unreadable + 1 end
  end
  if math.type(where) == "integer" then where = case.give(where) end
  return case.keep(assert(streams.link(where, all))), seen
end

-- Waits for the end; why. It must come once.
function M.ended(seen)
  case.wait(function() return seen.ended > 0 end, "the end")
  case.settle()
  assert.equal(1, seen.ended)
  return seen.why
end

-- Waits for so many frames, or the end; all frames so far.
function M.frames(seen, count)
  case.wait(function() return #seen.frames >= count or seen.ended > 0 end, count .. " frames")
  return seen.frames
end

-- A link and the raw descriptor at its other end.
function M.half(callbacks)
  local a, b = case.pair()
  local l, seen = M.open(a, callbacks)
  return l, seen, b
end

-- Two links with each other.
function M.whole(left, right)
  local a, b = case.pair()
  local l, seen_l = M.open(a, left)
  local r, seen_r = M.open(b, right)
  return l, seen_l, r, seen_r
end

function M.with_keys(left, right)
  local l, seen_l, r, seen_r = M.whole(left, right)
  l:set_cipher(M.KEY_A, M.KEY_B)
  r:set_cipher(M.KEY_B, M.KEY_A)
  return l, seen_l, r, seen_r
end

return M
