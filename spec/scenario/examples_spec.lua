-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is in examples/, used as it says itself.
local command = require "support.command"
local cores = require "support.cores"
local loop = require "sotto.loop"
local person = require "support.person"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"

describe("an example", function()
  local alice, bob, id

  setup(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
  end)
  teardown(cores.clean)

  -- a program of the examples beside the spec, in the checkout
  local function start_in(directory, program, ...)
    local own = { out = {}, err = {} }
    own.handle = assert(loop.spawn {
      program = program, directory = directory, stdout = "pipe", stderr = "pipe",
      environment = { XDG_RUNTIME_DIR = cores.root() .. "/run", GNUPGHOME = false, LC_ALL = "C.UTF-8" },
      on_stdout = function(line)
        own.out[#own.out + 1] = line
        waiting.wake()
      end,
      on_stderr = function(line) own.err[#own.err + 1] = line end,
      on_exit = function(status)
        own.status, own.ended = status, true
        waiting.wake()
      end,
      ...,
    })
    return own
  end

  local function start(...) return start_in(sys.cwd(), ...) end

  local function says(text)
    alice:call("messages.send", { discussion = id, text = text })
    return alice:event("message.received").text
  end

  it("bot.lua: the smallest bot", function()
    local process = command.start("--home", bob.home, "run", "--grant", sys.cwd() .. "/examples/bot.lua")
    cores.ask("it runs", function()
      local one = bob:call("scripts.list")[1]
      return one and one.state == "running"
    end)
    assert.are.equal("pong", says "ping")
    process.handle:kill "SIGINT"
    assert.are.equal(0, command.wait_end(process), table.concat(process.err, "\n"))
  end)

  it("policy.lua: who may come in", function()
    bob:call("scripts.load", { path = sys.cwd() .. "/examples/policy.lua", grant = true })
    local function verdict() return bob:call("scripts.explain", { candidate = alice.fingerprint }).verdict end
    -- alice is verified by their password; what it says of that depends on the hour
    local hour = tonumber(os.date "%H")
    assert.are.equal(hour >= 8 and hour < 22 and "consent" or "later", verdict().answer)
    assert.are.equal("A fingerprint has 40 digits.",
      bob:call("scripts.command", { name = "door", command = "friend", arguments = { "x" } }).reply)
    bob:call("scripts.command", { name = "door", command = "friend", arguments = { alice.fingerprint } })
    local now = verdict()
    assert.are.same({ "consent", "listed", "door" }, { now.answer, now.reason, now.script })
    bob:call("scripts.unload", { name = "door" })
  end)

  it("front_end.py: another language over the control socket", function()
    local process = start("python3", "examples/front_end.py", bob:socket())
    -- until it has subscribed nobody answers
    local answered
    cores.ask("an answer", function()
      if not answered then alice:call("messages.send", { discussion = id, text = "ping" }) end
      answered = alice:take_event("message.received", { text = "pong" })
      return answered
    end)
    assert.truthy(table.concat(process.out, "\n"):find(alice.fingerprint:sub(1, 8) .. " 'ping'", 1, true))
    process.handle:kill "SIGTERM"
    waiting.wait("its end", function() return process.ended end)
    alice.control:forget_events()
  end)

  it("embedded.lua: the engine in a Lua program", function()
    -- from the root after make, whatever build this is a spec of
    local root = cores.root() .. "/checkout"
    system.shell(("mkdir %s && ln -s %s %s/build"):format(root, person.BUILD, root))
    local process = start_in(root, "lua5.4", sys.cwd() .. "/examples/embedded.lua", cores.root() .. "/embedded")
    waiting.wait("its end", function() return process.ended end)
    assert.are.equal(0, process.status, table.concat(process.err, "\n"))
    assert.truthy(table.concat(process.out, "\n"):find "embedded  %x+", table.concat(process.out, "\n"))
  end)
end)
