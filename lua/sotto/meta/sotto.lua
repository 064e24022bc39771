-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
-- The module `sotto` as a script has it, for editors. The API's methods and events are in api.lua, which is made.
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
---@param options {priority?: number}|sotto.policy
---@param f? sotto.policy
function script:admission(options, f) end
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

return sotto
