-- SPDX-License-Identifier: GPL-3.0-or-later
-- One line each for a message, a peer and a discussion. Everything that others chose is made harmless here.
local names = require "sotto.client.names"
local terminal = require "sotto.terminal"

local M = {}

local MARKS = {
  queued = "…", held = "held", sent = "✓", delivered = "✓✓", confirmed = "✓✓✓", void = "void", failed = "failed",
  received = "",
}

-- texts of several lines are indented under the first
local function body(text, indent)
  return (terminal.escape(text, true):gsub("\n", "\n" .. (" "):rep(indent)))
end

--- "12:31 bob: hello"; own ones end in how far they have come.
---@param message sotto.message
---@param who string harmless already
---@return string
function M.message(message, who)
  local head = ("%s %s: "):format(names.time(message.time), who)
  local mark = MARKS[message.state] or message.state
  return head .. body(message.text, terminal.width(head)) .. (mark ~= "" and "  " .. mark or "")
end

-- %-20s counts bytes
local function padded(text, width) return text .. (" "):rep(width - terminal.width(text)) end

---@param peer sotto.peer
---@return string
function M.peer(peer)
  local marks = {
    peer.online and "online" or "away",
    peer.verified and "verified" or peer.proven and "not verified yet" or "key not checked yet",
  }
  return ("%s  %s  %s  %s"):format(padded(names.person(peer), 20), peer.fingerprint:sub(1, 16),
    table.concat(marks, ", "), peer.addresses[1] or "no address")
end

local STATES = {
  requesting = "asked, no answer yet", requested = "asks you", opening = "opening …",
  open = "open", suspended = "cannot be reached now; messages wait", frozen = "frozen", closed = "closed",
  refused = "not opened",
}

local REASONS = {
  refused = "the other side said no", busy = "the other side takes no request now",
  expired = "nobody answered in time", superseded = "both asked at once, and the other request stays",
  failed = "the passwords differ, or the other side is not who it says",
  lost = "the connection was lost", unreachable = "nobody could be reached at any of the addresses",
  unproven = "the other side's key could not be checked", restart = "the core was started again meanwhile",
  locked = "the identity was locked", closed = "you closed it", closed_by_member = "the other side closed it",
  resume_window = "away for too long",
  equivocation = "a member has signed two different messages as one",
  rolled_back = "this disk has an older state than the other side has seen",
}

--- The state, and why it is so.
---@param discussion sotto.discussion
---@return string
function M.state(discussion)
  local text = STATES[discussion.state] or discussion.state
  local reason = M.reason(discussion)
  return reason and text .. ": " .. reason or text
end

---@param discussion sotto.discussion
---@return string|nil
function M.reason(discussion)
  local reason = discussion.reason
  if not reason or reason == "" then return nil end
  return REASONS[reason] or names.safe(reason)
end

---@param discussion sotto.discussion
---@return string
function M.discussion(discussion)
  local unread = discussion.unread > 0 and (" [%d new]"):format(discussion.unread) or ""
  return ("%s  %s  %s%s"):format(discussion.id:sub(1, 8), padded(names.discussion(discussion), 20), M.state(discussion),
    unread)
end

return M
