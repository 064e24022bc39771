-- SPDX-License-Identifier: GPL-3.0-or-later
-- The framework for bots: sotto.bot{} is sotto.script{} with what conversations need: patterns to hear and to respond
-- to, commands with typed arguments, roles, questions, rates, and help made from all that.
local arguments = require "sotto.script.bot.arguments"
local context = require "sotto.script.bot.context"
local limits = require "sotto.script.bot.limits"
local script = require "sotto.script.script"

local M = {}

M.LISTENERS_MAX = 200

--- What one sender may cause in one discussion: two bots that talk to each other end, too.
M.RATE = "30/1m"

---@class sotto.bot.declaration : sotto.script.declaration
---@field prefix? string what commands begin with; standard "!"
---@field rate? string what one sender may cause in a discussion; standard "30/1m"
---@field roles? table<string, string[]> fingerprints

---@class sotto.bot.options
---@field help? string one line
---@field allow? string|string[]|fun(ctx: sotto.bot.context): boolean a role, or several, or fingerprints
---@field rate? string "5/10s" for each sender, beside the bot's own
---@field anycase? boolean of a pattern: the text is matched in lower case
---@field args? string of a command: "<when:time> [what:text]"

---@class sotto.bot : sotto.script
local Bot = setmetatable({}, { __index = script.class })
Bot.__index = Bot

local OWN = { prefix = "string", rate = "string", roles = "table" }

--- A declaration's own part, and what is the script's.
---@param declaration sotto.bot.declaration
---@return table|nil options, string? problem
function M.options(declaration)
  if type(declaration) ~= "table" then return nil, "sotto.bot takes a table" end
  local own, plain = {}, {}
  for key, value in pairs(declaration) do
    if OWN[key] and type(value) ~= OWN[key] then return nil, ("'%s' is a %s"):format(key, OWN[key]) end
    if OWN[key] then own[key] = value else plain[key] = value end
  end
  own.prefix = own.prefix or "!"
  if #own.prefix > 8 or not own.prefix:find("^%S+$") then return nil, "'prefix' is a short text without blanks" end
  local limit, problem = limits.parse(own.rate or M.RATE)
  if not limit then return nil, problem end
  own.limit, own.declaration = limit, plain
  for _, need in ipairs(type(plain.needs) == "table" and plain.needs or {}) do
    if need == "messages" then return own end
  end
  return nil, "a bot needs the capability 'messages': needs = { \"messages\" }"
end

-- --- declaring ---------------------------------------------------------------------------------------------

local KNOWN = { help = "string", rate = "string", anycase = "boolean", args = "string", allow = true }

-- an entry with its options checked; raises at the level of whoever called the bot's function
local function entry_of(options, f)
  if type(options) == "function" then options, f = {}, options end
  if type(f) ~= "function" then error("a function is missing", 3) end
  if type(options) ~= "table" then error("options are a table", 3) end
  local entry = { f = f }
  for key, value in pairs(options) do
    if not KNOWN[key] then error(("there is no option '%s'"):format(tostring(key)), 3) end
    if KNOWN[key] ~= true and type(value) ~= KNOWN[key] then
      error(("the option '%s' is a %s"):format(key, KNOWN[key]), 3)
    end
    entry[key] = value
  end
  if entry.rate then
    local limit, problem = limits.parse(entry.rate)
    if not limit then error(problem, 3) end
    entry.limit = limit
  end
  return entry
end

local function add_listener(self, list, pattern, entry)
  local ok, problem = pcall(string.find, "", pattern)
  if not ok then error("the pattern: " .. tostring(problem), 3) end
  if #list >= M.LISTENERS_MAX then error("too many patterns", 3) end
  entry.pattern = pattern
  list[#list + 1] = entry
  return self
end

--- Calls f(ctx, captures …) for every message that the pattern is found in. A returned string is the reply.
---@param pattern string a Lua pattern
---@param options? sotto.bot.options
---@param f function
function Bot:hear(pattern, options, f)
  local entry = entry_of(options, f)
  add_listener(self, self.bot.hears, pattern, entry)
end

--- The same for messages to the bot: in a discussion of two all are; among more those that begin with its name.
---@param pattern string
---@param options? sotto.bot.options
---@param f function
function Bot:respond(pattern, options, f)
  local entry = entry_of(options, f)
  add_listener(self, self.bot.responds, pattern, entry)
end

--- A command: `!name …` in a discussion, also by the core's own user; and `sotto scripts command` for the latter:
--- f(ctx, values …).
---@param name string
---@param options? sotto.bot.options
---@param f function
function Bot:command(name, options, f)
  local entry = entry_of(options, f)
  local params, problem = arguments.parse(entry.args or "")
  if not params then error(problem, 2) end
  if name == "help" then error("'help' is made by itself", 2) end
  entry.name, entry.params = name, params
  local shown = { args = arguments.usage(params), help = entry.help }
  local ok, failure = pcall(script.class.command, self, name, shown, function(_, ...)
    return M.run_for_owner(self, entry, { ... })
  end)
  if not ok then error(failure:gsub("^%S+:%d+: ", ""), 2) end
  self.bot.commands[name] = entry
end

--- Who has a role: a list of fingerprints, or a function(ctx) that gives true. "everyone", "verified" (a password was
--- agreed with them) and "owner" (the core's own user) are there already; the owner has every role.
---@param name string
---@param who string[]|fun(ctx: sotto.bot.context): boolean
function Bot:role(name, who)
  if name == "everyone" or name == "verified" or name == "owner" then
    error(("the role '%s' is there already"):format(name), 2)
  end
  if type(who) == "function" then
    self.bot.roles[name] = who
    return
  end
  local set = {}
  for _, fingerprint in ipairs(who) do set[(fingerprint:gsub("[%s:]", ""):upper())] = true end
  self.bot.roles[name] = set
end

-- --- help --------------------------------------------------------------------------------------------------

local function command_line(bot, entry)
  local usage = arguments.usage(entry.params)
  local text = bot.prefix .. entry.name .. (usage ~= "" and " " .. usage or "")
  return entry.help and text .. " - " .. entry.help or text
end

--- What the sender may do, from what was declared; nil of a command that is not this bot's.
---@param ctx sotto.bot.context
---@param name string|nil a command
---@return string|nil
function M.help(self, ctx, name)
  local bot = self.bot
  -- another script may take a text that begins with the prefix for a command
  if name then return bot.commands[name] and "It is " .. command_line(bot, bot.commands[name]) end
  local lines, names = { self.name .. " " .. self.version .. (bot.about and ": " .. bot.about or "") }, {}
  for one, entry in pairs(bot.commands) do
    if not entry.allow or ctx:is(entry.allow) then names[#names + 1] = one end
  end
  table.sort(names)
  for _, one in ipairs(names) do lines[#lines + 1] = "  " .. command_line(bot, bot.commands[one]) end
  for _, list in ipairs { bot.responds, bot.hears } do
    for _, entry in ipairs(list) do
      if entry.help then lines[#lines + 1] = "  " .. entry.help end
    end
  end
  return table.concat(lines, "\n")
end

-- --- at work -----------------------------------------------------------------------------------------------

-- Counts once for each message that the bot is about to do something for.
local function is_admitted(self, ctx)
  if ctx.owner or ctx.admitted then return true end
  local ok, first = self.bot.limit:take(ctx.key, self.bot.now())
  if first then self.log.warn(("%s is not answered for a while: too much at once"):format(ctx.sender:sub(1, 8))) end
  ctx.admitted = ok
  return ok
end

-- whether the entry may run now; a word where it is worth one
local function may_run(self, entry, ctx)
  local bot = self.bot
  if not is_admitted(self, ctx) then return false end
  if entry.allow and not ctx:is(entry.allow) then
    if entry.name then ctx:reply(("Not for you: %s%s"):format(bot.prefix, entry.name)) end
    return false
  end
  if not entry.limit or ctx.owner then return true end
  local ok, first = entry.limit:take(ctx.key, bot.now())
  if not ok and first then ctx:reply "That is too often; later again." end
  return ok
end

-- The person learns that it failed; the script's log has why.
local function run(ctx, f, ...)
  local result = table.pack(pcall(f, ctx, ...))
  if not result[1] then
    if not ctx.owner then pcall(ctx.reply, ctx, "That has failed; my log has the reason.") end
    error(result[2], 0)
  end
  if type(result[2]) == "string" then ctx:reply(result[2]) end
end

local function run_command(self, entry, ctx, text)
  if not may_run(self, entry, ctx) then return end
  local values, problem = arguments.read(entry.params, text, function(word) return ctx:find_peer(word) end)
  if not values then
    return ctx:reply(("%s. %s"):format(problem:gsub("^%l", string.upper), command_line(self.bot, entry)))
  end
  run(ctx, entry.f, table.unpack(values, 1, values.n))
end

--- A command by the core's own user: its replies are the result.
---@return string|nil
function M.run_for_owner(self, entry, words)
  local ctx = context.of_owner(self.bot, arguments.join(words))
  run_command(self, entry, ctx, ctx.text)
  return #ctx.replies > 0 and table.concat(ctx.replies, "\n") or nil
end

-- What was said to the bot, without its name and with it (for "hello" may be its name, too); nothing where it was said
-- to others.
local function addressed(self, ctx)
  local first, rest = ctx.text:match("^%s*@?([^%s:,]+)[%s:,]+(.*)$")
  if first and first:lower() == self.name then return { rest, ctx.text } end
  return #ctx.members <= 2 and { ctx.text } or {}
end

local function take_command(self, ctx)
  local bot = self.bot
  local name, rest = ctx.text:match("^" .. bot.prefix_pattern .. "([%a][%w_-]*)%s*(.*)$")
  if not name then return false end
  local entry = bot.commands[name:lower()]
  if entry then
    run_command(self, entry, ctx, rest)
  elseif not is_admitted(self, ctx) then
    return true
  elseif name:lower() == "help" then
    local help = M.help(self, ctx, rest:match("^" .. bot.prefix_pattern .. "?([%w_-]+)"))
    if help then ctx:reply(help) end
  end
  -- a command that is not there is another bot's: of this person, who may run several, or of another
  return true
end

-- the first match of the entry, or nil
local function captures_of(entry, text)
  local found = table.pack((entry.anycase and text:lower() or text):match(entry.pattern))
  return found[1] ~= nil and found or nil
end

local function take_response(self, ctx)
  if #self.bot.responds == 0 then return false end
  for _, text in ipairs(addressed(self, ctx)) do
    for _, entry in ipairs(self.bot.responds) do
      local found = captures_of(entry, text)
      if found and may_run(self, entry, ctx) then
        run(ctx, entry.f, table.unpack(found, 1, found.n))
        return true
      end
    end
  end
  return false
end

local function take_heard(self, ctx)
  for _, entry in ipairs(self.bot.hears) do
    local found = captures_of(entry, ctx.text)
    if found and may_run(self, entry, ctx) then run(ctx, entry.f, table.unpack(found, 1, found.n)) end
  end
end

-- What the core's own user writes is taken for its commands and answers alone: other scripts write in that name, too.
local function take_message(self, message, mine)
  local ctx = context.of_message(self.bot, message, mine)
  if context.is_asked(ctx) and not is_admitted(self, ctx) then return end
  if context.answer(ctx) or take_command(self, ctx) or mine or take_response(self, ctx) then return end
  take_heard(self, ctx)
end

---@class sotto.bot.services
---@field nouns table<string, table<string, function>>
---@field now fun(): integer monotonic milliseconds

--- Makes a bot of a script that has just been declared.
---@param own sotto.script
---@param options table of M.options
---@param services sotto.bot.services
---@return sotto.bot
function M.make(own, options, services)
  own.bot = {
    script = own, nouns = services.nouns, now = services.now, about = options.declaration.help,
    prefix = options.prefix, prefix_pattern = options.prefix:gsub("%p", "%%%0"), limit = options.limit,
    commands = {}, hears = {}, responds = {}, roles = {}, states = {}, state_keys = {}, own = {}, own_ids = {},
    questions = {}, question_count = 0,
  }
  setmetatable(own, Bot)
  for name, who in pairs(options.roles or {}) do own:role(name, who) end
  own:on("message.received", function(message) take_message(own, message, false) end)
  own:on("message.sent", function(message)
    if not own.bot.own[message.id] then take_message(own, message, true) end
  end)
  return own
end

return M
