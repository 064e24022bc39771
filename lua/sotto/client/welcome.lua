-- SPDX-License-Identifier: GPL-3.0-or-later
-- The chat's first screen: an identity on first use, the passphrase where one is wanted, and what to do next.
local json = require "sotto.json"
local names = require "sotto.client.names"
local news = require "sotto.client.news"
local sys = require "sotto.sys"

local M = {}

local function proposed_name()
  local user = sys.user()
  return user and user.name ~= "" and user.name or "me"
end

local function ask_name(chat)
  while true do
    local proposal = proposed_name()
    local name = chat:ask(("Your name, as others will see it [%s]: "):format(proposal))
    if not name then return nil end
    name = name:match("^%s*(.-)%s*$")
    if name == "" then name = proposal end
    if #name <= 32 then return name end
    chat:print("At most 32 bytes, please.")
  end
end

local function ask_passphrase(chat)
  while true do
    local first = chat:ask_secret("Passphrase for your key on this disk (empty: none): ")
    if not first or first:is_empty() then return nil end
    local second = chat:ask_secret("Once more: ")
    if second and second == first then return first end
    chat:print("They differ. Again:")
  end
end

local function create(chat)
  chat:print("This is sotto. It makes you an identity, once: an OpenPGP key of your own.")
  local name = ask_name(chat)
  if not name then return chat:quit() end
  local passphrase = ask_passphrase(chat)
  chat:print("Making your key …")
  return chat:call("identity.create", { name = name, passphrase = passphrase })
end

local function unlock(chat)
  while true do
    local passphrase = chat:ask_secret("Passphrase: ")
    if not passphrase then
      chat:print("Locked: nothing can be sent or received. /unlock asks again.")
      return
    end
    local done, message = chat.connection:call("identity.unlock", { passphrase = passphrase })
    if done then return done end
    chat:print("! " .. message)
  end
end

--- From inside a coroutine.
function M.run(chat)
  local me = chat:call("identity.show")
  if not me.fingerprint or me.fingerprint == json.null then
    me = create(chat)
    if not me then return end
  elseif me.locked then
    me = unlock(chat) or me
  end
  chat.own, chat.name = me.fingerprint, me.name
  local info = chat:call("system.info")
  chat:print(("You are %s, %s"):format(names.safe(me.name), names.grouped(me.fingerprint)))
  chat:print("listening on " .. info.listen.tcp)
  chat:print("/probe HOST:PORT looks for somebody, /help lists the commands.")
  chat:call("events.subscribe")
  news.refresh(chat)
  chat:show_prompt()
  for _, discussion in pairs(chat.known.discussions) do
    if discussion.state == "requested" then news.announce_request(chat, discussion) end
  end
end

return M
