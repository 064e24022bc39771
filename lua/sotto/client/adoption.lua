-- SPDX-License-Identifier: GPL-3.0-or-later
-- Adopting a key of the user's own GnuPG at the first start: which one, what others will see of it, under which name.
local names = require "sotto.client.names"
local own_keys = require "sotto.client.own_keys"
local pinentry = require "sotto.client.pinentry"

local M = {}

local function usable(keys)
  local count = 0
  for _, key in ipairs(keys) do
    if key.usable then count = count + 1 end
  end
  return count
end

--- Where there is a key that could be adopted: says so, above the question that is being asked by then. Whoever's agent
--- does not answer is not kept waiting.
---@param chat sotto.chat
function M.offer(chat)
  chat.connection:request("identity.candidates", nil, function(keys)
    if not keys or chat.own or chat.over then return end
    chat.candidates = keys
    local count = usable(keys)
    if count == 0 then return end
    chat:print(("(Or take %s of your own GnuPG: /adopt shows %s.)"):format(count == 1 and "the key" or "a key",
      count == 1 and "it" or "them"))
  end)
end

-- nil: none of them
local function choose(chat, keys)
  chat:print("Keys of your GnuPG:")
  for _, line in ipairs(own_keys.lines(keys)) do chat:write(line) end
  if usable(keys) == 0 then error("none of them can be adopted", 0) end
  local answer = chat:ask("Which one? Its number, fingerprint or mail address (Enter: none): ")
  answer = answer and answer:match("^%s*(.-)%s*$")
  return answer ~= "" and answer or nil
end

-- What cannot be taken back is told before it is done.
local function is_wanted(chat, key)
  chat:print("Whoever asks your core who is there, strangers too, gets this key's certificate, and with it:")
  chat:print("  " .. names.safe(key.user_id))
  chat:print("Its secret stays where it is: with your GnuPG, which asks as ever. A home has one key, for good.")
  local answer = chat:ask("Adopt it? [y/N] ")
  return answer ~= nil and answer:lower():find("^%s*y") ~= nil
end

--- Asks what is to be asked, and adopts. An error() says why not. From inside a coroutine.
---@param chat sotto.chat
---@param text string what was typed of the key; "": the list is shown
---@param ask_name fun(proposal: string): string|nil
---@return sotto.identity|nil nil: given up
function M.run(chat, text, ask_name)
  local keys = chat:call("identity.candidates")
  chat.candidates = keys
  if #keys == 0 then error("there is no key in your GnuPG: a name makes one for sotto alone", 0) end
  local wanted = text ~= "" and text or choose(chat, keys)
  if not wanted then return nil end
  local key, problem = own_keys.find(keys, wanted)
  if not key then error(problem, 0) end
  if not key.usable then error(("this key cannot be adopted: %s"):format(names.safe(key.reason)), 0) end
  local name = is_wanted(chat, key) and ask_name(key.name ~= "" and key.name or key.fingerprint:sub(1, 8))
  if not name then return nil end
  chat:print("Your GnuPG signs something with it now, and asks here if it has to.")
  local identity, message = pinentry.call(chat, "identity.adopt", { fingerprint = key.fingerprint, name = name })
  if not identity then error(message, 0) end
  chat:print("Adopted.")
  return identity
end

return M
