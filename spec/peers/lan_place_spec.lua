-- SPDX-License-Identifier: GPL-3.0-or-later
local lan = require "support.lan"

local GROUP = "[ff12::73:6f74:746f]:0"

local LO = { index = 1, name = "lo", loopback = true, address = "127.0.0.1:0", prefix = 8,
  broadcast = "127.255.255.255:0" }
local LO6 = { index = 1, name = "lo", loopback = true, address = "[::1]:0", prefix = 128 }
local ETH = { index = 2, name = "eth0", multicast = true, address = "10.0.0.5:0", broadcast = "10.0.0.255:0" }
local ETH_LL = { index = 2, name = "eth0", multicast = true, address = "[fe80::5%2]:0", prefix = 64 }
local ETH_GLOBAL = { index = 2, name = "eth0", multicast = true, address = "[2001:db8::5]:0", prefix = 64 }
local WIFI = { index = 3, name = "wlan0", multicast = true, address = "192.168.1.7:0", broadcast = "192.168.1.255:0" }
local TUNNEL = { index = 4, name = "tun0", address = "10.8.0.2:0", prefix = 32 }
local TUNNEL6 = { index = 4, name = "tun0", address = "[fe80::9%4]:0", prefix = 64 }
local ALL = { LO, LO6, ETH, ETH_LL, ETH_GLOBAL, WIFI, TUNNEL, TUNNEL6 }

local function shown(text, listen, interfaces)
  local out = {}
  for i, path in ipairs((lan.paths(text, listen, interfaces or ALL))) do
    out[i] = ("%s %s > %s"):format(path.name, path.own or "-", path.group)
  end
  return out
end

describe("the place on the LAN", function()
  it("is everywhere, at port 4788, unless something else is said", function()
    local standard = { off = false, v4 = true, v6 = true, group = GROUP, scope = 0, port = 4788 }
    assert.same(standard, lan.place())
    assert.same(standard, lan.place "[::]:4788")
    assert.equal(5000, lan.place("[::]:5000").port)
  end)

  it("can be off", function()
    assert.is_true(lan.place("off").off)
  end)

  it("can be of one family", function()
    for _, text in ipairs { "0.0.0.0:4788", "255.255.255.255:4788" } do
      local place = lan.place(text)
      assert.same({ true, false }, { place.v4, place.v6 })
      assert.is_nil(place.only)
    end
    local place = lan.place "[ff02::114]:4788"
    assert.same({ false, true, "[ff02::114]:0" }, { place.v4, place.v6, place.group })
  end)

  it("can be one network, or one interface's group", function()
    assert.equal("10.0.0.255:0", lan.place("10.0.0.255:4788").only)
    assert.equal(7, lan.place("[ff12::1%7]:4788").scope)
  end)

  it("is refused where nothing can be announced", function()
    for _, text in ipairs { "", "on", "4788", "10.0.0.255", "10.0.0.255:0", "[::]:0", "localhost:4788", "224.0.0.1:4788",
      "239.1.2.3:4788", "[2001:db8::1]:4788", "[::1]:4788", "[ff05::1]:4788", "[ff0e::1]:4788", "off:4788" } do
      local none, name, why = lan.place(text)
      assert.is_nil(none, text)
      assert.equal("bad_params", name, text)
      assert.is_true(#why > 0, text)
    end
  end)
end)

describe("the paths to a LAN", function()
  it("P1.3 are each network's own broadcast address and each interface's group", function()
    assert.same({
      "lo 127.0.0.1:0 > 127.255.255.255:4788",
      "eth0 10.0.0.5:0 > 10.0.0.255:4788",
      "eth0 - > [ff12::73:6f74:746f]:4788",
      "wlan0 192.168.1.7:0 > 192.168.1.255:4788",
    }, shown(nil, "[::]:4788"))
  end)

  it("are those of the families that the core listens in", function()
    assert.same({
      "lo 127.0.0.1:0 > 127.255.255.255:5000",
      "eth0 10.0.0.5:0 > 10.0.0.255:5000",
      "wlan0 192.168.1.7:0 > 192.168.1.255:5000",
    }, shown("[::]:5000", "0.0.0.0:4788"))
  end)

  it("are those by which the core's own address is reached", function()
    assert.same({ "eth0 10.0.0.5:0 > 10.0.0.255:4788" }, shown(nil, "10.0.0.5:9999"))
    assert.same({ "lo 127.0.0.1:0 > 127.255.255.255:4788" }, shown(nil, "127.0.0.1:9999"))
    assert.same({ "eth0 [2001:db8::5]:0 > [ff12::73:6f74:746f]:4788" }, shown(nil, "[2001:db8::5]:9999"))
    assert.same({ "eth0 [fe80::5%2]:0 > [ff12::73:6f74:746f]:4788" }, shown(nil, "[fe80::5%2]:9999"))
    assert.same({}, shown(nil, "172.16.0.1:9999"))
    assert.same({}, shown(nil, "[::1]:9999")) -- the loopback carries no multicast
  end)

  it("are fewer where the place says so", function()
    assert.same({ "eth0 10.0.0.5:0 > 10.0.0.255:4788" }, shown("10.0.0.255:4788", "[::]:1"))
    assert.same({ "wlan0 192.168.1.7:0 > 192.168.1.255:4788" }, shown("192.168.1.7:4788", "[::]:1"))
    assert.same({}, shown("10.1.0.255:4788", "[::]:1"))
    assert.same({ "eth0 - > [ff12::73:6f74:746f]:4788" }, shown("[ff12::73:6f74:746f]:4788", "[::]:1"))
    assert.same({ "eth0 - > [ff02::1]:4788" }, shown("[ff02::1%2]:4788", "[::]:1"))
    assert.same({}, shown("[ff02::1%3]:4788", "[::]:1")) -- has no IPv6 address
    assert.same({}, shown("[ff02::1]:4788", "0.0.0.0:1"))
  end)

  it("are one for each network, however many addresses there are in it", function()
    local second = { index = 2, name = "eth0", multicast = true, address = "10.0.0.6:0", broadcast = "10.0.0.255:0" }
    local other = { index = 2, name = "eth0", multicast = true, address = "10.9.0.6:0", broadcast = "10.9.0.255:0" }
    assert.same({ "eth0 10.0.0.5:0 > 10.0.0.255:4788", "eth0 10.9.0.6:0 > 10.9.0.255:4788" },
      shown(nil, "0.0.0.0:1", { ETH, second, other }))
    -- and two interfaces in one network are two paths
    local twin = { index = 9, name = "eth9", multicast = true, address = "10.0.0.9:0", broadcast = "10.0.0.255:0" }
    assert.equal(2, #shown(nil, "0.0.0.0:1", { ETH, twin }))
  end)

  it("are sixteen at most; the rest is counted", function()
    local many = {}
    for i = 1, 20 do
      many[i] = { index = i, name = "eth" .. i, address = ("10.%d.0.1:0"):format(i),
        broadcast = ("10.%d.0.255:0"):format(i) }
    end
    local paths, left_out = lan.paths(nil, "0.0.0.0:1", many)
    assert.same({ 16, 4 }, { #paths, left_out })
  end)
end)

describe("an interface's network", function()
  it("holds the addresses of its prefix, in its scope", function()
    assert.is_true(lan.reaches(ETH, "10.0.0.200:1"))
    assert.is_false(lan.reaches(ETH, "10.0.1.200:1"))
    assert.is_false(lan.reaches(ETH, "[::1]:1"))
    assert.is_true(lan.reaches(LO, "127.9.9.9:1"))
    assert.is_true(lan.reaches(ETH_LL, "[fe80::1%2]:1"))
    assert.is_false(lan.reaches(ETH_LL, "[fe80::1%3]:1"))
    assert.is_false(lan.reaches(ETH_LL, "[fe80:0:0:1::1%2]:1"))
    assert.is_true(lan.reaches(ETH_GLOBAL, "[2001:db8::ffff]:1"))
    assert.is_true(lan.reaches(TUNNEL, "10.8.0.2:1"))
    assert.is_false(lan.reaches(TUNNEL, "10.8.0.3:1"))
    assert.is_true(lan.reaches(LO6, "[::1]:1"))
    assert.is_false(lan.reaches(LO6, "[::3]:1"))
    local odd = { index = 5, name = "x", address = "10.0.0.5:0", prefix = 29 }
    assert.is_true(lan.reaches(odd, "10.0.0.7:1"))
    assert.is_false(lan.reaches(odd, "10.0.0.8:1"))
  end)
end)
