-- SPDX-License-Identifier: GPL-3.0-or-later
-- notify: tells the desktop of what comes in, by notify-send or another program that takes a title and a text:
--   sotto scripts load notify                                 notify-send
--   sotto scripts load notify --arguments /path/to/program    another
-- A crowd of messages is one notice.
local sotto = require "sotto"

local GATHER = "2s"
local TEXT_MAX = 200

local program = arg[1] or "notify-send"

local plugin = sotto.script {
  name = "notify", version = "1.0", api = 1, help = "tells the desktop of what comes in",
  needs = { "messages", "timers", "store", "command:" .. program },
}

local store = plugin.store
local waiting, order, timer = {}, {}, nil -- by sender: what is to be told
local problem

-- what a person reads on one line; the desktop may take < and & for markup
local function shown(text)
  text = text:gsub("%s+", " ")
  if utf8.len(text) > TEXT_MAX then text = text:sub(1, utf8.offset(text, TEXT_MAX) - 1) .. "…" end
  return (text:gsub("[<&]", { ["<"] = "&lt;", ["&"] = "&amp;" }))
end

local function name_of(member) return member.name ~= "" and member.name or member.fingerprint:sub(1, 8) end

local function name_of_sender(discussion, sender)
  local ok, found = pcall(sotto.discussions.show, { discussion = discussion })
  for _, member in ipairs(ok and found.members or {}) do
    if member.fingerprint == sender then return name_of(member) end
  end
  return sender:sub(1, 8)
end

local function notify(title, text)
  local ok, result = pcall(sotto.command.run, { program, "sotto: " .. shown(title), text, timeout = "10s" })
  local failed = not ok and tostring(result) or result.status ~= 0 and ("%s: %s"):format(program, result.errors) or nil
  -- once, and not for every message
  if failed and failed ~= problem then plugin.log.error(failed) end
  problem = failed
end

local function tell_all()
  timer = nil
  local list, by_sender = order, waiting
  order, waiting = {}, {}
  for _, key in ipairs(list) do
    local one = by_sender[key]
    local text = store.private and "a message" or shown(one.text)
    if one.count > 1 then text = ("%d messages%s"):format(one.count, store.private and "" or ": " .. text) end
    notify(name_of_sender(one.discussion, one.sender), text)
  end
end

plugin:on("message.received", function(message)
  if store.off then return end
  local key = message.discussion .. message.sender
  local one = waiting[key]
  if not one then
    one = { count = 0, discussion = message.discussion, sender = message.sender }
    waiting[key] = one
    order[#order + 1] = key
  end
  one.count, one.text = one.count + 1, message.text
  timer = timer or plugin:after(GATHER, tell_all)
end)

plugin:on("discussion.requested", function(discussion)
  if store.off then return end
  for _, member in ipairs(discussion.members or {}) do
    if not member.you then notify(name_of(member), "asks for a discussion") end
  end
end)

local function switch(field, value, reply)
  return function()
    store[field] = value
    return reply
  end
end

plugin:command("off", { help = "tells nothing" }, switch("off", true, "Quiet now."))
plugin:command("on", { help = "tells again" }, switch("off", nil, "Telling."))
plugin:command("private", { help = "tells who writes, not what" }, switch("private", true, "Names only."))
plugin:command("public", { help = "tells what, too" }, switch("private", nil, "Names and texts."))

plugin:health(function(h)
  if problem then h.fail(problem) else h.ok(store.off and "off" or "on") end
end)
