-- SPDX-License-Identifier: GPL-3.0-or-later
-- The chat's first screen: an identity on first use, the passphrase where one is wanted, and where to go on.
local adoption = require "sotto.client.adoption"
local changes = require "sotto.client.changes"
local format = require "sotto.client.format"
local lodging = require "sotto.demo.lodging"
local loop = require "sotto.loop"
local member_news = require "sotto.client.member_news"
local names = require "sotto.client.names"
local news = require "sotto.client.news"
local pinentry = require "sotto.client.pinentry"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"

local M = {}

local NAME_MAX = 32

-- --- an identity -------------------------------------------------------------------------------------------

local function proposed_name()
  local user = sys.user()
  return user and user.name ~= "" and user.name or "me"
end

-- what is wrong with it as a name, or nil
local function complaint(name)
  if name:sub(1, 1) == "/" then return "Commands come a little later. A name first, or just Enter; Ctrl-D leaves." end
  if #name > NAME_MAX then return ("A name has at most %d bytes, and this one %d."):format(NAME_MAX, #name) end
  if names.safe(name) ~= name then return "A name is one line, without characters that nobody sees." end
end

-- nil: given up. Of a line that begins with "/adopt" the rest is returned in the name's place.
local function ask_name(chat, proposal)
  while true do
    local name = chat:ask(("Your name, as others will see it [%s]: "):format(names.safe(proposal)))
    name = name and name:match("^%s*(.-)%s*$")
    if not name or name == "/quit" then return nil end
    if name == "" then return proposal end
    local key = name:match("^/adopt%s+(.*)$") or name == "/adopt" and ""
    if key then return nil, key end
    local problem = complaint(name)
    if not problem then return name end
    chat:print(problem)
  end
end

-- nil: given up, or it did not work out, and that was said
local function adopt(chat, key)
  local ok, identity = pcall(adoption.run, chat, key, function(proposal) return (ask_name(chat, proposal)) end)
  if ok then return identity end
  chat:print("! " .. names.safe(tostring(identity)))
end

-- false: given up; nil: none
local function ask_passphrase(chat)
  chat:print("A passphrase protects your key on this disk; the core asks for it at its start.")
  while true do
    local first = chat:ask_secret("Passphrase (Enter: none): ")
    if not first then return false end
    if first:is_empty() then return nil end
    local second = chat:ask_secret("Once more: ")
    if not second then return false end
    if second == first then return first end
    chat:print("The two differ. Again:")
  end
end

-- The prompt's line tells how long it takes.
local function make_key(chat, name, passphrase)
  local begun, text = sys.monotonic_ms(), "Making your key …"
  terminal.prompt(text)
  local _ <close> = loop.every(1000, function()
    terminal.prompt(("%s %d s"):format(text, (sys.monotonic_ms() - begun) // 1000))
  end)
  local made, message = chat.connection:call("identity.create", { name = name, passphrase = passphrase })
  terminal.prompt("")
  if not made then return nil, message end
  chat:print(("Your key is made, in %.1f seconds."):format((sys.monotonic_ms() - begun) / 1000))
  return made
end

local function create(chat)
  chat:print("Welcome to sotto. Once, to begin: a name, and an OpenPGP key of your own.")
  adoption.offer(chat)
  while true do
    local made, message
    local name, key = ask_name(chat, proposed_name())
    if key then
      made = adopt(chat, key)
    else
      local passphrase = name and ask_passphrase(chat)
      if not name or passphrase == false then return nil end
      made, message = make_key(chat, name, passphrase)
    end
    if made then return made end
    if message then chat:print("! " .. names.safe(message)) end
  end
end

-- A core that was started for this goes, too.
local function give_up(chat)
  chat:print("Nothing was made.")
  chat.connection.on_close = nil
  if chat.place.started then chat.connection:call("system.stop") end
  chat:quit()
end

-- --- a passphrase ------------------------------------------------------------------------------------------

-- An adopted key: the user's own pinentry asks, in a window of its own or in this one.
local function unlock_adopted(chat)
  chat:print("Your own GnuPG opens your key, and asks here if it has to.")
  local identity, message = pinentry.call(chat, "identity.unlock", {})
  if identity then return identity end
  chat:print("! " .. names.safe(message))
  chat:print("Locked: nothing can be read, sent or received. /unlock asks again.")
  return nil
end

--- Asks until it is right, or until the person gives up. From inside a coroutine.
---@param chat sotto.chat
---@param adopted? boolean
---@return sotto.identity|nil
function M.unlock(chat, adopted)
  if adopted then return unlock_adopted(chat) end
  while true do
    local passphrase = chat:ask_secret("Passphrase of your key: ")
    if not passphrase or passphrase:is_empty() then
      chat:print("Locked: nothing can be read, sent or received. /unlock asks again.")
      return nil
    end
    local identity, message, name = chat.connection:call("identity.unlock", { passphrase = passphrase })
    if identity then return identity end
    if name == "refused" then message = "that is not the passphrase" end
    chat:print("! " .. names.safe(message))
  end
end

-- --- what there is -----------------------------------------------------------------------------------------

--- Who asks, and the discussions that go on; where there is one, it is entered. From inside a coroutine.
---@param chat sotto.chat
---@param locked boolean nothing can be entered
function M.show_discussions(chat, locked)
  local live = {}
  for _, discussion in pairs(chat.known.discussions) do
    if discussion.state == "requested" then
      news.announce_request(chat, discussion)
    elseif not names.has_ended(discussion) then
      live[#live + 1] = discussion
    end
  end
  for _, proposal in ipairs(chat.known.proposals) do
    if changes.waits_for(proposal, chat.own) then member_news.announce_proposal(chat, proposal) end
  end
  table.sort(live, function(a, b) return a.created < b.created end)
  if #live == 0 then return end
  if not locked and chat:come_back(live) then return end
  chat:print("Your discussions (/go NAME enters one):")
  for _, discussion in ipairs(live) do chat:write("  " .. format.discussion(discussion)) end
end

--- A core may be there from before an update.
---@param info sotto.info
---@param version string of this program
---@param command string for this program and home
---@return string|nil what there is to say about it
function M.compare_versions(info, version, command)
  if info.version == version then return nil end
  return ("! The core that runs here is of version %s, this chat of %s. '%s stop' ends it; the next start takes the " ..
    "new one."):format(names.safe(info.version), version, command)
end

-- whether this person has talked to nobody yet
local function is_newcomer(chat)
  if next(chat.known.discussions) then return false end
  for _, peer in pairs(chat.known.peers) do
    if peer.verified then return false end
  end
  return true
end

local function show_ways(chat)
  if not is_newcomer(chat) then return chat:print("/peers shows who is there, /help all commands.") end
  chat:print("Alone? /demo brings you somebody to talk to.")
  chat:print("/peers shows who is near, /probe HOST:PORT asks elsewhere.")
  chat:print("/open NAME asks for a discussion. /help lists all commands.")
end

--- From inside a coroutine.
---@param chat sotto.chat
function M.run(chat)
  local _ <close> = chat:hold_input()
  local info, me = chat:call("system.info"), chat:call("identity.show")
  local notice = M.compare_versions(info, sys.version, chat.place.command)
  if notice then chat:print(notice) end
  if not me.fingerprint then
    me = create(chat)
    if not me then return give_up(chat) end
    info = chat:call("system.info")
  elseif me.locked then
    me = M.unlock(chat, me.adopted) or me
  end
  chat.own, chat.name = me.fingerprint, me.name
  chat:print(("You are %s. The fingerprint of your key:"):format(names.safe(me.name)))
  chat:print("  " .. names.grouped(me.fingerprint))
  chat:print(format.whereabouts(info.addresses) .. ".")
  if not me.locked then lodging.clear_left(chat.place, chat.connection) end
  chat:call("events.subscribe")
  news.refresh(chat)
  show_ways(chat)
  chat:show_prompt()
  M.show_discussions(chat, me.locked)
end

return M
