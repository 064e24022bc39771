-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes what an editor's language server (LuaLS) has to know of the module `sotto` that scripts require: what scripts
-- register, as it stands below, and the API's methods and events from the table.
-- Usage, from the checkout after make: lua5.4 docs/meta.lua >lua/sotto/meta/sotto.lua
package.path = "./lua/?.lua;" .. package.path
package.cpath = (os.getenv "BUILD" or "./build") .. "/?.so;" .. package.cpath

local api = require "sotto.core.api"

local HEAD = [[
-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
-- Made by docs/meta.lua; changes here are lost.
---@meta sotto

--- Times: "500ms", "5s", "10m", "2h", "1d", or a number of seconds.
---@alias sotto.time string|number

---@class sotto.handle
---@field stop fun(self)

---@class sotto.timer : sotto.handle
---@field reschedule fun(self, time: sotto.time)

---@class sotto.received : sotto.message
---@field reply fun(self, text: string): sotto.message

---@class sotto.script
---@field name string
---@field store table kept on every write; needs "store"
---@field log {info: fun(text: any), warn: fun(text: any), error: fun(text: any)}|fun(text: any)
local script = {}
--- f(object, captures …, event); one that returns true keeps the later ones from it.
---@param type sotto.event_type
---@param options {priority?: number, discussion?: string, from?: string, match?: string}|fun(object: any, ...: any): boolean?
---@param f? fun(object: any, ...: any): boolean?
---@return sotto.handle
function script:on(type, options, f) end
---@param name string
---@param options {args?: string, help?: string}
---@param f fun(ctx: table, ...: string): string?
function script:command(name, options, f) end
---@param f sotto.policy
function script:admission(f) end
---@param time sotto.time
---@param f fun()
---@return sotto.timer
function script:every(time, f) end
---@param time sotto.time
---@param f fun()
---@return sotto.timer
function script:after(time, f) end
---@param f fun(h: {ok: fun(text: string), warn: fun(text: string), fail: fun(text: string)})
function script:health(f) end
---@param f fun(): any
function script:save(f) end
---@param f fun(state: any)
function script:restore(f) end

---@class sotto.bot.context
---@field text string
---@field message sotto.message?
---@field discussion string?
---@field sender string?
---@field name string
---@field members sotto.member[]
---@field owner boolean the core's user, by `sotto scripts command`
---@field mine boolean the core's user, in the discussion
---@field state table for this sender in this discussion
local context = {}
---@param text string
function context:reply(text) end
---@param role string|string[]|fun(ctx: sotto.bot.context): boolean
---@return boolean
function context:is(role) end
---@param word string
---@return sotto.member?
function context:find_peer(word) end
---@param question string
---@param options {type?: string, within?: sotto.time}|fun(ctx: sotto.bot.context, answer: any): string?
---@param f? fun(ctx: sotto.bot.context, answer: any): string?
function context:ask(question, options, f) end

---@class sotto.bot.options
---@field help? string
---@field allow? string|string[]|fun(ctx: sotto.bot.context): boolean
---@field rate? string "5/10s"
---@field anycase? boolean
---@field args? string "<what> [count:integer]"

---@class sotto.bot : sotto.script
local bot = {}
---@param pattern string
---@param options sotto.bot.options|fun(ctx: sotto.bot.context, ...: string): string?
---@param f? fun(ctx: sotto.bot.context, ...: string): string?
function bot:hear(pattern, options, f) end
---@param pattern string
---@param options sotto.bot.options|fun(ctx: sotto.bot.context, ...: string): string?
---@param f? fun(ctx: sotto.bot.context, ...: string): string?
function bot:respond(pattern, options, f) end
---@param name string
---@param options sotto.bot.options|fun(ctx: sotto.bot.context, ...: any): string?
---@param f? fun(ctx: sotto.bot.context, ...: any): string?
function bot:command(name, options, f) end
---@param name string
---@param who string[]|fun(ctx: sotto.bot.context): boolean
function bot:role(name, who) end

---@class sotto.answer
---@alias sotto.policy fun(request: {candidate: sotto.peer, sponsor: string?, discussion: string?, members: sotto.member[], charter: string, vouched_by: string[], dry_run: boolean?}): sotto.answer?

---@class sotto
local sotto = {}
---@param declaration {name: string, version: string, api: integer, needs?: string[], help?: string}
---@return sotto.script
function sotto.script(declaration) end
---@param declaration {name: string, version: string, api: integer, needs: string[], help?: string, prefix?: string, rate?: string, roles?: table<string, string[]>}
---@return sotto.bot
function sotto.bot(declaration) end
---@param time sotto.time
function sotto.sleep(time) end
---@param reason? string
---@return sotto.answer
function sotto.consent(reason) end
---@param reason? string
---@return sotto.answer
function sotto.refuse(reason) end
---@param time sotto.time
---@param reason? string
---@return sotto.answer
function sotto.later(time, reason) end
---@param ... sotto.policy
---@return sotto.policy
function sotto.all_of(...) end
---@param ... sotto.policy
---@return sotto.policy
function sotto.any_of(...) end
---@param policy sotto.policy
---@return sotto.policy
function sotto.not_(policy) end
---@return sotto.policy
function sotto.verified() end
---@param list table|string|fun(): table
---@return sotto.policy
function sotto.listed(list) end
---@param n integer
---@return sotto.policy
function sotto.vouched_by(n) end
---@param fingerprints string[]
---@return sotto.policy
function sotto.signed_by(fingerprints) end
---@param hours string "9-17"
---@return sotto.policy
function sotto.within(hours) end
---@param n integer
---@param period sotto.time
---@return sotto.policy
function sotto.rate(n, period) end
---@param reason? string
---@return sotto.policy
function sotto.ask(reason) end
sotto.null = nil
---@param list table
---@return table
function sotto.array(list) end
sotto.json = {}
---@return string?, string? problem
function sotto.json.encode(value) end
---@return any, string? problem
function sotto.json.decode(text) end
sotto.http, sotto.files, sotto.command = {}, {}, {}
---@param url string
---@param options? {headers?: table<string, string>, timeout?: sotto.time}
---@return {status: integer, url: string, headers: table<string, string>, body: string}
function sotto.http.get(url, options) end
---@param url string
---@param body string
---@param options? {headers?: table<string, string>, timeout?: sotto.time}
---@return {status: integer, url: string, headers: table<string, string>, body: string}
function sotto.http.post(url, body, options) end
---@param options {url: string, method?: string, headers?: table<string, string>, body?: string, timeout?: sotto.time}
---@return {status: integer, url: string, headers: table<string, string>, body: string}
function sotto.http.request(options) end
---@return string
function sotto.files.read(path) end
---@return true
function sotto.files.write(path, text) end
---@return true
function sotto.files.append(path, text) end
---@return true
function sotto.files.remove(path) end
---@return {name: string, kind: string, size: integer, modified: integer}[]
function sotto.files.list(path) end
---@return {status: integer?, signal: string?, output: string, errors: string}
function sotto.command.run(options) end
---@return {send: fun(self, line: string), finish: fun(self), stop: fun(self, hard?: boolean)}
function sotto.command.start(options) end
]]

local TYPES = {
  integer = "integer", boolean = "boolean", strings = "string[]", enum = "string",
}

local function type_of(param)
  if param.values then
    local values = {}
    for i, value in ipairs(param.values) do values[i] = ('"%s"'):format(value) end
    return table.concat(values, "|")
  end
  return TYPES[param.type] or "string"
end

-- classes of the results, as lua/sotto/types/api.lua names them
local function result_of(method)
  if method.returns == "nothing" or method.returns == "object" or method.returns == "log" then return "table" end
  local base, list = method.returns:match("^([%w_]+)(.*)$")
  if base == "script" then base = "script.view" end
  return ("sotto.%s%s"):format(base, list == "[]" and "[]" or "")
end

local function method_lines(out, noun, method)
  local fields = {}
  for i, param in ipairs(method.params) do
    fields[i] = ("%s%s: %s"):format(param.name, param.required and "" or "?", type_of(param))
  end
  local optional = #fields == 0 or not method.params[1].required
  out[#out + 1] = ("--- %s Since %d; needs %s."):format(method.text, method.since, method.capability)
  for _, param in ipairs(method.params) do out[#out + 1] = ("--- - `%s` %s"):format(param.name, param.text) end
  out[#out + 1] = ("---@param params%s {%s}"):format(optional and "?" or "", table.concat(fields, ", "))
  out[#out + 1] = "---@return " .. result_of(method)
  out[#out + 1] = ("function sotto.%s.%s(params) end"):format(noun, method.verb)
end

local out, types = { HEAD }, {}
for _, noun in ipairs(api.nouns) do
  -- no script is given these
  if noun.name ~= "scripts" and noun.name ~= "events" then
    out[#out + 1] = ("--- %s"):format(noun.text)
    out[#out + 1] = ("sotto.%s = {}"):format(noun.name)
    for _, method in ipairs(noun.methods) do method_lines(out, noun.name, method) end
    out[#out + 1] = ""
  end
end
for _, event in ipairs(api.events) do types[#types + 1] = ('---| "%s" # %s Since %d.'):format(event.type, event.text, event.since) end
out[#out + 1] = "---@alias sotto.event_type\n" .. table.concat(types, "\n") .. "\n"
out[#out + 1] = "return sotto"
io.stdout:write(table.concat(out, "\n"), "\n")
