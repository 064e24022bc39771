-- SPDX-License-Identifier: GPL-3.0-or-later
-- Lines of the chat.
local names = require "sotto.client.names"
local terminal = require "sotto.terminal"

local M = {}

local MARKS = {
  queued = "…", held = "held", sent = "✓", delivered = "✓✓", confirmed = "✓✓✓", void = "void", failed = "failed",
  received = "",
}

--- Long texts of several lines are indented under the first.
local function body(text, indent)
  return (terminal.escape(text, true):gsub("\n", "\n" .. (" "):rep(indent)))
end

--- "12:31 bob: hello", own ones with how far they have come.
---@param message table
---@param discussion table
---@param own string own fingerprint
---@return string
function M.message(message, discussion, own)
  local who = message.sender == own and "you" or names.sender(discussion, message.sender)
  local head = ("%s %s: "):format(names.clock(message.time), who)
  local mark = message.sender == own and MARKS[message.state] or ""
  return head .. body(message.text, terminal.width(head)) .. (mark ~= "" and "  " .. mark or "")
end

---@param peer table
---@return string
function M.peer(peer)
  local marks = {
    peer.online and "online" or "away",
    peer.verified and "verified" or peer.proven and "proven" or "unproven",
  }
  return ("%-20s %s  %s  %s"):format(names.person(peer), peer.fingerprint:sub(1, 16), table.concat(marks, ", "),
    peer.addresses[1] or "no address")
end

local STATES = {
  requesting = "asking, no answer yet", requested = "asks for you: /accept or /refuse", opening = "opening …",
  open = "open", suspended = "nobody can be reached; messages wait", frozen = "frozen", closed = "closed",
  refused = "refused",
}

local REASONS = {
  refused = "the other side said no", busy = "the other side takes no more requests now",
  expired = "nobody answered in time", superseded = "both asked at once; the other request stays",
  failed = "the passwords differ, or the check failed", lost = "the connection was lost",
  unreachable = "no address of this peer could be reached", unproven = "the peer's key could not be verified",
  restart = "the core was restarted meanwhile", locked = "the identity was locked",
  closed = "you closed it", closed_by_member = "the other side closed it", resume_window = "away for too long",
}

---@param discussion table
---@return string
function M.state(discussion)
  local text = STATES[discussion.state] or discussion.state
  if discussion.reason and discussion.reason ~= "" then
    text = text .. ": " .. (REASONS[discussion.reason] or names.safe(discussion.reason))
  end
  return text
end

---@param discussion table
---@return string
function M.discussion(discussion)
  local unread = discussion.unread > 0 and (" [%d new]"):format(discussion.unread) or ""
  return ("%s  %-20s %s%s"):format(discussion.id:sub(1, 8), names.discussion(discussion), M.state(discussion), unread)
end

return M
