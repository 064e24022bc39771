-- SPDX-License-Identifier: GPL-3.0-or-later
-- Names of Lua for the Tab key: what the expression before the cursor is made of is looked up, and never run. What
-- the core would have to be asked for is known from events, or by the form of what it answers.
local api = require "sotto.core.api"
local names = require "sotto.client.names"

local M = {}

-- --- forms ---------------------------------------------------------------------------------------------------

local function form(text)
  local fields = {}
  for name in text:gmatch("%S+") do fields[name] = true end
  return fields
end

local FORMS = {
  peer = form "fingerprint name addresses source last_seen proven verified online",
  discussion = form "id state members epoch roster_hash words charter mode created unread reason suspended",
  message = form "id discussion sender epoch seq time text state",
  identity = form "fingerprint name locked",
  info = form "version api pid uptime home fingerprint locked listen discover addresses",
}
FORMS.proposal = form "id discussion epoch op subjects charter proposer state answers waiting_for created ended"
FORMS.proposal.answers = { form "member answer reason by" }
FORMS.script = form "name path version help state reason needs discussions commands admission pid temporary watch"
FORMS.discussion.members = { form "fingerprint name you present verified problem tried" }
FORMS.info.listen = form "tcp udp"

--- The fields that completion knows of an object: for the spec that holds them against a core's.
M.forms = FORMS

-- A method of the core's API; calling it gives the form of what it answers.
local Method = {}

local function method_names(noun)
  local found = {}
  for _, method in ipairs(noun.methods) do found[method.verb] = setmetatable({ method = method }, Method) end
  return found
end

local API = {}
for _, noun in ipairs(api.nouns) do API[noun.name] = method_names(noun) end

local function answer_of(method)
  local name, list = method.returns:match("^(%a+)(%[?)")
  local object = FORMS[name]
  return list == "[" and { object } or object
end

-- --- lookup --------------------------------------------------------------------------------------------------

-- a list that is reached by names, too
local function named(list, name_of)
  local found = {}
  for i, object in ipairs(list) do
    found[i] = object
    found[name_of(object)] = object
  end
  return found
end

local function sorted(known, less)
  local list = {}
  for _, object in pairs(known) do list[#list + 1] = object end
  table.sort(list, less)
  return list
end

local ROOTS = {
  sotto = function() return API end,
  me = function() return FORMS.identity end,
  peers = function(chat)
    local list = sorted(chat.known.peers, function(a, b) return a.fingerprint < b.fingerprint end)
    local found = named(list, function(peer) return peer.name end)
    found[1] = found[1] or FORMS.peer
    return found
  end,
  discussions = function(chat)
    local found = named(sorted(chat.known.discussions, function(a, b) return a.id < b.id end), names.discussion)
    found[1] = found[1] or FORMS.discussion
    return found
  end,
}

-- the table behind one
local function behind(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and (rawget(meta, "__fields") or rawget(meta, "__index")) or nil
end

-- Without running anything: a field, or one of the tables behind it.
local function field(value, key)
  for _ = 1, 5 do
    if type(value) == "string" then value = string end
    if type(value) ~= "table" then return nil end
    local found = rawget(value, key)
    if found ~= nil then return found end
    value = behind(value)
  end
end

local function root(chat, name)
  local set = rawget(chat.environment, name)
  if set ~= nil then return set end
  if ROOTS[name] then return ROOTS[name](chat) end
  return name == "chat" and chat or rawget(_G, name)
end

local function element(value, key)
  if type(value) ~= "table" then return nil end
  local number = math.tointeger(tonumber(key))
  local name = key:match("^%s*[\"'](.*)[\"']%s*$")
  if name then return field(value, name) end
  return number and rawget(value, number) or rawget(value, 1)
end

-- --- the text before the cursor -----------------------------------------------------------------------------

local OPENING = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

-- where the bracket that closes at `at` was opened
local function opening(text, at)
  local close, depth = text:sub(at, at), 0
  for i = at, 1, -1 do
    local c = text:sub(i, i)
    if c == close then depth = depth + 1 elseif c == OPENING[close] then depth = depth - 1 end
    if depth == 0 then return i end
  end
end

-- The value of the expression that ends at `at`; nil where it cannot be known without running it.
local function value_before(chat, text, at)
  local steps = {}
  while at > 0 do
    local last = text:sub(at, at)
    if OPENING[last] then
      local from = opening(text, at)
      if not from then return nil end
      local inside = text:sub(from + 1, at - 1)
      table.insert(steps, 1, last == "]" and { index = inside } or { call = true })
      at = #text:sub(1, from - 1):gsub("%s+$", "")
    else
      local name = text:sub(1, at):match("[%a_][%w_]*$")
      if not name then return nil end
      at = at - #name
      local joint = text:sub(at, at)
      if joint ~= "." and joint ~= ":" then
        table.insert(steps, 1, { root = name })
        break
      end
      table.insert(steps, 1, { name = name })
      at = at - 1
    end
  end
  local value
  for _, step in ipairs(steps) do
    if step.root then
      value = root(chat, step.root)
    elseif step.name then
      value = field(value, step.name)
    elseif step.index then
      value = element(value, step.index)
    else
      local method = getmetatable(value) == Method and value.method
      value = method and answer_of(method) or nil
    end
    if value == nil then return nil end
  end
  return value
end

-- --- candidates ----------------------------------------------------------------------------------------------

local function keys_of(value)
  local found = {}
  local meta = getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__fields") then value = meta.__fields end
  for _ = 1, 5 do
    if type(value) ~= "table" then break end
    for key, of in next, value do
      if type(key) == "string" and key:find("^[%a_][%w_]*$") and key:sub(1, 2) ~= "__" then found[key] = of end
    end
    value = behind(value)
  end
  return found
end

local function globals(chat)
  local found = keys_of(_G)
  for name in pairs(ROOTS) do found[name] = true end
  for name, value in next, chat.environment do if type(name) == "string" then found[name] = value end end
  found.chat = true
  return found
end

-- What follows a name, where it is the only one.
local function ending(value)
  if type(value) == "function" then return "(" end
  if getmetatable(value) ~= Method then return "" end
  return #value.method.params > 0 and "{ " or "()"
end

local function matching(candidates, part, before)
  local found, last = {}, nil
  for name, value in pairs(candidates) do
    if name:sub(1, #part) == part then
      found[#found + 1] = before .. name
      last = value
    end
  end
  table.sort(found)
  if #found == 1 then found[1] = found[1] .. ending(last) end
  return found
end

-- the method whose braces are open before `text` ends, and what stands in them
local function open_call(chat, text)
  local depth = 0
  for i = #text, 1, -1 do
    local c = text:sub(i, i)
    if c == "}" then depth = depth + 1 end
    if c == "{" then
      if depth == 0 then
        local value = value_before(chat, text, #text:sub(1, i - 1):gsub("[%s(]+$", ""))
        if getmetatable(value) == Method then return value.method, text:sub(i + 1) end
        return nil
      end
      depth = depth - 1
    end
  end
end

local function parameters(method, part, before)
  local found = {}
  for _, param in ipairs(method.params) do
    if param.name:sub(1, #part) == part then found[#found + 1] = before .. param.name .. " = " end
  end
  table.sort(found)
  return found
end

-- a parameter's value that is a person or a discussion
local function parameter_values(chat, method, inside, word)
  local name, typed = inside:match("([%w_]+)%s*=%s*[\"']([^\"']*)$")
  local kind
  for _, param in ipairs(name and method.params or {}) do
    if param.name == name then kind = param.type end
  end
  local words = kind == "peer" and chat:peer_words() or kind == "discussion" and chat:discussion_words() or {}
  local found = {}
  for _, candidate in ipairs(words) do
    if candidate:sub(1, #typed) == typed and not candidate:find("[\"'\\]") then
      local before = word:sub(1, math.max(0, #word - #typed))
      found[#found + 1] = before .. candidate:sub(math.max(0, #typed - #word) + 1) .. '"'
    end
  end
  table.sort(found)
  return found
end

--- What may stand in the word's place, at the end of a text of Lua.
---@param chat sotto.chat
---@param word string
---@param text string
---@return string[]
function M.complete(chat, word, text)
  local method, inside = open_call(chat, text)
  if method and inside:find("=%s*[\"'][^\"']*$") then return parameter_values(chat, method, inside, word) end
  local part = text:match("[%w_]*$")
  local before, joint = word:sub(1, math.max(0, #word - #part)), text:sub(-#part - 1, -#part - 1)
  if joint == "." or joint == ":" then
    return matching(keys_of(value_before(chat, text, #text - #part - 1)), part, before)
  end
  if method and inside:sub(1, #inside - #part):find("^%s*$") or method and inside:find(",%s*[%w_]*$") then
    return parameters(method, part, before)
  end
  if part:find("^%d") or text:find("[\"'][^\"']*$") and not text:find("[\"'][^\"']*[\"'][^\"']*$") then return {} end
  return matching(globals(chat), part, before)
end

return M
