-- SPDX-License-Identifier: GPL-3.0-or-later
-- One line each for a message, a peer and a discussion. Everything that others chose is made harmless here.
local names = require "sotto.client.names"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"
local theme = require "sotto.client.theme"

local M = {}

local MARKS = {
  queued = "…", held = "held", sent = "✓", delivered = "✓✓", confirmed = "✓✓✓", void = "void", failed = "failed",
  received = "",
}

local PARTS = { queued = "waiting", held = "waiting", void = "failed", failed = "failed" }

--- What a message's line is made of. Every string is harmless but those of `message`.
---@class sotto.chat.view
---@field time string
---@field who string "you" for the own ones
---@field own boolean
---@field text string may have several lines
---@field mark string how far an own one has come: "✓✓"; "" for others'
---@field mark_part string what of the theme the mark is painted as
---@field who_style string likewise the name
---@field place string|nil the discussion's name where it is not the one that is shown
---@field message sotto.message as the core gave it
---@field paint fun(part: string, text: string): string

---@param message sotto.message
---@param who string harmless already
---@return sotto.chat.view
function M.view(message, who)
  local own = message.state ~= "received"
  return {
    time = names.time(message.time), who = who, own = own, text = terminal.escape(message.text, true),
    mark = MARKS[message.state] or names.safe(message.state), mark_part = PARTS[message.state] or "mark",
    who_style = own and "own" or "", message = message, paint = theme.plain,
  }
end

--- "12:31 bob: hello"; own ones end in how far they have come. Texts of several lines are indented under the first.
---@param view sotto.chat.view
---@return string
function M.line(view)
  local paint = view.paint
  local place = view.place and ("[%s] "):format(view.place) or ""
  local indent = "\n" .. (" "):rep(terminal.width(("%s%s %s: "):format(place, view.time, view.who)))
  local time, who = paint("time", view.time), paint(view.who_style, view.who)
  local head = ("%s%s %s: "):format(paint("elsewhere", place), time, who)
  local text = paint(view.own and "own_text" or "text", view.text):gsub("\n", (indent:gsub("%%", "%%%%")))
  return head .. text .. (view.mark ~= "" and "  " .. paint(view.mark_part, view.mark) or "")
end

--- The same without colours.
---@param message sotto.message
---@param who string harmless already
---@return string
function M.message(message, who) return M.line(M.view(message, who)) end

--- That no password can be tried with a peer, and when one can again.
---@param peer sotto.peer with next_guess
---@param who string harmless already
---@return string
function M.no_guess(peer, who)
  local minutes = math.max(1, math.ceil((peer.next_guess - sys.now_ms()) / 60000))
  local wait = minutes < 100 and ("%d min"):format(minutes) or ("%d h"):format((minutes + 59) // 60)
  return ("no try of a password is left with %s; the next one comes in %s"):format(who, wait)
end

--- As %-20s, which counts bytes.
---@param text string
---@param width integer
---@return string
function M.padded(text, width) return text .. (" "):rep(width - terminal.width(text)) end

local padded = M.padded

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

--- Where others find this core; without a network they do not.
---@param addresses string[]
---@return string
function M.whereabouts(addresses)
  local all = table.concat(addresses, " or ")
  for _, address in ipairs(addresses) do
    if not address:find "^127%." and not address:find "^%[::1%]" then return "Others find you at " .. all end
  end
  return "Only this machine finds you, at " .. all
end

--- A key of the user's own GnuPG; the whole fingerprint, for it is what identity.adopt takes.
---@param key sotto.candidate
---@return string
function M.candidate(key)
  local notes = {}
  if key.card then notes[#notes + 1] = "smart card" end
  if key.expires and key.usable then notes[#notes + 1] = "until " .. os.date("%Y-%m-%d", key.expires // 1000) end
  if not key.usable then notes[#notes + 1] = "not to be adopted: " .. terminal.escape(key.reason or "") end
  local text = ("%s  %s  %s"):format(key.fingerprint, padded(key.algorithm, 8), terminal.escape(key.user_id))
  return #notes > 0 and text .. "  (" .. table.concat(notes, "; ") .. ")" or text
end

local STATES = {
  requesting = "asked, no answer yet", requested = "asks you", opening = "opening …",
  open = "open", suspended = "cannot be reached; messages wait", frozen = "frozen", closed = "closed",
  refused = "not opened",
}

local REASONS = {
  refused = "it was refused", busy = "the other side takes no request now",
  expired = "nobody answered in time", superseded = "both asked at once, and the other request stays",
  failed = "the passwords differ, or the other side is not who it says",
  lost = "the connection was lost", unreachable = "nobody could be reached at any of the addresses",
  unproven = "the other side's key could not be checked", restart = "the core was started again meanwhile",
  locked = "the identity was locked", closed = "you closed it", closed_by_member = "the other side closed it",
  resume_window = "away for too long", removed = "the other members have removed you", left = "you left it",
  equivocation = "a member has signed two different messages as one",
  rolled_back = "this disk has an older state than the other side has seen",
}

-- what came of the last attempt to reach a member: its name, and where that was
local PROBLEMS = {
  refused = "nothing listens at %2$s", unreachable = "no way leads to %2$s", timeout = "%2$s does not answer",
  no_address = "no address of %1$s is known; /probe HOST:PORT finds one",
}
local BROKEN = "the connection to %2$s broke off"

--- Why nobody can be reached, as far as that is known; "" where it is not.
---@param discussion sotto.discussion
---@return string
function M.why(discussion)
  local list = {}
  for _, member in ipairs(discussion.members) do
    if member.problem then
      local text = PROBLEMS[member.problem] or BROKEN
      local values = { ["1"] = names.person(member), ["2"] = names.safe(member.tried) }
      list[#list + 1] = text:gsub("%%(%d)%$s", values)
    end
  end
  return table.concat(list, "; ")
end

--- The state, and why it is so.
---@param discussion sotto.discussion
---@return string
function M.state(discussion)
  local invited = discussion.state == "requested" and discussion.sponsor
  local text = invited and "you are invited" or STATES[discussion.state] or names.safe(discussion.state)
  if discussion.suspended then text = text:gsub("reached", "reached since " .. names.time(discussion.suspended), 1) end
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
