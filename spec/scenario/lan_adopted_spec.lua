-- SPDX-License-Identifier: GPL-3.0-or-later
-- Adopted keys on a LAN: what no datagram holds of an RSA key is asked for over TCP, unasked by anybody (P1.2, P1.7).
local adopting = require "support.adopting"
local cores = require "support.cores"
local lans = require "support.lans"
local people = require "support.lan_people"
local sys = require "sotto.sys"

local FILE = "spec/scenario/lan_adopted_spec.lua"

lans.describe(FILE, "an adopted key on the LAN", function()
  after_each(function()
    adopting.clean()
    lans.clean()
  end)

  local function rsa_person(name, lan, key, listen)
    local own = adopting.gnupg(name)
    local fingerprint = own:import(("%s/spec/vectors/%s.asc"):format(sys.cwd(), key))
    return adopting.person(name, own, fingerprint, { netns = lan:place().netns, listen = listen, discover = false })
  end

  local function proven(who, other)
    cores.ask(("%s to have the proof of %s"):format(who.name, other.name), function()
      local peer = people.of(who, other)
      return peer and peer.online and peer.proven
    end)
    assert.are.same({ "lan", false }, { people.of(who, other).source, people.of(who, other).verified })
  end

  for family, listen in pairs { v4 = "0.0.0.0:0", v6 = "[::]:0" } do
    it("P1.2 is proven, though it is RSA, before anybody asks or opens anything: over " .. family, function()
      local lan = lans.new { [family] = true }
      local alice, bob = rsa_person("alice", lan, "rsa4096_a", listen), rsa_person("bob", lan, "rsa4096_b", listen)
      local carol = people.person("carol", lan:place(), { listen = listen })
      for _, pair in ipairs { { alice, bob }, { alice, carol }, { bob, carol } } do
        proven(pair[1], pair[2])
        proven(pair[2], pair[1])
      end
      -- at most once at each address that a record came from
      local taken = carol:metrics()["introductions_asked:taken"]
      assert.is_true(taken >= 2 and taken <= 4, taken)
      cores.talk(cores.open_between(carol, alice), carol, alice)
      -- whoever comes back is remembered: with news, and without its certificate once more
      local before = people.of(carol, bob).last_seen
      bob:restart()
      adopting.unlocked(bob)
      cores.ask("news of bob", function() return people.of(carol, bob).last_seen > before end)
      proven(carol, bob)
      proven(bob, alice)
      assert.are.equal(taken, carol:metrics()["introductions_asked:taken"])
    end)
  end
end)
