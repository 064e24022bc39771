-- SPDX-License-Identifier: GPL-3.0-or-later
-- The plugins that come with sotto, as people use them: loaded by their names into a core, spoken to from another. Their
-- own specs, which move the clock, run as well.
local command = require "support.command"
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"

local HERE = sys.cwd() .. "/plugins/"

local function names()
  local found = {}
  for _, file in ipairs(assert(sys.list(HERE))) do
    local name = file:match "^(.*)%.lua$"
    if name and not name:find "_spec$" then found[#found + 1] = name end
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

  local function load_plugin(name)
    local result = sotto("scripts", "load", name, "--grant", "true")
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
      assert.is_true(sys.exists(HERE .. name .. "_spec.lua"), name)
    end
  end)

  it("are loaded by their names, each with the needs that it names", function()
    for _, name in ipairs(names()) do
      load_plugin(name)
      local one = bob:call("scripts.list")[1]
      assert.are.equal(name, one.name)
      assert.are.equal("running", one.state)
      assert.are.equal(HERE .. name .. ".lua", one.path)
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

  it("greet, in a discussion that opens", function()
    load_plugin "greet"
    local carol = cores.person "carol"
    cores.meet(carol, bob)
    cores.open_between(carol, bob)
    assert.are.equal("Hello, carol!", carol:event("message.received").text)
  end)
end)

describe("the bundled plugins' own specs", function()
  teardown(cores.clean)

  it("pass", function()
    local words = {}
    for i, name in ipairs(names()) do words[i] = HERE .. name .. ".lua" end
    local process = command.start("test", table.unpack(words))
    cores.wait("their end", function() return process.ended end, 240000)
    assert.are.equal(0, process.status, table.concat(process.out, "\n") .. table.concat(process.err, "\n"))
    assert.truthy(process.out[#process.out]:find "^%d+ passed, 0 failed$")
  end)
end)
