-- SPDX-License-Identifier: GPL-3.0-or-later
-- Cores in network namespaces on a bridge, which know nothing of each other: they meet by broadcast and multicast alone.
local cores = require "support.cores"
local lans = require "support.lans"
local loop = require "sotto.loop"
local people = require "support.lan_people"
local system = require "support.system"

-- "within two seconds" on a machine that does nothing else
local SECONDS = 2

local person, seen, of, is_online = people.person, people.seen, people.of, people.is_online

local function allowed_ms() return SECONDS * 1000 * system.slowness() end

-- a record that lives six seconds is made anew every second one
local BRIEF = "limits = { presence_lifetime = 6 }"

local FILE = "spec/scenario/lan_spec.lua"

lans.describe(FILE, "on the LAN", function()
  after_each(people.clean)

  -- Starts bob's core again, which has its identity, and says how long it took until both had seen each other.
  local function time_of_meeting(alice, bob)
    bob:stop()
    cores.ask("alice to have lost bob", function() return not is_online(alice, bob) end, 60000)
    alice.control:forget_events()
    bob:start()
    local start = loop.now()
    seen(alice, bob)
    seen(bob, alice)
    return loop.now() - start
  end

  local function meet_in_time(families, listen, pattern)
    local lan = lans.new(families)
    local alice = person("alice", lan:place(), { listen = listen, config = BRIEF })
    local bob = person("bob", lan:place(), { listen = listen, config = BRIEF })
    local took = time_of_meeting(alice, bob)
    assert.is_true(took <= allowed_ms(), ("it took %d ms"):format(took))
    for _, side in ipairs { { alice, bob }, { bob, alice } } do
      local peer = of(side[1], side[2])
      assert.are.same({ "lan", true }, { peer.source, peer.online })
      assert.truthy(peer.addresses[1]:find(pattern), peer.addresses[1])
      assert.are.equal(side[2].address:match "%d+$", peer.addresses[1]:match "%d+$")
    end
    return alice, bob
  end

  it("P1.3 two see each other within two seconds over IPv4 alone, and talk", function()
    local alice, bob = meet_in_time({ v4 = true }, "0.0.0.0:0", "^10%.77%.0%.%d+:%d+$")
    cores.talk(cores.open_between(alice, bob), alice, bob)
  end)

  it("P1.3 two see each other within two seconds over IPv6 alone, and talk", function()
    local alice, bob = meet_in_time({ v6 = true }, "[::]:0", "^%[fe80::[%x:]+%%%d+%]:%d+$")
    cores.talk(cores.open_between(alice, bob), alice, bob)
  end)

  it("P1.3 without any word of where to listen: at port 4788, in both families", function()
    local lan = lans.new { v4 = true, v6 = true }
    local alice, bob = person("alice", lan:place(), { listen = false }), person("bob", lan:place(), { listen = false })
    seen(alice, bob)
    seen(bob, alice)
    cores.ask("both families", function()
      local families = {}
      for _, address in ipairs(of(alice, bob).addresses) do families[address:match "^%[fe80" or address:match "^10"] = true end
      return families["[fe80"] and families["10"]
    end)
    assert.are.equal("[::]:4788", alice.address)
    local discover = alice:call("system.info").discover
    assert.are.equal(4788, discover.port)
    local paths = {}
    for i, path in ipairs(discover.paths) do paths[i] = ("%s %s %s"):format(path.interface, path.to, path.listening) end
    assert.are.same({ "lo 127.255.255.255:4788 true", "eth0 10.77.255.255:4788 true",
      "eth0 [ff12::73:6f74:746f]:4788 true" }, paths)
  end)

  it("P1.3 an address of one's own, of IPv4 or IPv6, is enough", function()
    local lan = lans.new { v4 = true, v6 = true }
    local places = { lan:place(), lan:place() }
    for i, place in ipairs(places) do place:ip(("addr add fd00::%d/64 dev eth0"):format(i)) end
    for i, listen in ipairs { { "10.77.0.2:0", "10.77.0.3:0" }, { "[fd00::1]:0", "[fd00::2]:0" } } do
      local alice = person("alice" .. i, places[1], { listen = listen[1] })
      local bob = person("bob" .. i, places[2], { listen = listen[2] })
      seen(alice, bob)
      seen(bob, alice)
      assert.are.same({ bob.address }, of(alice, bob).addresses)
    end
  end)

  it("P1.3 cores of one machine find each other, also without a network", function()
    local lan = lans.new { v4 = true, v6 = true }
    local place = lan:place { down = true }
    local alice, bob = person("alice", place), person("bob", place, { listen = "127.0.0.1:0" })
    seen(alice, bob)
    seen(bob, alice)
  end)

  it("P1.1 stay online as long as they announce themselves, and vanish when their record expires", function()
    local lan = lans.new { v4 = true, v6 = true }
    local alice = person("alice", lan:place(), { config = BRIEF })
    local bob = person("bob", lan:place(), { config = BRIEF })
    local carol = person("carol", lan:place(), { config = BRIEF })
    seen(alice, bob)
    seen(alice, carol)
    -- carol's records are the measure: one a round
    local last = of(alice, carol).last_seen
    for _ = 1, 5 do
      cores.ask("carol's next record", function() return of(alice, carol).last_seen > last end)
      last = of(alice, carol).last_seen
    end
    assert.is_nil(alice:take_event("peer.lost"))
    assert.is_true(is_online(alice, bob))
    bob:kill()
    local lost = alice:event("peer.lost", { fingerprint = bob.fingerprint })
    assert.is_false(lost.online)
    assert.is_falsy(is_online(alice, bob))
    assert.is_true(is_online(alice, carol))
    assert.is_nil(alice:take_event("peer.lost", { fingerprint = carol.fingerprint }))
  end)

  it("P1.3 one that starts again is seen by all, and sees all, before its old record has expired", function()
    local lan = lans.new { v4 = true }
    local alice, bob = person("alice", lan:place()), person("bob", lan:place())
    seen(alice, bob)
    seen(bob, alice)
    local started = loop.now()
    for _ = 1, 2 do
      -- P1.3 answers a source once in five seconds, and this one keeps its port
      cores.ask("the last answer to be six seconds old", function() return loop.now() - started > 6000 end)
      bob:kill()
      bob:start()
      started = loop.now()
      seen(bob, alice)
      assert.is_true(loop.now() - started <= allowed_ms(), loop.now() - started)
      assert.is_true(is_online(alice, bob))
    end
    assert.is_nil(alice:take_event "peer.lost")
  end)

  it("P1.3 an interface that comes later is used at once; one that goes is given up, and taken again", function()
    local lan, other = lans.new { v4 = true, v6 = true }, lans.new { v4 = true, v6 = true }
    local place = lan:place { down = true }
    local alice, bob = person("alice", place, { config = BRIEF }), person("bob", lan:place(), { config = BRIEF })
    local carol = person("carol", other:place(), { config = BRIEF })
    local function interfaces()
      local names = {}
      for _, path in ipairs(alice:call("system.info").discover.paths) do names[path.interface] = true end
      return names
    end
    assert.is_nil(interfaces().eth0)
    place:up()
    seen(alice, bob)
    seen(bob, alice)
    -- a second network beside it
    place:plug("eth1", other)
    place:ip "addr add 10.77.1.1/16 dev eth1"
    place:up "eth1"
    seen(alice, carol)
    seen(carol, alice)
    assert.is_nil(bob:take_event("peer.seen", { fingerprint = carol.fingerprint }))
    place:down()
    alice:event("peer.lost", { fingerprint = bob.fingerprint })
    assert.is_nil(interfaces().eth0)
    assert.is_true(is_online(alice, carol))
    place:up()
    seen(alice, bob)
    place:ip "link del eth1"
    alice:event("peer.lost", { fingerprint = carol.fingerprint })
    assert.is_true(is_online(alice, bob))
  end)

  it("P1.3 off is off: nothing is sent, heard or answered", function()
    local lan = lans.new { v4 = true, v6 = true }
    local alice, bob = person("alice", lan:place(), { config = BRIEF }), person("bob", lan:place(), { config = BRIEF })
    local silent = person("silent", lan:place(), { discover = "off", listen = "[::]:4788" })
    local configured = person("configured", lan:place(), { config = 'discover = "off"' })
    seen(alice, bob)
    -- rounds of others, which both could have heard
    cores.ask("four rounds by three paths", function()
      local sent = bob:metrics()
      return sent["lan_sent:queries"] + sent["lan_sent:announcements"] >= 12
    end)
    for _, who in ipairs { silent, configured } do
      assert.are.same({}, who:call "peers.list")
      assert.is_nil(of(alice, who))
      assert.is_nil(of(bob, who))
      assert.are.equal(0, who:metrics()["datagrams_sent"])
      assert.is_nil(who:call("system.info").discover)
    end
    -- the port is the core's own, so the kernel lets it hear; it does not listen
    assert.is_true(silent:metrics()["datagrams_dropped:broadcast"] > 0)
    -- and who is asked by address still answers
    silent:call("peers.probe", { address = "10.77.0.2:" .. alice.address:match "%d+$" })
  end)

  it("P1.3 another port is another LAN", function()
    local lan = lans.new { v4 = true, v6 = true }
    local options = { discover = "0.0.0.0:5000", config = BRIEF }
    local alice, bob = person("alice", lan:place(), options), person("bob", lan:place(), options)
    local carol = person("carol", lan:place(), { config = BRIEF })
    local dave = person("dave", lan:place(), { config = BRIEF, discover = "10.77.255.255:4788" })
    seen(alice, bob)
    seen(bob, alice)
    seen(carol, dave)
    seen(dave, carol)
    assert.is_nil(of(carol, alice) or of(alice, carol) or of(dave, bob) or of(bob, dave))
    for _, path in ipairs(dave:call("system.info").discover.paths) do
      assert.are.equal("10.77.255.255:4788", path.to)
    end
  end)

  it("says at the start what it cannot understand", function()
    local lan = lans.new { v4 = true }
    local alice = cores.absent("alice", { netns = lan:place().netns, discover = "8.8.8.8.8:1" })
    local status, output = alice:attempt()
    assert.are.equal(1, status)
    assert.truthy(output:find("8.8.8.8.8:1", 1, true), output)
  end)
end)
