-- SPDX-License-Identifier: GPL-3.0-or-later
-- Machines whose clocks are wrong: times are for display and for the expiry of presence records, and decide nothing else (P0.6).
local cores = require "support.cores"
local system = require "support.system"

describe("a clock that is wrong", function()
  after_each(cores.clean)

  local function clock_of(name) return cores.root() .. "/clock-" .. name end

  -- from now on it is ahead by so much, or behind
  local function set(name, seconds) system.write(clock_of(name), tostring(seconds)) end

  local function person(name, seconds)
    set(name, seconds)
    return cores.person(name, { environment = {
      LD_PRELOAD = cores.BUILD .. "/clock_shift.so", SOTTO_CLOCK_FILE = clock_of(name),
      ASAN_OPTIONS = (os.getenv "ASAN_OPTIONS" or "") .. ":verify_asan_link_order=0",
    } })
  end

  local function checked(who)
    for _, one in ipairs(who:call "system.doctor") do
      if one.check == "clock" then return one end
    end
  end

  -- keys of today, which are from the future for whoever is behind
  for _, seconds in ipairs { 20, 1500, -1500 } do
    it(("P0.6 by %d s hinders nobody"):format(seconds), function()
      local alice, bob = person("alice", seconds), cores.person "bob"
      cores.meet(alice, bob)
      local id = cores.open_between(alice, bob)
      cores.talk(id, alice, bob)
      cores.talk(cores.open_between(bob, alice, "the other way"), bob, alice)
      alice:restart()
      alice:event("discussion.resumed", { id = id })
      cores.talk(id, bob, alice)
    end)
  end

  it("P0.6 that jumps by hours ends nothing that is open, and the doctor tells it by the others'", function()
    local alice, bob = person("alice", 0), cores.person "bob"
    cores.meet(alice, bob)
    local id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
    for _, hours in ipairs { 5, -5 } do
      set("alice", hours * 3600)
      cores.talk(id, alice, bob)
      alice:restart()
      alice:event("discussion.resumed", { id = id })
      cores.talk(id, bob, alice)
    end
    set("alice", 5 * 3600)
    cores.ask("alice's doctor to say so", function()
      alice.control:try("peers.probe", { address = bob.address })
      local found = checked(alice)
      return found.status == "warn" and found.text:find("^The clock is at least [45] hours ahead, if the one other clock")
    end)
    set("alice", 0)
    cores.meet(alice, bob)
    cores.ask("alice's doctor to be content", function()
      alice.control:try("peers.probe", { address = bob.address })
      return checked(alice).status == "ok"
    end)
    cores.talk(cores.open_between(alice, bob, "as before"), alice, bob)
  end)

  it("is what a probe names where what somebody says of themselves has expired as it comes", function()
    local alice, bob = person("alice", 5 * 3600), cores.person "bob"
    local name, message = alice:fails("peers.probe", { address = bob.address })
    assert.are.equal("timeout", name)
    assert.truthy(message:find("somebody is at " .. bob.address, 1, true), message)
    assert.truthy(message:find("one of your two clocks is wrong", 1, true), message)
  end)
end)
