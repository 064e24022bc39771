-- SPDX-License-Identifier: GPL-3.0-or-later
-- What makes a message fast, with real cores: gpg that waits for it; and that the loop keeps nobody waiting.
local cores = require "support.cores"
local sys = require "sotto.sys"
local sanitizer = require "support.sanitizer"
local system = require "support.system"

describe("gpg started ahead", function()
  local alice, bob, id
  after_each(cores.clean)

  -- the gpg processes below a core that have come to their program, and live
  local function waiting(who)
    local found = {}
    local children = system.read_proc(who:pid(), ("task/%d/children"):format(who:pid())) or ""
    for pid in children:gmatch "%d+" do
      local program = (system.read_proc(pid, "cmdline") or ""):match "^[^\0]*"
      if program and program:match "[^/]*$" == "gpg" then found[#found + 1] = math.tointeger(tonumber(pid)) end
    end
    return found
  end

  local function wait_for(who, count)
    cores.ask(("%s: %d gpg processes wait"):format(who.name, count), function() return #waiting(who) == count end)
  end

  local function open(options)
    alice, bob = cores.pair(options)
    id = cores.open_between(alice, bob)
  end

  it("serves the messages of an open discussion, from the first on, and ends with it", function()
    open()
    for _, who in ipairs { alice, bob } do wait_for(who, 2) end
    local before = alice:metrics()["gpg_operations:ahead"]
    for _ = 1, 5 do
      cores.talk(id, alice, bob)
      for _, who in ipairs { alice, bob } do wait_for(who, 2) end
    end
    local after = alice:metrics()
    assert.equal(10, after["gpg_operations:ahead"] - before) -- five sealed, five opened
    assert.equal(0, after["gpg_operations:ahead_in_vain"])
    alice:call("discussions.close", { discussion = id })
    bob:event("discussion.closed", { id = id })
    for _, who in ipairs { alice, bob } do wait_for(who, 0) end
  end)

  it("is missed by nobody where it is killed", function()
    open()
    for round = 1, 3 do
      for _, who in ipairs { alice, bob } do
        wait_for(who, 2)
        for _, pid in ipairs(waiting(who)) do sys.kill(pid, "SIGKILL") end
      end
      cores.talk(id, alice, bob)
      assert.equal(2 * round, #alice:texts(id))
    end
  end)

  it("is given up after a while, and can be switched off", function()
    open { config = "limits = { gpg_ahead_idle = 1 }" }
    for _, who in ipairs { alice, bob } do wait_for(who, 0) end
    cores.talk(id, alice, bob)
    for _, who in ipairs { alice, bob } do wait_for(who, 0) end
    cores.clean()
    open { config = "limits = { gpg_ahead = 0 }" }
    cores.talk(id, alice, bob)
    assert.equal(0, alice:metrics()["gpg_operations:ahead"])
  end)

  it("ends when the identity is locked, and comes back", function()
    open { passphrase = "correct horse" }
    wait_for(alice, 2)
    alice:call "identity.lock"
    wait_for(alice, 0)
    alice:call("identity.unlock", { passphrase = "correct horse" })
    cores.state(alice, id, "open")
    cores.talk(id, alice, bob)
  end)

  it("a peer's certificate is imported once, however often a discussion is opened with them", function()
    open()
    for _ = 1, 2 do
      alice:call("discussions.close", { discussion = id })
      bob:event("discussion.closed", { id = id })
      id = cores.open_between(alice, bob)
      cores.talk(id, alice, bob)
    end
    for _, who in ipairs { alice, bob } do
      local count = 0
      for _, line in ipairs(who.log) do
        if line:find("the general certificate is imported", 1, true) then count = count + 1 end
      end
      assert.equal(1, count)
    end
  end)

  it("no turn of the loop takes 10 ms of processor time while two people talk", function()
    open()
    for _ = 1, 20 do cores.talk(id, alice, bob) end
    for _, who in ipairs { alice, bob } do
      local text = who:call("system.metrics").text
      local computing = tonumber(text:match 'sotto_loop_longest_turn_computing_seconds{since="minute"} (%S+)')
      local count = tonumber(text:match "sotto_loop_turn_seconds_count (%d+)")
      assert.is_true(computing > 0 and (sanitizer or computing < 0.010), who.name .. ": " .. computing)
      assert.is_true(count > 100)
      assert.equal(count, tonumber(text:match 'sotto_loop_turn_seconds_bucket{le="%+Inf"} (%d+)'))
    end
  end)
end)
