-- SPDX-License-Identifier: GPL-3.0-or-later
-- The command line over real cores: what comes out, where, and with which exit status.
local command = require "support.command"
local cores = require "support.cores"
local json = require "sotto.json"
local sys = require "sotto.sys"
local system = require "support.system"

local PASSWORD = "correct horse battery"

local function one_line(text)
  assert.truthy(text:find "^sotto: [^\n]+\n$", text)
  assert.is_nil(text:find("stack traceback", 1, true))
  return text
end

-- failed as usage: nothing done, one line that says what to do
local function refused(result, pattern)
  assert.are.equal(2, result.status, result.err)
  assert.are.equal("", result.out)
  assert.truthy(one_line(result.err):find(pattern, 1, true), result.err)
end

local function failed(result, pattern)
  assert.are.equal(1, result.status, result.err)
  assert.are.equal("", result.out)
  assert.truthy(one_line(result.err):find(pattern, 1, true), result.err)
end

local function error_object(result)
  assert.are.equal(1, result.status, result.err)
  assert.are.equal("", result.out)
  assert.truthy(result.err:find "^[^\n]+\n$")
  return assert(json.decode(result.err))
end

local function done(result)
  assert.are.equal(0, result.status, result.err)
  assert.are.equal("", result.err)
  return result.out
end

describe("sotto without a core", function()
  local home, sotto

  before_each(function()
    home = cores.root() .. "/home"
    assert(sys.make_private_directory(home))
    system.write(home .. "/config.lua", 'listen = "127.0.0.1:0"\ndiscover = "off"\n')
    sotto = command.of(home)
  end)
  after_each(function()
    sotto "stop"
    cores.clean()
  end)

  it("tells its version and its help", function()
    assert.are.equal("sotto " .. sys.version .. "\n", done(sotto "--version"))
    local help = done(sotto "--help")
    assert.truthy(help:find("usage: sotto", 1, true))
    assert.are.equal(help, done(sotto "help"))
    assert.truthy(done(sotto("help", "messages")):find("messages send", 1, true))
    assert.are.equal(done(sotto("help", "messages")), done(sotto("messages", "--help")))
    assert.are.equal(done(sotto("help", "messages")), done(sotto("messages", "send", "--help")))
  end)

  it("refuses what it does not understand, before it looks for a core", function()
    refused(sotto "nope", "no command 'nope'")
    refused(sotto "--nope", "unknown option '--nope'")
    refused(sotto("help", "nope"), "no noun 'nope'")
    refused(sotto "peers", "'peers' needs a verb")
    refused(sotto("peers", "nope"), "no 'peers nope'")
    refused(sotto("peers", "list", "x"), "one argument too many")
    refused(sotto "call", "call takes METHOD")
    refused(sotto("call", "system.info", "{}", "x"), "call takes METHOD")
    refused(sotto("call", "system.info", "{"), "no JSON object")
    refused(sotto("call", "system.info", "[1]"), "no JSON object")
    refused(sotto("call", "system.info", "1"), "no JSON object")
    refused(sotto "eval", "one text of Lua")
    refused(sotto("eval", "1", "2"), "one text of Lua")
    refused(sotto("events", "message.recieved"), "no event 'message.recieved'")
    refused(sotto("status", "x"), "status takes no arguments")
    refused(sotto("start", "x"), "start takes no arguments")
    refused(sotto("stop", "x"), "stop takes no arguments")
    refused(sotto(), "needs a terminal")
    refused(sotto "--json", "--json goes with a command")
    refused(sotto "a\nb\27[2J", "no command 'a b")
  end)

  it("takes no secret from among its arguments", function()
    for _, words in ipairs {
      { "discussions", "open", "bob", "--password", "hunter2" },
      { "identity", "create", "me", "--passphrase=hunter2" },
      { "call", "discussions.open", '{"peer":"bob","password":"hunter2"}' },
    } do
      local result = sotto(table.unpack(words))
      refused(result, "secret")
      assert.is_nil(result.err:find("hunter2", 1, true))
    end
  end)

  it("says that none runs, and how to start one", function()
    for _, words in ipairs { { "peers", "list" }, { "eval", "me" }, { "status" }, { "events" }, { "stop" } } do
      failed(sotto(table.unpack(words)), "no core runs here")
    end
    assert.truthy(sotto("status").err:find(("sotto --home %s start'"):format(home), 1, true))
    assert.are.equal("not_found", error_object(sotto("call", "system.info")).data.name)
    assert.are.equal("not_found", error_object(sotto("--json", "peers", "list")).data.name)
  end)

  it("starts one, says how it is, and stops it", function()
    local started = done(sotto "start")
    local pid = tonumber(started:match "^running: process (%d+), listening on 127%.0%.0%.1:%d+\n")
    assert.is_true(sys.alive(pid))
    assert.truthy(started:find("no identity yet", 1, true))
    assert.are.equal(started, done(sotto "status"))
    assert.are.equal(started, done(sotto "start"))
    assert.are.equal(json.null, json.decode(done(sotto("--json", "status"))).fingerprint)
    assert.are.equal("stopped\n", done(sotto "stop"))
    assert.is_false(sys.alive(pid))
    failed(sotto "status", "no core runs here")
  end)

  it("finds a home by a relative path, and one of 200 bytes", function()
    local long = home .. "/" .. ("x"):rep(100) .. "/" .. ("y"):rep(200 - 102 - #home)
    assert(sys.make_private_directory(long))
    assert.are.equal(200, #long)
    system.write(long .. "/config.lua", 'listen = "127.0.0.1:0"\ndiscover = "off"\n')
    local parent, name = long:match "^(.*)/(.*)$"
    assert.are.equal(0, command.run({ "--home", name, "start" }, nil, parent).status)
    local info = json.decode(done(command.run { "--home", long, "call", "system.info" }))
    assert.are.equal(long, info.home)
    done(command.run({ "--home", name, "stop" }, nil, parent))
  end)

  it("says in one line why one could not be started", function()
    system.write(home .. "/config.lua", "\nlisten = 5\n")
    failed(sotto "start", "config.lua:2: 'listen'")
    assert.truthy(error_object(sotto("--json", "start")).message:find("config.lua:2:", 1, true))
  end)
end)

describe("sotto", function()
  local alice, bob, id, sotto

  setup(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob, PASSWORD)
    sotto = command.of(alice.home)
  end)
  teardown(function() cores.clean() end)

  describe("call", function()
    it("gives the result as JSON, with all that is null", function()
      local sent = json.decode(done(sotto("call", "messages.send", ('{"discussion":"%s","text":"hi"}'):format(id))))
      assert.are.equal("hi", sent.text)
      assert.are.equal(json.null, sent.seq)
      assert.are.equal(alice.fingerprint, json.decode(done(sotto("call", "identity.show"))).fingerprint)
      assert.are.equal("{}\n", done(sotto("call", "events.unsubscribe", "{}")))
    end)

    it("takes its parameters from standard input", function()
      local text = json.encode { discussion = id, text = "from standard input" }
      local result = command.run({ "--home", alice.home, "call", "messages.send", "-" }, text)
      assert.are.equal("from standard input", json.decode(done(result)).text)
    end)

    it("gives the error object on standard error", function()
      assert.are.same({ code = -32001, data = { name = "not_found" }, message = "no peer has the name 'eve'" },
        error_object(sotto("call", "peers.show", '{"peer":"eve"}')))
      assert.are.equal(-32601, error_object(sotto("call", "nope.nope")).code)
      local problem = error_object(sotto("call", "messages.list", '{"discussion":"x","limit":0}'))
      assert.are.equal("bad_params", problem.data.name)
      assert.are.equal("limit", problem.data.param)
    end)

    it("reads secrets from standard input, a line each", function()
      local carol = cores.person("carol", { passphrase = "one" })
      local function call(input, ...) return command.run({ "--home", carol.home, "call", ... }, input) end
      done(call("one\ntwo\n", "identity.passphrase", '{"old":"-","new":"-"}'))
      done(call("", "identity.lock"))
      assert.are.equal("refused", error_object(call("one\n", "identity.unlock", '{"passphrase":"-"}')).data.name)
      assert.is_false(json.decode(done(call("two\n", "identity.unlock", '{"passphrase":"-"}'))).locked)
      carol:stop()
    end)
  end)

  describe("NOUN VERB", function()
    it("is for people: lines, and names with values", function()
      assert.truthy(done(sotto("peers", "list")):find "^bob +%x+  online, verified  127%.0%.0%.1:%d+\n$")
      local list = done(sotto("discussions", "list"))
      assert.truthy(list:find("^" .. id:sub(1, 8) .. "  bob +open\n$"), list)
      local shown = done(sotto("discussions", "show", id:sub(1, 8)))
      assert.truthy(shown:find(alice.fingerprint:sub(1, 16) .. "  alice  you, present", 1, true))
      assert.truthy(shown:find("\nstate        open\n", 1, true))
      assert.are.equal("none\n", done(sotto("messages", "search", "nothing like it")))
      assert.truthy(done(sotto("system", "metrics")):find "^# TYPE sotto_")
      assert.truthy(done(sotto("system", "password")):find "^password  %l+ %l+ %l+ %l+\n$")
    end)

    it("is for scripts with --json, before or behind", function()
      local peers = json.decode(done(sotto("--json", "peers", "list")))
      assert.are.equal(bob.fingerprint, peers[1].fingerprint)
      assert.are.same(peers[1].fingerprint, json.decode(done(sotto("peers", "list", "--json")))[1].fingerprint)
      assert.are.equal("not_found", error_object(sotto("peers", "show", "eve", "--json")).data.name)
    end)

    it("takes values with and without names", function()
      done(sotto("messages", "send", "bob", "positional"))
      done(sotto("messages", "send", "--text", "named", "--discussion", "bob"))
      done(sotto("messages", "send", "bob", "--", "--looks-like-a-name"))
      bob:event("message.received", { text = "--looks-like-a-name" })
      local lines = done(sotto("messages", "list", "bob", "--limit", "3"))
      assert.truthy(lines:find "^%d%d:%d%d you: positional  ✓✓?\n%d%d:%d%d you: named  ✓✓?\n.* %-%-looks.*\n$")
      assert.truthy(done(sotto("messages", "send", "bob", "--texts", "a", "--texts", "b")):find "you: a.*you: b")
    end)

    it("fails with one line, and 1", function()
      failed(sotto("peers", "show", "eve"), "no peer has the name 'eve'")
      failed(sotto("messages", "send", "bob", ("x"):rep(65537)), "65536")
      failed(sotto("messages", "send", "bob", ""), "'text'")
      failed(sotto("messages", "send", "bob", "\xff"), "")
      failed(sotto("identity", "create", "again"), "there is an identity already: alice")
    end)

    it("reads a password from standard input, and never an empty one", function()
      local erin, frank = cores.person "erin", cores.person "frank"
      cores.meet(erin, frank)
      local function run(who, input, ...) return command.run({ "--home", who.home, ... }, input) end
      refused(run(erin, "\n", "discussions", "open", "frank", "--password", "-"), "password is empty")
      refused(run(erin, "", "discussions", "open", "frank", "--password=-"), "password is empty")
      failed(run(erin, "", "discussions", "open", "frank"), "'password' is missing")
      local opened = done(run(erin, PASSWORD .. "\nrest\n", "discussions", "open", "frank", "--password", "-"))
      local opening = opened:match "\nid +(%x+)\n"
      frank:event("discussion.requested", { id = opening })
      done(run(frank, PASSWORD, "discussions", "accept", "erin", "--password", "-"))
      cores.all_events("discussion.opened", opening, erin, frank)
      assert.is_nil(opened:find(PASSWORD, 1, true))
      erin:stop()
      frank:stop()
    end)

    it("makes foreign text harmless", function()
      local evil = "\27[2J\27]0;owned\a \u{202e}x \u{9b}31m"
      local sent = bob:send(id, evil)
      alice:event("message.received", { id = sent.id })
      local lines = done(sotto("messages", "list", "bob", "--limit", "1"))
      assert.truthy(lines:find("bob: <U+001B>[2J<U+001B>]0;owned<U+0007> <U+202E>x <U+009B>31m\n", 1, true), lines)
      local text = done(sotto("call", "messages.list", ('{"discussion":"%s","limit":1}'):format(id)))
      assert.truthy(text:find([["text":"\u001b[2J\u001b]0;owned\u0007 \u202ex \u009b31m"]], 1, true), text)
      assert.are.equal(evil, json.decode(text)[1].text)
      failed(sotto("peers", "show", evil), "<U+001B>[2J")
    end)
  end)

  describe("eval", function()
    it("prints what an expression gives, one value a line", function()
      assert.are.equal("bob\n", done(sotto("eval", "peers[1].name")))
      assert.are.equal("2\nnil\n{ 1, 2 }\n", done(sotto("eval", "1 + 1, nil, { 1, 2 }")))
      assert.are.equal("", done(sotto("eval", "local x = 1")))
      assert.are.equal("raw\27[2J\n", done(sotto("eval", [["raw\27[2J"]])))
      assert.are.equal('{ "<U+001B>" }\n', done(sotto("eval", [[{ "\27" }]])))
      assert.are.equal(id .. "\n", done(sotto("eval", "discussions.bob.id")))
      assert.are.equal("alice\n", done(sotto("eval", "me.name")))
    end)

    it("calls methods, which may wait inside metamethods and protected calls", function()
      assert.are.equal("alice bob\n", done(sotto("eval", [[
        (function()
          local lazy = setmetatable({}, {
            __index = function(_, key) return key == "me" and me.name or peers[key].name end,
            __lt = function() return me.locked end,
          })
          local ok, first = pcall(function() return lazy.me end)
          if lazy < lazy then return "locked" end
          return ok and first .. " " .. lazy[1]
        end)()
      ]])))
      assert.are.equal("said\n", done(sotto("eval", [[sotto.messages.send{ discussion = "bob", text = "said" }.text]])))
    end)

    it("gives JSON where it is asked to", function()
      assert.are.same({ "bob", 1 }, json.decode(done(sotto("--json", "eval", "{ peers[1].name, 1 }"))))
      assert.are.equal('"\\u001b"\n', done(sotto("--json", "eval", [["\27"]])))
      assert.are.equal("bad_params", error_object(sotto("--json", "eval", "print")).data.name)
    end)

    it("fails with one line, and 1", function()
      failed(sotto("eval", "1 +"), "eval:1:")
      failed(sotto("eval", "error 'a\\nb'"), "a b")
      failed(sotto("eval", "peers[9].name"), "attempt to index a nil value")
      failed(sotto("eval", "sotto.peers.show{ peer = 'eve' }"), "no peer has the name 'eve' (not_found)")
      failed(sotto("eval", "sotto.nope.nope()"), "no method 'nope.nope'")
      failed(sotto("eval", "error()"), "nil")
      assert.truthy(error_object(sotto("--json", "eval", "error 'x'")).message:find "x$")
    end)
  end)

  describe("events", function()
    it("prints each as a line of JSON, of the types that are asked for", function()
      local all = command.start("--home", alice.home, "events")
      local some = command.start("--home", alice.home, "events", "message.sent", "message.delivered")
      cores.ask("both to be subscribed", function()
        alice:call("messages.send", { discussion = id, text = "is anybody listening?" })
        return #all.out > 0 and #some.out > 0
      end)
      all.out, some.out = {}, {}
      alice:call("messages.send", { discussion = id, text = "listen" })
      local event
      repeat event = command.next_json(some) until event.message.text == "listen"
      assert.are.equal("message.sent", event.type)
      assert.truthy(math.type(event.seq) == "integer" and event.time)
      repeat event = command.next_json(some) until event.message.text == "listen"
      assert.are.equal("message.delivered", event.type)
      assert.are.equal(json.null, json.decode(assert(all.out[1])).message.nothing or json.null)
      for _, process in ipairs { all, some } do
        process.handle:kill "SIGINT"
        command.wait_end(process)
      end
    end)

    it("ends when nobody reads it any more", function()
      local words = ("%s --home %s events"):format(command.PROGRAM, system.quote(alice.home))
      local pipe = assert(io.popen(("timeout 30 sh -c '%s; echo $? >%s/status' | head -n 1"):format(words, cores.root())))
      cores.ask("the end of a pipe's writer", function()
        alice:call("messages.send", { discussion = id, text = "again" })
        return (system.read(cores.root() .. "/status") or ""):find "\n"
      end)
      assert.truthy(json.decode(pipe:read "l"))
      pipe:close()
      assert.are.equal("0\n", system.read(cores.root() .. "/status"))
    end)

    it("ends with the core, and says so", function()
      local process = command.start("--home", alice.home, "events")
      cores.ask("an event", function()
        alice:call("messages.send", { discussion = id, text = "still there?" })
        return #process.out > 0
      end)
      alice:stop()
      assert.are.equal(1, command.wait_end(process))
      cores.wait("its complaint", function() return process.err[1] end)
      assert.are.equal("sotto: the core has ended", process.err[1])
      alice:start()
    end)
  end)
end)
