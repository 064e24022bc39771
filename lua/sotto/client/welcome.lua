-- SPDX-License-Identifier: GPL-3.0-or-later
-- The chat's first screen: an identity on first use, the passphrase where one is wanted, and where to go on.
local format = require "sotto.client.format"
local names = require "sotto.client.names"
local news = require "sotto.client.news"
local sys = require "sotto.sys"

local M = {}

local NAME_MAX = 32

-- --- an identity -------------------------------------------------------------------------------------------

local function proposed_name()
  local user = sys.user()
  return user and user.name ~= "" and user.name or "me"
end

local function ask_name(chat)
  local proposal = proposed_name()
  while true do
    local name = chat:ask(("Your name, as others will see it [%s]: "):format(proposal))
    if not name then return nil end
    name = name:match("^%s*(.-)%s*$")
    if name == "" then name = proposal end
    if #name <= NAME_MAX and names.safe(name) == name then return name end
    chat:print("A name is one line of at most 32 bytes, without control characters.")
  end
end

-- false: given up; nil: none
local function ask_passphrase(chat)
  while true do
    local first = chat:ask_secret("Passphrase for your key on this disk (empty: none): ")
    if not first then return false end
    if first:is_empty() then return nil end
    local second = chat:ask_secret("Once more: ")
    if not second then return false end
    if second == first then return first end
    chat:print("The two differ. Again:")
  end
end

local function create(chat)
  chat:print("This is sotto. It makes you an identity, once: an OpenPGP key of your own.")
  while true do
    local name = ask_name(chat)
    local passphrase = name and ask_passphrase(chat)
    if not name or passphrase == false then return nil end
    chat:print("Making your key …")
    local made, message = chat.connection:call("identity.create", { name = name, passphrase = passphrase })
    if made then return made end
    chat:print("! " .. names.safe(message))
  end
end

-- --- a passphrase ------------------------------------------------------------------------------------------

--- Asks until it is right, or until the person gives up. From inside a coroutine.
---@param chat sotto.chat
---@return sotto.identity|nil
function M.unlock(chat)
  while true do
    local passphrase = chat:ask_secret("Passphrase of your key: ")
    if not passphrase or passphrase:is_empty() then
      chat:print("Locked: nothing can be read, sent or received. /unlock asks again.")
      return nil
    end
    local identity, message = chat.connection:call("identity.unlock", { passphrase = passphrase })
    if identity then return identity end
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
  table.sort(live, function(a, b) return a.created < b.created end)
  if #live == 0 then return end
  if not locked and chat:come_back(live) then return end
  chat:print("Your discussions (/go NAME enters one):")
  for _, discussion in ipairs(live) do chat:write("  " .. format.discussion(discussion)) end
end

--- From inside a coroutine.
---@param chat sotto.chat
function M.run(chat)
  local _ <close> = chat:hold_input()
  local me = chat:call("identity.show")
  if not me.fingerprint then
    me = create(chat)
    if not me then return chat:quit() end
  elseif me.locked then
    me = M.unlock(chat) or me
  end
  chat.own, chat.name = me.fingerprint, me.name
  local info = chat:call("system.info")
  chat:print(("You are %s. Your key's fingerprint: %s"):format(names.safe(me.name), names.grouped(me.fingerprint)))
  chat:print("Others find you at " .. table.concat(info.addresses, " or "))
  chat:print("/probe HOST:PORT asks who is there, /open NAME asks for a discussion, /help lists all commands.")
  chat:call("events.subscribe")
  news.refresh(chat)
  chat:show_prompt()
  M.show_discussions(chat, me.locked)
end

return M
