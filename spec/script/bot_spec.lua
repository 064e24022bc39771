-- SPDX-License-Identifier: GPL-3.0-or-later
-- The framework without a process: messages come in by hand, and what is sent is looked at.
local arguments = require "sotto.script.bot.arguments"
local bot = require "sotto.script.bot"
local limits = require "sotto.script.bot.limits"
local script = require "sotto.script.script"

local BOB, CAROL = ("B0"):rep(20), ("C0"):rep(20)

describe("a bot's arguments", function()
  local function read(declared, text)
    local params = assert(arguments.parse(declared))
    local values, problem = arguments.read(params, text, function(word)
      return word == "bob" and { name = "bob" } or nil
    end)
    return values or problem
  end

  it("have types, and may be left out at the end", function()
    assert.are.same({ "tea", 3, n = 2 }, read("<what> [times:integer]", "tea 3"))
    assert.are.same({ "tea", n = 2 }, read("<what> [times:integer]", " tea "))
    assert.are.same({ 600, "a cup of tea", n = 2 }, read("<time> <what:text>", '10m a cup of tea'))
    assert.are.same({ "two words", 1.5, n = 2 }, read("<what> <n:number>", '"two words" 1.5'))
    assert.are.same({ "on", n = 1 }, read("<state:on|off>", "ON"))
    assert.are.equal("bob", read("<peer>", "bob")[1].name)
    assert.are.same({ BOB, n = 1 }, read("<who:fingerprint>", BOB:lower()))
  end)

  it("are refused with a word for people", function()
    assert.are.equal("what is missing", read("<what>", " "))
    assert.are.equal("'x' is no n: it takes a whole number", read("<n:integer>", "x"))
    assert.are.equal("'b' is one argument too many", read("<what>", "a b"))
    assert.truthy(read("<state:on|off>", "maybe"):find "one of on, off")
    assert.truthy(read("<peer>", "nobody"):find "somebody of this discussion")
    assert.truthy(read("<n:number>", "1e999"):find "a number")
  end)

  it("are declared in order", function()
    for _, wrong in ipairs { "what", "<what:thing>", "<a:text> <b>", "[a] <b>", ("<a> "):rep(17), "<1>" } do
      assert.is_nil(arguments.parse(wrong), wrong)
    end
    assert.are.equal("<time> [on|off]", arguments.usage(arguments.parse "<time> [state:on|off]"))
  end)

  it("may come word by word", function()
    assert.are.equal('"a b" c d e', arguments.join { "a b", "c", "d e" })
  end)
end)

describe("a rate", function()
  it("is so many in a period, for each key, and tells the first refusal", function()
    local limit = limits.parse "2/10s"
    for _ = 1, 2 do assert.is_true((limit:take("a", 0))) end
    assert.are.same({ false, true }, { limit:take("a", 1) })
    assert.are.same({ false, false }, { limit:take("a", 2) })
    assert.is_true((limit:take("b", 2)))
    assert.is_true((limit:take("a", 10000)))
    for _, wrong in ipairs { "2", "0/1s", "2/0s", "x/1s", "2/x" } do assert.is_nil(limits.parse(wrong), wrong) end
  end)
end)

describe("a bot", function()
  local sent, members, now, one, logged

  local function make(more)
    local declaration = { name = "hal", version = "1", api = 1, needs = { "messages" }, help = "helps" }
    for key, value in pairs(more or {}) do declaration[key] = value end
    local options = assert(bot.options(declaration))
    assert.is_nil(script.check(options.declaration))
    local own = script.new(options.declaration, {
      check_event = function() end, listen = function() end, changed = function() end,
      log = function(level, text) logged[#logged + 1] = level .. " " .. text end,
    })
    return bot.make(own, options, {
      now = function() return now end,
      nouns = {
        messages = { send = function(params)
          sent[#sent + 1] = params.text
          return { id = "own " .. params.text }
        end },
        discussions = { show = function() return { members = members } end },
      },
    })
  end

  before_each(function()
    sent, now, logged = {}, 0, {}
    members = { { fingerprint = BOB, name = "Bob", verified = true }, { fingerprint = ("A1"):rep(20), name = "me" } }
    one = make()
  end)

  local function say(text, sender)
    sent = {}
    local message = { text = text, discussion = ("d"):rep(32), sender = sender or BOB }
    for _, wanting in ipairs(one.events["message.received"]:wanting(message)) do wanting.f(message) end
    return table.concat(sent, "\n")
  end

  it("hears patterns, and what a function returns is the reply", function()
    one:hear("^ping (%d+)$", function(_, n) return "pong " .. n end)
    one:hear("good morning", { anycase = true }, function(ctx) return "Good morning, " .. ctx.name end)
    assert.are.equal("pong 3", say "ping 3")
    assert.are.equal("Good morning, Bob", say "Good MORNING all")
    assert.are.equal("", say "ping x")
  end)

  it("responds to what is said to it: among more than two, by its name", function()
    one:respond("^hello$", function() return "hi" end)
    assert.are.equal("hi", say "hello")
    assert.are.equal("hi", say "Hal: hello")
    one:respond("^Hal (%a+)$", function(_, word) return "not " .. word end)
    assert.are.equal("not there", say "Hal there")
    members[3] = { fingerprint = CAROL, name = "carol" }
    assert.are.equal("", say "hello")
    assert.are.equal("hi", say "@hal, hello")
    assert.are.equal("hi", say "hal hello")
    assert.are.equal("", say "bob: hello")
  end)

  it("has commands with typed arguments, help from the declarations, and a word for what is wrong", function()
    one:command("remind", { args = "<time> <what:text>", help = "later" }, function(_, time, what)
      return time .. " " .. what
    end)
    one:respond("weather", { help = "tells the weather" }, function() return "rain" end)
    assert.are.equal("600.0 a cup of tea", say "!remind 10m a cup of tea")
    assert.are.equal("What is missing. !remind <time> <what> - later", say "!remind 10m")
    -- what is not its own is another bot's, which the same person may run
    assert.are.equal("", say "!nothing")
    assert.are.equal("", say "!help nothing")
    assert.are.equal("hal 1: helps\n  !remind <time> <what> - later\n  tells the weather", say "!help")
    assert.are.equal("It is !remind <time> <what> - later", say "!help remind")
  end)

  it("lets the core's user run its commands, with all roles", function()
    one:command("add", { args = "<a:integer> <what:text>", allow = "owner" }, function(ctx, a, what)
      ctx:reply("adding " .. what)
      return tostring(a + 1)
    end)
    assert.are.equal("adding some things\n5", one.commands.add.f({}, "4", "some", "things"))
    assert.truthy(one.commands.add.f({}, "x"):find "a whole number")
    assert.are.equal("Not for you: !add", say "!add 4 things")
    assert.are.equal("hal 1: helps", say "!help")
  end)

  it("takes commands of the core's user in a discussion, and nothing else of theirs", function()
    one:command("secret", { allow = "owner" }, function() return "told" end)
    one:hear("x", function() return "heard" end)
    local function write(text)
      sent = {}
      local message = { id = "own " .. text, text = text, discussion = ("d"):rep(32), sender = members[2].fingerprint }
      for _, wanting in ipairs(one.events["message.sent"]:wanting(message)) do wanting.f(message) end
      return table.concat(sent, "\n")
    end
    assert.are.equal("told", write "!secret")
    assert.are.equal("", write "x")
    -- but not of what the bot itself has said
    one:respond("^say", function() return "!secret" end)
    say "say"
    assert.are.equal("", write "!secret")
  end)

  it("knows roles by fingerprint, and who is verified", function()
    one = make { roles = { admin = { BOB:lower():gsub("(....)", "%1 ") .. "" } } }
    one:command("a", { allow = "admin" }, function() return "yes" end)
    one:command("v", { allow = "verified" }, function() return "yes" end)
    one:command("f", { allow = { CAROL } }, function() return "yes" end)
    assert.are.equal("yes", say "!a")
    assert.are.equal("Not for you: !a", say("!a", CAROL))
    assert.are.equal("yes", say "!v")
    assert.are.equal("Not for you: !v", say("!v", CAROL))
    assert.are.equal("yes", say("!f", CAROL))
    assert.are.equal("Not for you: !f", say "!f")
    assert.has_error(function() one:role("owner", { BOB }) end)
  end)

  it("asks, and takes the next message of that sender for the answer, of a type", function()
    one:command("order", function(ctx)
      ctx:ask("How many?", { type = "integer" }, function(own, n)
        own.state.count = (own.state.count or 0) + n
        return "All together " .. own.state.count
      end)
    end)
    assert.are.equal("How many?", say "!order")
    assert.are.equal("", say("7", CAROL))
    assert.are.equal("Please answer with a whole number.", say "many")
    assert.are.equal("All together 7", say "7")
    assert.are.equal("", say "7")
    say "!order"
    assert.are.equal("All together 9", say "2")
    say "!order"
    now = 600001
    assert.are.equal("", say "2")
  end)

  it("a command in the place of an answer ends the question", function()
    one:command("order", function(ctx) ctx:ask("How many?", function(_, n) return "so " .. n end) end)
    one:command("other", function() return "other" end)
    say "!order"
    assert.are.equal("other", say "!other")
    assert.are.equal("", say "3")
  end)

  it("answers one sender so often, and no more; and an entry less often still", function()
    one = make { rate = "3/1m" }
    one:hear("x", function() return "y" end)
    one:command("dear", { rate = "1/1h" }, function() return "done" end)
    for _ = 1, 40 do say "something else" end
    for _ = 1, 3 do assert.are.equal("y", say "x") end
    assert.are.equal("", say "x")
    assert.are.equal("", say "!help")
    assert.are.equal(1, #logged)
    assert.are.equal("y", say("x", CAROL))
    now = 60000
    assert.are.equal("done", say "!dear")
    assert.are.equal("That is too often; later again.", say "!dear")
    assert.are.equal("", say "!dear")
  end)

  it("says that something has failed, and the script's log gets why", function()
    one:command("bad", function() error("oh no", 0) end)
    assert.has_error(function() say "!bad" end, "oh no")
    assert.are.equal("That has failed; my log has the reason.", table.concat(sent))
  end)

  it("names mistakes of its author where they are made", function()
    local function fails(pattern, f, ...)
      local ok, problem = pcall(f, ...)
      assert.is_false(ok)
      assert.truthy(problem:find(pattern), problem)
    end
    fails("bot_spec.lua:%d+: there is no option 'hlep'", function() one:command("a", { hlep = "" }, print) end)
    fails("bot_spec.lua:%d+: a command's name", function() one:command("A b", print) end)
    fails("bot_spec.lua:%d+: the pattern", function() one:hear("(", print) end)
    fails("bot_spec.lua:%d+: there is no type", function() one:command("a", { args = "<b:c>" }, print) end)
    assert.truthy(select(2, bot.options { name = "x" }):find "needs the capability 'messages'")
    assert.truthy(select(2, bot.options { prefix = "" }):find "prefix")
  end)
end)
