-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a bot's functions get first: who spoke, where, and ways to answer. Of the owner's own commands it has no
-- discussion, and what is replied comes back as the command's result.
local arguments = require "sotto.script.bot.arguments"
local times = require "sotto.script.times"

local M = {}

M.STATES_MAX, M.QUESTIONS_MAX, M.OWN_MAX = 1000, 1000, 1000

---@class sotto.bot.context
---@field text string
---@field message table|nil
---@field discussion string|nil id
---@field sender string|nil fingerprint
---@field owner boolean it is the core's own user, by `sotto scripts command`
---@field mine boolean the core's own user has written it in the discussion
---@field name string what the sender calls themselves
---@field members table[] of the discussion
---@field state table kept for this sender in this discussion; in the core's store where the script has one
local Context = {}

local lazy = {}

function lazy.members(self)
  if not self.discussion then return {} end
  return self.bot.nouns.discussions.show({ discussion = self.discussion }).members
end

function lazy.member(self)
  for _, member in ipairs(self.members) do
    if member.fingerprint == self.sender then return member end
  end
  return {}
end

function lazy.name(self)
  if self.owner then return "you" end
  local name = self.member.name
  return name and name ~= "" and name or self.sender:sub(1, 8)
end

-- In memory, the oldest goes when there are too many; the store has limits of its own.
local function memory_state(bot, key)
  if not bot.states[key] then
    bot.states[key] = {}
    table.insert(bot.state_keys, key)
    if #bot.state_keys > M.STATES_MAX then bot.states[table.remove(bot.state_keys, 1)] = nil end
  end
  return bot.states[key]
end

function lazy.state(self)
  local bot, store = self.bot, rawget(self.bot.script, "store")
  if not store then return memory_state(bot, self.key) end
  if not store.conversations then store.conversations = {} end
  if not store.conversations[self.key] then store.conversations[self.key] = {} end
  return store.conversations[self.key]
end

--- Remembers what the bot has said itself, until it is heard of as sent.
function M.note_own(bot, id)
  bot.own[id] = true
  table.insert(bot.own_ids, id)
  if #bot.own_ids > M.OWN_MAX then bot.own[table.remove(bot.own_ids, 1)] = nil end
end

local meta = {}

function meta.__index(self, key)
  if Context[key] then return Context[key] end
  if not lazy[key] then return nil end
  local value = lazy[key](self)
  rawset(self, key, value)
  return value
end

--- Answers where it was asked.
---@param text string
function Context:reply(text)
  text = tostring(text)
  if self.owner then
    table.insert(self.replies, text)
    return nil
  end
  local sent = self.bot.nouns.messages.send { discussion = self.discussion, text = text }
  M.note_own(self.bot, sent.id)
  return sent
end

--- A member of this discussion, by name, fingerprint or a beginning of it of at least 8 digits.
---@param word string
---@return table|nil
function Context:find_peer(word)
  local digits, found = word:upper(), {}
  for _, member in ipairs(self.members) do
    local begins = #digits >= 8 and member.fingerprint:sub(1, #digits) == digits
    if begins or member.name:lower() == word:gsub("^@", ""):lower() then found[#found + 1] = member end
  end
  if #found > 0 or self.discussion then return #found == 1 and found[1] or nil end
  local ok, peer = pcall(self.bot.nouns.peers.show, { peer = word })
  return ok and peer or nil
end

--- Whether the sender has that role; see Bot:role.
---@param role string|string[]|fun(ctx: sotto.bot.context): boolean
---@return boolean
function Context:is(role)
  if type(role) == "function" then return role(self) == true end
  if type(role) == "table" then
    if self.owner or self.mine then return true end
    for _, one in ipairs(role) do
      if one == self.sender or (self.bot.roles[one] and self:is(one)) then return true end
    end
    return false
  end
  if self.owner or self.mine or role == "everyone" then return true end
  if role == "owner" then return false end
  if role == "verified" then return self.member.verified == true end
  local who = self.bot.roles[role]
  if type(who) == "function" then return who(self) == true end
  return who ~= nil and who[self.sender] == true
end

-- --- questions ---------------------------------------------------------------------------------------------

--- Asks, and gives the sender's next message in this discussion to the function: f(ctx, answer). With `type`, a kind
--- of an argument, the answer is asked for until it is one. After `within` (10m) the question is forgotten.
---@param question string
---@param options? {type?: string, within?: string}
---@param f fun(ctx: sotto.bot.context, answer: any)
function Context:ask(question, options, f)
  if type(options) == "function" then options, f = nil, options end
  if type(f) ~= "function" then error("a function for the answer is missing", 2) end
  local kind = options and options.type or "text"
  if not arguments.is_type(kind) then error(("there is no type '%s'"):format(kind), 2) end
  local ms, problem = times.parse(options and options.within or "10m")
  if not ms then error(problem, 2) end
  if self.owner then error("a question needs a discussion", 2) end
  local bot = self.bot
  if not bot.questions[self.key] then bot.question_count = bot.question_count + 1 end
  if bot.question_count > M.QUESTIONS_MAX then
    bot.question_count = bot.question_count - 1
    error("too many open questions", 2)
  end
  bot.questions[self.key] = { f = f, kind = kind, until_ = bot.now() + ms }
  self:reply(question)
end

--- Whether a question is open.
---@return boolean
function M.is_asked(self) return self.bot.questions[self.key] ~= nil end

--- Whether the message is the answer to an open question; then it is handled.
---@return boolean
function M.answer(self)
  local bot, question = self.bot, self.bot.questions[self.key]
  if not question then return false end
  local value, expected
  if bot.now() < question.until_ and not self.text:find("^" .. bot.prefix_pattern) then
    value, expected = arguments.convert(question.kind, self.text, function(word) return self:find_peer(word) end)
    if value == nil then
      self:reply(("Please answer with %s."):format(expected))
      return true
    end
  end
  bot.questions[self.key] = nil
  bot.question_count = bot.question_count - 1
  if value == nil then return false end
  local reply = question.f(self, value)
  if type(reply) == "string" then self:reply(reply) end
  return true
end

--- Of a message.
---@param bot table
---@param message table
---@param mine boolean
---@return sotto.bot.context
function M.of_message(bot, message, mine)
  return setmetatable({
    mine = mine,
    bot = bot, message = message, text = message.text, discussion = message.discussion, sender = message.sender,
    owner = false, key = message.discussion .. "/" .. message.sender,
  }, meta)
end

--- Of a command by the core's own user.
---@param bot table
---@param text string
---@return sotto.bot.context
function M.of_owner(bot, text)
  return setmetatable({ bot = bot, text = text, owner = true, key = "owner", replies = {} }, meta)
end

return M
