-- SPDX-License-Identifier: GPL-3.0-or-later
-- The interactive chat in a window, over real cores: what a person types, and sees.
local chatter = require "support.chatter"
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"
local window = require "support.window"

describe("the chat", function()
  local alice, bob, id, w

  local function open(options)
    w = chatter.open(alice, options)
    return w
  end

  before_each(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
  end)
  after_each(function()
    window.close_all()
    cores.clean()
  end)

  -- the line with the cursor, where a clock stands in it
  local function at_like(pattern)
    waiting.wait(function() return pattern .. "; the screen:\n" .. w.screen:text() end, function()
      return w.screen:cursor_line():find("^" .. pattern .. "$")
    end)
  end

  it("says a line, and marks where it stands how far it has come", function()
    open():at "alice@bob>"
    w:enter("hello bob"):see "hello bob  ✓✓"
    assert.are.equal("hello bob", bob:event("message.received").text)
    assert.are.equal(1, select(2, w.screen:text():gsub("hello bob", "")))
    bob:send(id, "hello alice")
    w:see("bob: hello alice"):at "alice@bob>"
    w:enter("/history 2"):see("/history 2"):see "bob: hello alice"
  end)

  it("is nowhere while the key is locked, and says so; unlocked, it makes no newcomer of who is verified", function()
    alice:call("identity.passphrase", { new = "open sesame" })
    alice:call "identity.lock"
    w = chatter.open(alice, { prompt = "Passphrase of your key" })
    w:enter(""):see("Locked: nothing can be read"):at "alice@lua>"
    w:enter("/go 1"):see("! your key is locked: /unlock asks for its passphrase"):at "alice@lua>"
    w:enter("/unlock"):see("Passphrase of your key"):enter "open sesame"
    w:see("Unlocked."):at "alice@bob>"
    w:enter("good morning"):see "good morning  ✓✓"
    assert.is_nil(w.raw:find("(bob is there", 1, true))
  end)

  it("keeps what is typed whole while 200 messages come", function()
    open { columns = 60, rows = 20 }
    local texts = {}
    for i = 1, 200 do texts[i] = ("%03d %s"):format(i, i % 3 == 0 and "日本語のメッセージ" or ("word "):rep(i % 25) .. ".") end
    w:enter("a line to look for"):see "a line to look for  ✓"
    local sent = 0
    local function send(count)
      for _ = 1, count do
        sent = sent + 1
        bob.control:request("messages.send", { discussion = id, text = texts[sent] })
      end
    end
    -- typed, completed, wrapped, and a search, each while messages come
    local typed = "I say 日本 "
    send(40)
    w:type(typed):at("alice@bob> " .. typed)
    send(40)
    w:type("bo\t"):at("alice@bob> " .. typed .. "bob")
    typed = typed .. "bob " .. ("and so on "):rep(10)
    send(40)
    w:type(("and so on "):rep(10)):at("alice@bob> " .. typed)
    w:see "100 "
    send(40)
    w:type "\18look"
    w:at "(reverse-i-search)`look': a line to look for"
    w:see "130 "
    w:at "(reverse-i-search)`look': a line to look for"
    w:type("\7"):at("alice@bob> " .. typed)
    w:resize(48)
    send(40)
    w:type("!"):see "200 "
    w:see "so on !"
    -- a window that changes its size breaks lines anew as it likes: from here on its width stays
    w:type("\21"):at("alice@bob>"):forget()
    w:type("whole"):at "alice@bob> whole"
    w:enter(""):see "you: whole"
    assert.are.equal("whole", bob:event("message.received", { text = "whole" }).text)
    local received = 0
    for _, message in ipairs(alice:messages(id)) do
      if message.state == "received" then
        received = received + 1
        assert.are.equal(texts[received], message.text)
      end
    end
    assert.are.equal(200, received)
  end)

  it("shows every one of 200 messages that come at once, each whole and in order", function()
    open { columns = 70 }
    w:type "half a line"
    local texts = {}
    for i = 1, 200 do texts[i] = ("<%03d %s>"):format(i, ("ab 語 "):rep(i % 20)) end
    bob:call("messages.send", { discussion = id, texts = texts })
    w:see("<200 "):at "alice@bob> half a line"
    local text, from = w.screen:text(), 1
    for i = 1, 200 do
      local _, to = text:find("bob: " .. texts[i] .. "\n", from, true)
      assert.truthy(to, texts[i])
      from = to
    end
  end)

  it("shows escape sequences and bidi tricks as text, in names and in what is said", function()
    open()
    bob:send(id, "\27[2J\27]0;title\7 \u{202e}evil\u{202c} a\rb \u{9b}31m")
    w:see "bob: <U+001B>[2J<U+001B>]0;title<U+0007> <U+202E>evil<U+202C> a<U+000D>b <U+009B>31m"
    bob:send(id, "Z" .. ("\u{301}"):rep(20) .. "algo")
    w:see(("<U+0301>"):rep(14) .. "algo")
    bob:send(id, "one\n12:00 you: I promise")
    w:see "bob: one\n           12:00 you: I promise"
    assert.is_nil(w.raw:find("\27]", 1, true))
    assert.is_nil(w.raw:find "\7")
    assert.is_nil(w.raw:find "\u{202e}")
  end)

  it("sends several lines as one message: pasted, and with Alt-Enter", function()
    open()
    w:type "\27[200~pasted one\npasted two\27[201~"
    w:enter(""):see "you: pasted one\n           pasted two  ✓✓"
    assert.are.equal("pasted one\npasted two", bob:event("message.received").text)
    w:type("first\27\rsecond"):enter(""):see "you: first\n           second  ✓✓"
    assert.are.equal("first\nsecond", bob:event("message.received").text)
  end)

  it("evaluates Lua, over several lines, and says where an error is", function()
    open()
    w:enter("=1 +"):at ">>"
    w:enter("2"):see "\n3"
    w:enter("=me.name, peers.bob.name"):see '"alice"\n"bob"'
    w:enter("=("):at ">>"
    w:type("\3"):see("^C"):at "alice@bob>"
    w:enter("=nope.x"):see "! line 1: attempt to index a nil value (global 'nope')"
    w:enter("=1 = 2"):see "! line 1:"
    w:enter("=for i = 1, 2 do"):at ">>"
    w:enter("print(i, 'x')"):at ">>"
    w:enter("end"):see "1    x\n2    x"
    w:enter("=sotto.messages.send{ discussion = chat.current, text = 'by Lua' }.text"):see '"by Lua"'
    w:see "you: by Lua  ✓✓"
    w:enter("=while true do end"):type "\3"
    waiting.ask("the loop to end", function()
      w:type "\3"
      return w:shows "stopped by Ctrl-C"
    end)
  end)

  it("shows what the same person says in another front end, and what was read there", function()
    open()
    local sent = alice:send(id, "from elsewhere")
    w:see "you: from elsewhere  ✓✓"
    assert.are.equal(sent.id, bob:event("message.received").id)
    w:enter("/go"):at "alice@lua>"
    bob:send(id, "unread one")
    w:see("[bob] "):at "alice@lua [1 new]>"
    alice:call("messages.read", { discussion = id })
    w:at "alice@lua>"
  end)

  it("says that a message waits and why, and marks it when it has come", function()
    open()
    local address = bob.address
    bob:stop()
    w:see("bob cannot be reached at the moment"):at "alice@bob (away)>"
    w:enter("into the void"):see "into the void  …"
    w:see "(Not delivered yet: bob cannot be reached since "
    w:enter("and more"):see "and more  …"
    waiting.ask("the reason to be known", function()
      for _, member in ipairs(alice:discussion(id).members) do
        if member.problem == "refused" then return true end
      end
    end)
    w:enter("/who"):see("nothing listens at " .. address)
    assert.are.equal(1, select(2, w.screen:text():gsub("Not delivered yet", "")))
    bob:start()
    w:see("bob is back."):at "alice@bob>"
    w:see("into the void  ✓✓"):see "and more  ✓✓"
  end)

  it("tells in a sentence what was delivered late and has scrolled away", function()
    open { rows = 12, file = "chat.settings.patience = 1" }
    bob:stop()
    w:at "alice@bob (away)>"
    w:enter("first of two"):see("first of two  …"):see "Not delivered yet"
    w:enter("second of two"):see "second of two  …"
    for i = 1, 12 do w:enter("=" .. i):see(("\n%d\n"):format(i)) end
    bob:start()
    w:see "(Delivered to bob now: 2 messages, the first from "
    w:see "first of two  …"
    w:enter("/history 2"):see("first of two  ✓✓"):see "second of two  ✓✓"
  end)

  it("remembers commands across restarts, and messages through the core alone", function()
    open():enter("said once"):see "said once  ✓✓"
    w:enter("=6 * 7"):see "42"
    w:enter("/who"):see "state: open"
    w:enter("/open nobody secret words"):see "! "
    w:enter("/quit"):wait_end()
    local kept = chatter.history(alice)
    assert.truthy(kept:find("=6 * 7", 1, true))
    assert.truthy(kept:find("/who", 1, true))
    assert.is_nil(kept:find "said once")
    assert.is_nil(kept:find "secret")
    assert.are.equal(tonumber("600", 8), sys.stat(alice.home .. "/state/history").mode & tonumber("777", 8))
    open():at "alice@bob>"
    w:type("\27[A\27[A"):at "alice@bob> /who"
    w:type("\18said"):at "(reverse-i-search)`said': said once"
    w:type("\5\21"):at "alice@bob>"
  end)

  it("leaves a password on no screen and in no file", function()
    open()
    w:enter("/go"):at "alice@lua>"
    w:enter("/close bob"):see "is closed: you closed it"
    bob:event("discussion.closed", { id = id })
    alice:call("peers.forget", { peer = bob.fingerprint })
    cores.meet(alice, bob)
    w:enter("/open bob"):at "Password agreed with bob (empty: make one):"
    w:enter("very secret words"):see "Asked."
    local asked = bob:event("discussion.requested", { state = "requested" })
    bob:call("discussions.accept", { discussion = asked.id, password = "very secret words" })
    w:see("The discussion with bob is open."):at "alice@bob>"
    assert.is_nil(w.raw:find "secret")
    assert.is_nil(chatter.history(alice):find "secret")
  end)

  it("comes back to where it was, shows what is new, and the prompt counts the rest", function()
    local carol = cores.person "carol"
    cores.meet(alice, carol)
    local other = cores.open_between(alice, carol)
    open()
    w:enter("/go carol"):at "alice@carol>"
    w:enter("known already"):see "known already  ✓✓"
    w:enter("/quit"):wait_end()
    carol:send(other, "new from carol")
    bob:send(id, "new from bob")
    alice:event("message.received", { text = "new from bob" })
    alice:event("message.received", { text = "new from carol" })
    open()
    w:see("you: known already"):see("── 1 new ──\n"):see "carol: new from carol"
    w:see("(New elsewhere: bob."):at "alice@carol [1 new]>"
    -- what is half typed stays where it belongs
    w:type "half a thought"
    w:type("\27a"):at "alice@bob>"
    w:see "bob: new from bob"
    w:type("for bob"):at "alice@bob> for bob"
    w:type("\0272"):at "alice@carol> half a thought"
    w:type("\0271"):at "alice@bob> for bob"
    w:type("\0272"):at("alice@carol> half a thought"):type("\21\0271"):at("alice@bob> for bob"):type "\21"
    w:enter("/list"):see("* 1  "):see "  2  "
    -- the first new one of another discussion is shown, then they are counted
    carol:send(other, "look here")
    w:see("carol: look here"):see("[carol] "):at "alice@bob [1 new]>"
    carol:send(other, "and here")
    w:at "alice@bob [2 new]>"
    assert.is_falsy(w:shows "and here")
    w:enter("/next"):see("and here"):at "alice@carol>"
    w:type("\27" .. "0"):at "alice@lua>"
  end)

  it("never sends to another discussion what was typed on the way to one", function()
    local carol = cores.person "carol"
    cores.meet(alice, carol)
    local other = cores.open_between(alice, carol)
    open()
    w:enter("/go carol"):at "alice@carol>"
    w:type "/go bob\rfor bob alone\r/go carol\rfor carol alone\r"
    w:see("for bob alone  ✓✓"):see "for carol alone  ✓✓"
    assert.are.same({ "for bob alone" }, bob:texts(id))
    assert.are.same({ "for carol alone" }, carol:texts(other))
  end)

  it("has colours where they are wanted, and none else", function()
    open { environment = { NO_COLOR = false, TERM = "xterm-256color" } }
    w:enter("x"):see "x  ✓✓"
    assert.truthy(w.raw:find("\27%[1malice@bob\27%[0m"))
    bob:send(id, "colourful")
    w:see "colourful"
    local style = w.raw:match("\27%[(%d+)mbob\27%[0m")
    assert.truthy(style)
    w:enter("/quit"):wait_end()
    open():enter("y"):see "y  ✓✓"
    assert.is_nil(w.raw:find("\27%[%d+m"))
    w:enter("/quit"):wait_end()
    open { environment = { NO_COLOR = false, TERM = "xterm" }, file = "chat.theme.colour = false" }
    w:enter("z"):see "z  ✓✓"
    assert.is_nil(w.raw:find("\27%[%d+m"))
  end)

  it("works on a terminal that can do nothing", function()
    open { environment = { TERM = "dumb" } }
    w:enter("plainly"):see "plainly  "
    assert.are.equal("plainly", bob:event("message.received").text)
    bob:send(id, "yes")
    w:see("bob: yes"):at "alice@bob>"
    assert.is_nil(w.raw:find "\27")
  end)

  it("runs a chat.lua, says where one is wrong, and loads it again without a trace", function()
    open { prompt = "alice!!", file = [[
      chat.command { name = "shout", args = "TEXT", help = "says it loudly", run = function(c, text) c:say(text:upper()) end,
        complete = function() return { "hello", "help me" } end }
      chat.alias("s", "shout")
      function chat.prompt(c) return c.name .. "!! " end
      function chat.format.message(view) return "(" .. view.who .. ") " .. view.text .. " " .. view.mark end
      chat.on("message.received", function(m) if m.text == "hide me" then return true end end)
      chat.on("message.received", function(m) if m.text == "ping" then chat:send("pong") end end)
      chat.on("line", function(text) if text == "swap" then return "swapped" end end)
      chat.bind("F5", function() chat:print("five") end)
    ]] }
    w:at "alice!!"
    w:enter("/s loud"):see "(you) LOUD ✓✓"
    w:type("/shout hel\t"):see("hello    help me"):type("\21")
    w:type("\27[15~"):see "five"
    w:enter("swap"):see "(you) swapped ✓✓"
    bob:send(id, "hide me")
    bob:send(id, "ping")
    w:see("(bob) ping"):see "(you) pong ✓✓"
    assert.is_falsy(w:shows "(bob) hide me")
    chatter.write_file(alice, "\nerror 'on purpose'")
    w:enter("/reload"):see("! chat.lua:2: on purpose"):see "What was loaded before stays"
    w:enter("/s again"):see "(you) AGAIN ✓✓"
    chatter.write_file(alice, "function chat.prompt() error 'no prompt' end\nfunction chat.format.message() return 5 end")
    w:enter("/reload"):see("chat.lua is loaded."):see "! chat.lua:1: no prompt"
    w:at "alice@bob>"
    w:enter("plain"):see("! chat.format.message gave no text"):see "you: plain  ✓✓"
    w:enter("/s x"):see "there is no command /s"
    w:enter("/quit"):wait_end()
    -- one that is wrong from the beginning
    open { file = "x = = 1" }
    w:see("! chat.lua:1: unexpected symbol near '='"):at "alice@bob>"
  end)

  it("runs the chat.lua of the examples", function()
    open { prompt = "bob>", file = assert(sys.read_file "examples/chat.lua") }
    at_like "%d%d:%d%d bob>"
    w:type "/ro\t2d\t"
    at_like "%d%d:%d%d bob> /roll 2d6"
    w:enter(""):see "you        rolls 2d6: "
    assert.truthy(bob:event("message.received").text:find "^rolls 2d6: %d, %d$")
    w:enter("/roll x"):see "! /roll takes something like 3d6"
    w:enter("/help roll"):see "/roll is one of six sides"
    w:enter "/lost"
    at_like "%d%d:%d%d bob>"
    w:type "\27OQ"
    at_like "%d%d:%d%d bob> %d%d:%d%d"
    w:type "\21"
    local bells = w.screen.bells
    bob:send(id, "where is Alice?")
    w:see "bob        where is Alice?"
    assert.are.equal(bells + 1, w.screen.bells)
    w:enter "/j"
    at_like "%d%d:%d%d lua>"
    bob:send(id, "are you there?")
    w:see "[bob]"
    at_like "%d%d:%d%d lua%*>"
  end)

  it("ends a chat.lua that runs on and on at Ctrl-C", function()
    open { file = "chat.command { name = 'spin', run = function() while true do end end }" }
    w:at "alice@bob>"
    w:enter "/spin"
    waiting.ask("the command to end", function()
      w:type "\3"
      return w:shows "stopped by Ctrl-C"
    end)
    w:enter("still here"):see "still here  ✓✓"
  end)

  it("shows what it has missed, where more has happened than the core keeps for it", function()
    open()
    w:enter("before"):see "before  ✓✓"
    -- as if it had stood still: events pass unheard
    w:enter("=(function() heard = chat.connection.on_event; chat.connection.on_event = function() end end)()"):at "alice@bob>"
    local texts = {}
    for i = 1, 60 do texts[i] = ("number %d."):format(i) end
    bob:call("messages.send", { discussion = id, texts = texts })
    cores.ask("all of it to be with alice", function() return alice:discussion(id).unread == 60 end)
    w:enter "=(function() chat.connection.on_event = heard; heard { type = 'events.lagged', dropped = 60 } end)()"
    w:see("(This chat has missed something"):see("(Of 60 new ones the last 50; /history 60 shows all.)")
    w:see("── 50 new ──\n"):see("bob: number 11."):see "bob: number 60."
    cores.ask("it to be read", function() return alice:discussion(id).unread == 0 end)
    bob:send(id, "and on")
    w:see("bob: and on"):at "alice@bob>"
    assert.is_falsy(w:shows "number 10.")
    assert.are.equal(1, select(2, w.screen:text():gsub("number 60%.", "")))
  end)

  it("asks before it erases, and Ctrl-C gives up", function()
    open()
    w:enter("/close"):see("is closed: you closed it"):at "alice@lua>"
    bob:event("discussion.closed", { id = id })
    cores.ask("the farewell to be told", function()
      return alice:try("discussions.forget", { discussion = "00000000" }) == nil
    end)
    w:enter("/forget discussion bob"):see "Type yes:"
    w:type("\3"):see "Nothing was forgotten."
    assert.are.equal(1, #alice:call "discussions.list")
    w:enter("/go bob"):see "! "
    w:enter("/forget peer bob"):see("Type yes:"):enter("no"):at "alice@lua>"
    w:enter("/forget peer bob"):see("Type yes:"):enter("yes"):see "bob is forgotten."
    assert.are.equal("not_found", alice:fails("peers.show", { peer = bob.fingerprint }))
  end)

  it("loads scripts, once what they ask for is granted", function()
    local path = alice.home .. "/echo.lua"
    system.write(path, [[
      local sotto = require "sotto"
      local s = sotto.script { name = "echo", version = "1.0", api = 1, needs = { "messages", "timers" } }
      s:on("message.received", { match = "^ping$" }, function(m) m:reply "pong" end)
      s:command("twice", { args = "WORD", help = "says it twice" }, function(_, word) return word .. word end)
      s:command("fail", {}, function() while true do end end)
    ]])
    open()
    w:enter("/scripts load " .. path):see("read and send messages"):see "Grant that? Type yes:"
    w:enter("no"):see "! nothing was granted"
    assert.are.same({}, alice:call "scripts.list")
    w:enter("/scripts load " .. path):at("Grant that? Type yes:"):enter("yes"):see "echo runs, now and at every start"
    bob:send(id, "ping")
    w:see("bob: ping"):see "you: pong  ✓✓"
    w:enter("/scripts"):see("echo  running"):see "/twice WORD"
    w:enter("/twice ab"):see "abab"
    w:enter('/twice "a b"'):see "a ba b"
    w:type("/twi\t"):see "/twice "
    w:enter("cd"):see "cdcd"
    w:enter("/help twice"):see "It comes with the script echo."
    w:enter("/scripts run echo twice ab"):see "abab"
    w:enter("/scripts unload echo"):see "echo is unloaded"
    assert.are.same({}, alice:call "scripts.list")
    w:enter("/scripts log echo"):see "! "
  end)

  it("tells a core's end, and leaves", function()
    open()
    alice:stop()
    w:see "The core has ended."
    assert.are.equal(1, (w:wait_end()))
  end)
end)
