-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a script may do: capabilities that it names in `needs` and the user grants. Pure.
local api = require "sotto.core.api"

local M = {}

---@class sotto.capability
---@field text string what a person is told before granting it
---@field argument? fun(text: string): boolean what may stand behind a colon
---@field with? string the text where something does
---@field alone? boolean false: something must

local function is_path(text)
  return (text:sub(1, 1) == "/" or text:sub(1, 2) == "~/") and not (text .. "/"):find("/../", 1, true)
end

local function is_host(text)
  return text == "private" or text:find("^[%w.-]+:?%d*$") ~= nil or text:find("^%[[%x:.]+%]:?%d*$") ~= nil
end

---@type table<string, sotto.capability>
M.known = {
  messages = { text = "read and send messages in the discussions it was given, and see these discussions" },
  discussions = { text = "open, accept, refuse, close and forget discussions" },
  proposals = { text = "see proposals, make them and answer them" },
  peers = { text = "see peers, probe addresses, import and export the contact file" },
  identity = { text = "see and change your identity" },
  system = { text = "see metrics, and stop the core" },
  store = { text = "keep data of its own in the core's store" },
  timers = { text = "run at times of its own" },
  http = {
    text = "fetch pages from the web, but nothing from this machine or your network",
    argument = is_host, with = "fetch pages from %s",
  },
  files = { argument = is_path, alone = false, with = "read and change %s and what is in it" },
  command = {
    argument = function(text) return not text:find("%s") and text ~= "" end, alone = false,
    with = "run the program %s as you would, with whatever arguments it likes",
  },
}

-- "files:/tmp/x" → "files", "/tmp/x"
local function split(need)
  local name, argument = need:match("^([^:]*):(.*)$")
  return name or need, argument
end

---@param need string
---@return boolean
local function is_known(need)
  local name, argument = split(need)
  local known = M.known[name]
  if not known or need:find("%c") then return false end
  if argument == nil then return known.alone ~= false end
  return known.argument ~= nil and known.argument(argument)
end

--- Checks what a script names.
---@param needs string[]
---@return string|nil problem
function M.check(needs)
  for _, need in ipairs(needs) do
    if not is_known(need) then return ("there is no capability '%s'"):format(need:sub(1, 64)) end
  end
end

--- What stands behind the colon of every capability of that name.
---@param list string[]
---@param name string "files"
---@return string[]
function M.arguments(list, name)
  local out = {}
  for _, need in ipairs(list) do
    local known, argument = split(need)
    if known == name and argument then out[#out + 1] = argument end
  end
  return out
end

--- Those that are needed and not granted.
---@param needs string[]
---@param granted string[]
---@return string[]
function M.missing(needs, granted)
  local set, out = {}, {}
  for _, grant in ipairs(granted) do set[grant] = true end
  for _, need in ipairs(needs) do
    if not set[need] then out[#out + 1] = need end
  end
  return out
end

--- A person's text for a capability.
---@param need string
---@return string
function M.describe(need)
  local name, argument = split(need)
  local known = M.known[name]
  if not known then return need end
  if not argument then return ("%s: %s"):format(need, known.text) end
  if need == "http:private" then return need .. ": fetch pages from this machine and your network, too" end
  return ("%s: %s"):format(need, known.with:format(argument))
end

-- --- at work -----------------------------------------------------------------------------------------------

---@class sotto.grants
---@field names table<string, boolean>
---@field discussions table<string, boolean>|nil nil: every discussion
local Grants = {}
Grants.__index = Grants

---@param needs string[] all of them granted
---@param discussions string[]|nil ids that the script is narrowed to
---@return sotto.grants
function M.new(needs, discussions)
  local self = setmetatable({ names = {} }, Grants)
  for _, need in ipairs(needs) do self.names[need] = is_known(need) end
  if discussions then
    self.discussions = {}
    for _, id in ipairs(discussions) do self.discussions[id] = true end
  end
  return self
end

-- methods that a granted "messages" opens beside its own noun: who is in the discussion
local WITH_MESSAGES = { ["discussions.list"] = true, ["discussions.show"] = true, ["peers.show"] = true }

-- no script is given these, whatever was granted
local NEVER = { scripts = true, events = true }

--- Whether the method may be called.
---@param method sotto.api.method
---@return boolean ok, string? needed the capability that is missing
function Grants:allows(method)
  if NEVER[method.noun] then return false, "none that there is: scripts do not load scripts" end
  if method.capability == "base" or self.names[method.capability] then return true end
  if self.names.messages and WITH_MESSAGES[method.name] then return true end
  return false, method.capability
end

--- Whether a narrowed script may touch that discussion.
---@param id string|nil
---@return boolean
function Grants:covers(id) return self.discussions == nil or (id ~= nil and self.discussions[id] == true) end

local EVENT_NEEDS = {
  message = "messages", messages = "messages", proposal = "proposals", peer = "peers", passphrase = "identity",
}

-- of nouns that are everyone's, or that a granted "messages" includes
local function noun_allowed(self, noun)
  local names = self.names
  if noun == "discussion" or noun == "epoch" then return names.messages or names.discussions or names.proposals end
  if noun == "warning" or noun == "events" then return true end
  local need = EVENT_NEEDS[noun]
  return need ~= nil and self.names[need]
end

--- Whether events of that type come to the script at all.
---@param type string "message.received"
---@return boolean
function Grants:hears(type) return noun_allowed(self, type:match("^[^.]*")) == true end

--- The capability that the type needs, for a complaint.
---@param type string
---@return string
function Grants.needed_for(type)
  local noun = type:match("^[^.]*")
  return EVENT_NEEDS[noun] or (noun == "discussion" or noun == "epoch") and "discussions" or "none that there is"
end

--- The table's event types that it hears.
---@return string[]
function Grants:event_types()
  local out = {}
  for _, event in ipairs(api.events) do
    if self:hears(event.type) then out[#out + 1] = event.type end
  end
  return out
end

return M
