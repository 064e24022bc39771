-- SPDX-License-Identifier: GPL-3.0-or-later
-- /demo as somebody meets it who is alone: the chat in a terminal, the core of the newcomer, and the one that the demo
-- brings along. Whatever ends it, nothing of it is left.
local command = require "support.command"
local cores = require "support.cores"
local loop = require "sotto.loop"
local sys = require "sotto.sys"
local system = require "support.system"
local window = require "support.window"

describe("/demo", function()
  local alice

  before_each(function() alice = cores.person "alice" end)
  after_each(function()
    window.close_all()
    cores.clean()
  end)

  local function open_chat()
    local chat = window.open {
      program = command.PROGRAM, environment = command.environment(), "--home", alice.home,
    }
    return chat:see "alice@lua>"
  end

  -- what is to be read behind the text, in its line
  local function read_after(chat, text)
    return (chat:see(text).screen:text():match(text:gsub("%p", "%%%0") .. " *([^\n]+)"))
  end

  local function lodgings()
    local found = {}
    for _, name in ipairs(sys.list(alice.home .. "/run") or {}) do
      if name:find "^demo%-" then found[#found + 1] = name end
    end
    return found
  end

  local function demo_processes() return system.processes(alice.home .. "/run/demo-") end

  local function find_process(wanted)
    for _, process in ipairs(system.processes(alice.home)) do
      if process.arguments[#process.arguments] == wanted then return process end
    end
  end

  local function wait_until_gone()
    cores.wait("the demo's end", function()
      return #lodgings() == 0 and #demo_processes() == 0 and not find_process "demo"
    end)
    assert.are.same({}, alice:call "discussions.list")
    assert.are.same({}, alice:call "peers.list")
  end

  -- up to the first thing that it says
  local function accept(chat)
    chat:enter "/demo"
    local password = read_after(chat, "let us say:")
    chat:see "echo asks you for a discussion, with a password: /accept or /refuse"
    chat:enter("/accept"):see "Password agreed with echo:"
    assert.is_false(chat.pty:modes().echo)
    chat:enter(password):see "echo: Hello!"
    return password
  end

  it("is somebody to talk to within ten seconds, and teaches one thing after another", function()
    local chat = open_chat()
    local begun = loop.now()
    accept(chat)
    chat:enter("hello"):see "echo: hello"
    assert.is_true(loop.now() - begun < 10000 * system.slowness())
    local words = chat:see('with "').screen:text():match 'with "([^"]+)"'
    chat:forget():enter("/words"):see(words)
    chat:enter("what next?"):see "/demo off"
    -- the plug
    local core = demo_processes()[1]
    chat:forget():enter("/demo off"):see "echo's core was killed"
    assert.is_false(sys.alive(core.pid))
    chat:at "alice@echo (away)>"
    chat:enter("one"):see("Not delivered yet"):enter("two")
    chat:enter("/demo on"):see "echo is back."
    chat:see("echo: one"):see("echo: two"):see "/history"
    chat:at("alice@echo>"):forget():enter("/history"):see "you: two"
    chat:enter("and?"):see "=peers.echo"
    chat:forget():enter("=peers.echo.verified"):see "true"
    chat:enter("and?"):see "/close"
    chat:enter("/close"):see "/demo stop ends the demo."
    -- a second one, on the word of the first
    chat:forget():enter("/open echo"):see "echo is verified"
    chat:enter(""):see "echo: No password this time"
    chat:enter("hello again"):see "echo: hello again"
    chat:forget():enter("/demo stop"):see "The demo is over: echo has gone"
    wait_until_gone()
    chat:enter("/demo stop"):see "there is no demo yet"
    chat:enter "/quit"
    assert.are.equal(0, (chat:wait_end()))
  end)

  it("asks again after a wrong password, and goes at a no", function()
    local chat = open_chat():enter "/demo"
    chat:see("or /refuse"):forget():enter("/accept"):see("Password agreed"):enter "not that one"
    chat:see("That was another password"):see "or /refuse"
    chat:forget():enter("/refuse"):see "The demo is over"
    wait_until_gone()
    -- another person: no guess is lost
    accept(chat:forget())
    chat:enter "/demo"
    chat:see "The demo is over"
    wait_until_gone()
  end)

  it("ends with the chat", function()
    local chat = open_chat()
    accept(chat)
    chat:enter "/quit"
    chat:wait_end()
    wait_until_gone()
  end)

  it("ends with a chat that leaves while it is just beginning", function()
    local chat = open_chat():enter "/demo"
    chat:see("One moment"):enter "/quit"
    chat:wait_end()
    wait_until_gone()
  end)

  it("ends with a chat that is killed, and with a window that is closed", function()
    local chat = open_chat()
    accept(chat)
    chat.process:kill "SIGKILL"
    chat:wait_end()
    wait_until_gone()
    chat = open_chat()
    accept(chat)
    chat.process:kill "SIGHUP"
    chat:wait_end()
    wait_until_gone()
  end)

  it("when killed itself leaves nothing, and its core ends with it", function()
    local chat = open_chat()
    accept(chat)
    sys.kill(find_process("demo").pid, "SIGKILL")
    chat:see "The demo was killed"
    wait_until_gone()
  end)

  it("when all of it is killed at once is cleared away by the next chat", function()
    local chat = open_chat()
    accept(chat)
    local demo, core = find_process "demo", demo_processes()[1]
    for _, pid in ipairs { chat.process.pid, demo.pid, core.pid } do sys.kill(pid, "SIGKILL") end
    chat:wait_end()
    assert.are.equal(1, #lodgings())
    chat = open_chat()
    wait_until_gone()
    assert.is_false(chat:shows "— echo —")
    accept(chat)
    chat:enter "/quit"
    chat:wait_end()
    wait_until_gone()
  end)

  it("has names that do not clash", function()
    local one, two = open_chat(), open_chat()
    accept(one)
    two:enter("/demo"):see "echo2 asks you for a discussion"
    one:enter("/demo"):see "The demo is over: echo has gone"
    two:enter("/demo stop"):see "The demo is over: echo2 has gone"
    wait_until_gone()
  end)

  it("needs a core, and a key that is open", function()
    local sotto = command.of(alice.home)
    alice:stop()
    local result = sotto "demo"
    assert.are.equal(1, result.status)
    assert.truthy(result.err:find("no core runs here", 1, true))
    assert.are.equal(2, sotto("demo", "more").status)
    local bob = cores.person("bob", { passphrase = "of mine" })
    bob:call "identity.lock"
    result = command.of(bob.home) "demo"
    assert.are.equal(1, result.status)
    assert.truthy(result.err:find("locked", 1, true))
    result = command.of(cores.person("carol", { identity = false }).home) "demo"
    assert.truthy(result.err:find("no identity yet", 1, true))
  end)
end)
