-- SPDX-License-Identifier: GPL-3.0-or-later
-- People who are programs, with real cores: what a script writes, and what becomes of it.
local cores = require "support.cores"
local loop = require "sotto.loop"
local patience = require "support.patience"
local person = require "sotto.demo.person"
local sys = require "sotto.sys"

describe("a person who is a program", function()
  local people

  before_each(function() people = {} end)
  after_each(function()
    -- after a failure
    for _, one in ipairs(people) do if one.process then one.process:kill "SIGTERM" end end
    cores.wait("the end of all", function()
      for _, one in ipairs(people) do if one.process and one.process:running() then return false end end
      return true
    end)
    cores.clean()
  end)

  local function new(name, options)
    local given = { home = cores.root() .. "/" .. name, name = name, program = cores.BUILD .. "/sottod" }
    for key, value in pairs(options or {}) do given[key] = value end
    local one = person.new(given)
    people[#people + 1] = one
    return one
  end

  -- runs the script to its end, as a program's main coroutine
  local function play(script)
    local ended, problem
    local thread = coroutine.create(function()
      local ok
      ok, problem = xpcall(script, debug.traceback)
      ended = true
      if ok then problem = nil end
      loop.stop()
    end)
    loop.defer(function() assert(coroutine.resume(thread)) end)
    cores.wait("the script's end", function() return ended end)
    if problem then error(problem, 0) end
  end

  -- waits inside a script
  local function until_true(what)
    local deadline = loop.now() + 30000 * patience
    while not what() do
      assert(loop.now() < deadline, "not in time")
      person.pause(5)
    end
  end

  it("asks, accepts, says and hears, and is there again after kill -9", function()
    local alice, bob, heard = new "alice", new "bob", {}
    bob:on("discussion.requested", function(discussion) assert(bob:accept(discussion, "otter lime")) end)
    bob:on("message.received", function(messages)
      for _, message in ipairs(messages) do bob:say(message.discussion, message.text:upper()) end
    end)
    alice:on("message.received", function(messages)
      for _, message in ipairs(messages) do heard[#heard + 1] = message.text end
    end)
    play(function()
      for _, one in ipairs(people) do assert(one:start()) end
      local peer = alice:probe(bob.address)
      assert.are.same({ bob.fingerprint, "bob" }, { peer.fingerprint, peer.name })
      local discussion = assert(alice:ask(bob.fingerprint, "otter lime"))
      until_true(function() return alice:call("discussions.show", { discussion = discussion.id }).state == "open" end)
      assert(alice:say(discussion.id, "one", "two"))
      until_true(function() return #heard == 2 end)
      bob:kill()
      assert.is_false(bob:running())
      local _, message, name = bob:say(discussion.id, "x")
      assert.are.equal("canceled", name)
      assert.truthy(message:find("bob", 1, true))
      assert(alice:say(discussion.id, "three"))
      assert(bob:start())
      until_true(function() return #heard == 3 end)
      assert.are.same({ "ONE", "TWO", "THREE" }, heard)
      for _, one in ipairs(people) do one:stop() end
    end)
    assert.is_false(alice:running() or bob:running())
  end)

  it("is told of what its core could not do, and of its end", function()
    local why
    local alice = new "alice"
    alice.on_end = function(text) why = text end
    play(function()
      assert(alice:start())
      local ok, message = pcall(alice.call, alice, "discussions.show", { discussion = "00000000" })
      assert.is_false(ok)
      assert.truthy(message:find("not_found", 1, true), message)
      sys.kill(alice.process.pid, "SIGTERM")
      until_true(function() return why end)
    end)
    assert.is_false(alice:running())
  end)

  it("says why it cannot start", function()
    local one = new("one", { listen = "192.0.2.250:1" })
    play(function()
      local ok, message = one:start()
      assert.is_nil(ok)
      assert.truthy(message:find("192.0.2.250", 1, true), message)
    end)
    assert.is_false(one:running())
  end)

  it("handles what happens one after another, and goes on after an error of a handler", function()
    local alice, order, errors = new "alice", {}, {}
    alice.on_error = function(text) errors[#errors + 1] = text end
    play(function()
      for i = 1, 3 do
        alice:later(function()
          order[#order + 1] = "begin " .. i
          person.pause(10)
          if i == 2 then error "on purpose" end
          order[#order + 1] = "end " .. i
        end)
      end
      until_true(function() return order[#order] == "end 3" end)
    end)
    assert.are.same({ "begin 1", "end 1", "begin 2", "begin 3", "end 3" }, order)
    assert.are.equal(1, #errors)
    assert.truthy(errors[1]:find("on purpose", 1, true))
  end)
end)
