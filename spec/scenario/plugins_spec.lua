-- SPDX-License-Identifier: GPL-3.0-or-later
-- The plugins that come with sotto, as people use them: loaded by their names into a core, spoken to from another. Their
-- own specs, which move the clock, run as well.
local command = require "support.command"
local cores = require "support.cores"
local loop = require "sotto.loop"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"

local HERE = sys.cwd() .. "/plugins/"

-- what some cannot do without
local ARGUMENTS = { bridge = { "--arguments", "/bin/cat" } }

local function is_folder(name) return sys.stat(HERE .. name) ~= nil end

local function names()
  local found = {}
  for _, file in ipairs(assert(sys.list(HERE))) do
    local name = file:match "^(.*)%.lua$" or file
    if not name:find "_spec$" then found[#found + 1] = name end
  end
  table.sort(found)
  return found
end

describe("the bundled plugins", function()
  local alice, bob, id, sotto

  setup(function()
    alice, bob = cores.pair()
    sotto = command.of(bob.home)
    id = cores.open_between(alice, bob)
  end)
  teardown(cores.clean)
  after_each(function()
    for _, one in ipairs(bob:call "scripts.list") do bob:call("scripts.unload", { name = one.name }) end
    alice.control:forget_events()
  end)

  local function load_plugin(name, ...)
    local words = { "scripts", "load", name, "--grant", "true", table.unpack(ARGUMENTS[name] or {}) }
    local result = sotto(table.unpack(table.move({ ... }, 1, select("#", ...), #words + 1, words)))
    assert.are.equal(0, result.status, result.err)
    return result.out
  end

  local function says(text)
    alice:call("messages.send", { discussion = id, text = text })
    return alice:event("message.received").text
  end

  local function owner(...)
    local result = sotto("scripts", "command", ...)
    assert.are.equal(0, result.status, result.err)
    return result.out
  end

  it("are in docs/plugins.md, and have specs", function()
    local text = assert(system.read "docs/plugins.md")
    for _, name in ipairs(names()) do
      assert.truthy(text:find("\n## " .. name .. "\n", 1, true), name)
      assert.is_true(sys.exists(HERE .. name .. (is_folder(name) and "/spec" or "_spec.lua")), name)
    end
  end)

  it("are loaded by their names, each with the needs that it names", function()
    for _, name in ipairs(names()) do
      load_plugin(name)
      local one = bob:call("scripts.list")[1]
      assert.are.equal(name, one.name)
      assert.are.equal("running", one.state)
      assert.are.equal(HERE .. name .. (is_folder(name) and "" or ".lua"), one.path)
      bob:call("scripts.unload", { name = name })
    end
    assert.truthy(sotto("scripts", "load", "no_such_plugin").err:find "No such file")
  end)

  it("echo", function()
    load_plugin "echo"
    assert.are.equal("hello", says "hello")
  end)

  it("dice", function()
    load_plugin "dice"
    assert.truthy(says("!roll 3d6"):find "^alice rolls 3d6: %d+ %(%d %d %d%)$")
  end)

  it("karma", function()
    load_plugin "karma"
    assert.are.equal("tea: 1", says "tea++")
    assert.are.equal("tea: 0", says "tea--")
  end)

  it("poll, with both sides' votes", function()
    load_plugin "poll"
    assert.truthy(says("!poll Tea?"):find "alice asks: Tea%?\n1%. yes\n2%. no")
    assert.are.equal("alice: yes", says "!vote 1")
    bob:send(id, "!vote 1")
    alice:event("message.received", { text = "!vote 1" })
    alice:event("message.received", { text = "bob: yes" })
    assert.truthy(says("!endpoll"):find "1%. yes %- 2: alice, bob")
  end)

  it("remind, also after the core was away when it was due", function()
    load_plugin "remind"
    assert.truthy(says("!remind 1s the tea"):find "^Number 1, at ")
    assert.are.equal("alice: the tea", alice:event("message.received").text)
    assert.truthy(says("!remind 1s the milk"):find "^Number 2, at ")
    bob:kill()
    bob:start()
    assert.truthy(alice:event("message.received").text:find "^alice: the milk")
  end)

  it("away", function()
    load_plugin "away"
    assert.truthy(owner("away", "away", "on", "holiday"):find "^Away")
    assert.truthy(says("hello?"):find "^I am away since %d%d:%d%d: on holiday%.")
    assert.truthy(owner("away", "back"):find "Meanwhile there wrote:\n  alice")
  end)

  it("log", function()
    load_plugin "log"
    bob:send(id, "a *line*")
    alice:event("message.received", { text = "a *line*" })
    assert.truthy(owner("log", "text", id, "1"):find "  bob: a %*line%*\n$")
    local marked = owner("log", "markdown", id:sub(1, 12), "1")
    assert.truthy(marked:find "^# Discussion with alice, " and marked:find("a \\*line\\*", 1, true), marked)
  end)

  it("notify", function()
    local program, seen = cores.root() .. "/desktop", cores.root() .. "/seen"
    system.write(program, "#!/bin/sh\nprintf '%s|' \"$@\" >>" .. seen .. "\n")
    system.shell("chmod 700 " .. program)
    load_plugin("notify", "--arguments", program)
    alice:send(id, "look here")
    cores.wait("a notice", function() return (system.read(seen) or ""):find "sotto: alice|look here|" end)
  end)

  it("bridge", function()
    local program = cores.root() .. "/program"
    system.write(program, [[
#!/usr/bin/env python3
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    print(json.dumps({"reply": message["id"], "text": message["name"] + ", " + message["text"][::-1]}), flush=True)
]])
    system.shell("chmod 700 " .. program)
    ARGUMENTS.bridge = nil
    load_plugin("bridge", "--arguments", program)
    assert.are.equal("alice, olleh", says "hello")
  end)

  it("greet, in a discussion that opens", function()
    load_plugin "greet"
    local carol = cores.person "carol"
    cores.meet(carol, bob)
    cores.open_between(carol, bob)
    assert.are.equal("Hello, carol!", carol:event("message.received").text)
  end)
end)

describe("feed", function()
  local server, port

  setup(function()
    server = assert(loop.spawn {
      program = "python3", "spec/support/web.py", "127.0.0.1", stdin = "pipe", stdout = "pipe",
      on_stdout = function(line)
        port = tonumber(line)
        waiting.wake()
      end,
    })
    waiting.wait("a web server", function() return port end)
  end)
  teardown(function()
    server.stdin:close()
    cores.clean()
  end)

  it("tells what is new, where config.lua lets it look at home", function()
    local alice, bob = cores.pair {
      config = [[plugins = { { path = "feed", grant = { "messages", "store", "timers", "http", "http:private" } } }]],
    }
    local id = cores.open_between(alice, bob)
    alice:call("scripts.unload", { name = "feed" })
    bob:send(id, ("!feed http://127.0.0.1:%d/feed"):format(port))
    alice:event("message.received", function(m) return m.text:find "^!feed" end)
    local answer = alice:event("message.received").text
    assert.are.equal("Number 1, News; the newest of it:\nentry 1 http://example.org/1", answer)
    bob:call("scripts.command", { name = "feed", command = "look" }, 60000)
    assert.are.equal("News:\nentry 2 http://example.org/2", alice:event("message.received").text)
    assert.truthy(bob:call("scripts.command", { name = "feed", command = "feeds" }).reply:find "^1: News http://127")
  end)
end)

describe("the bundled plugins' own specs", function()
  teardown(cores.clean)

  it("pass", function()
    local words = {}
    for i, name in ipairs(names()) do words[i] = HERE .. name .. (is_folder(name) and "" or ".lua") end
    local process = command.start("test", table.unpack(words))
    cores.wait("their end", function() return process.ended end, 240000)
    assert.are.equal(0, process.status, table.concat(process.out, "\n") .. table.concat(process.err, "\n"))
    assert.truthy(process.out[#process.out]:find "^%d+ passed, 0 failed$")
  end)
end)
