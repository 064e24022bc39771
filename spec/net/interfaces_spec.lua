-- SPDX-License-Identifier: GPL-3.0-or-later
-- In a network of this process's own, where interfaces are made and unmade.
local case = require "support.net_case"
local interfaces = require "support.interfaces"
local lans = require "support.lans"
local net = require "support.net"
local system = require "support.system"

local GROUP = "[ff12::73:6f74:746f]:4788"

local FILE = "spec/net/interfaces_spec.lua"

lans.describe(FILE, "interfaces", function()
  before_each(function()
    case.begin()
    assert(interfaces.enter())
  end)
  after_each(function()
    assert(interfaces.leave())
    case.finish()
  end)

  local function ip(words)
    local output, status = system.shell("ip " .. words)
    assert(status == 0, output)
  end

  local function shown()
    local out = {}
    for _, row in ipairs(interfaces.list()) do
      -- a link-local address is the kernel's choice
      local address = row.address:gsub("%[fe80:[^%]]*%]", "[fe80]")
      out[#out + 1] = ("%s %s/%d > %s%s"):format(row.name, address, row.prefix, row.broadcast or "-",
        row.loopback and " loopback" or row.multicast and " multicast" or "")
    end
    table.sort(out)
    return out
  end

  -- a carrier is noticed a moment after it is there
  local function wait_for_names(...)
    local wanted = table.concat({ ... }, " ")
    case.poll(function()
      local names, seen = {}, {}
      for _, row in ipairs(interfaces.list()) do
        if row.address:find "^%[fe80:" and not seen[row.name] then
          seen[row.name] = true
          names[#names + 1] = row.name
        end
      end
      table.sort(names)
      return table.concat(names, " "):find(wanted, 1, true)
    end, "interfaces: " .. wanted)
  end

  -- two ends of a wire, both up, without the wait for duplicates of their IPv6 addresses
  local function make_wire(name)
    ip(("link add %s type veth peer name %s-peer"):format(name, name))
    for _, one in ipairs { name, name .. "-peer" } do
      system.write("/proc/sys/net/ipv6/conf/" .. one .. "/accept_dad", "0")
      ip(("link set %s up"):format(one))
    end
    wait_for_names(name, name .. "-peer")
  end

  it("are none where there are none that are up", function()
    assert.same({}, interfaces.list())
    ip "link add w0 type veth peer name w1"
    ip "addr add 10.1.0.1/24 dev w0"
    assert.same({}, interfaces.list())
  end)

  it("have their addresses, with each network's own broadcast address", function()
    ip "link set lo up"
    make_wire "w0"
    ip "addr add 10.1.0.1/24 broadcast + dev w0"
    ip "addr add 10.2.0.1/20 dev w0" -- nobody said a broadcast address
    ip "addr add 10.3.0.1/24 broadcast 10.3.0.77 dev w0"
    ip "addr add 10.4.0.1/31 dev w0"
    ip "addr add 10.5.0.1/32 dev w0"
    ip "addr add 2001:db8::1/64 dev w0 nodad"
    assert.same({
      "lo 127.0.0.1:0/8 > 127.255.255.255:0 loopback",
      "lo [::1]:0/128 > - loopback",
      "w0 10.1.0.1:0/24 > 10.1.0.255:0 multicast",
      "w0 10.2.0.1:0/20 > 10.2.15.255:0 multicast",
      "w0 10.3.0.1:0/24 > 10.3.0.77:0 multicast",
      "w0 10.4.0.1:0/31 > - multicast",
      "w0 10.5.0.1:0/32 > - multicast",
      "w0 [2001:db8::1]:0/64 > - multicast",
      "w0 [fe80]:0/64 > - multicast",
      "w0-peer [fe80]:0/64 > - multicast",
    }, shown())
  end)

  it("are no more than wanted", function()
    ip "link set lo up"
    assert.equal(1, #interfaces.list(1))
    assert.equal(0, #interfaces.list(0))
  end)

  it("without a carrier are not there, and without multicast no LAN of IPv6", function()
    make_wire "w0"
    ip "addr add 10.1.0.1/24 dev w0"
    assert.equal(3, #interfaces.list())
    ip "link set w0-peer down"
    case.poll(function() return #interfaces.list() == 0 end, "the loss of the carrier")
    ip "link set w0-peer up multicast off"
    wait_for_names("w0", "w0-peer")
    for _, row in ipairs(interfaces.list()) do assert.equal(row.name == "w0", row.multicast) end
  end)

  it("are told of as they come, change and go", function()
    local calls = 0
    local watch = case.keep(interfaces.watch(function() calls = calls + 1 end))
    assert.is_true(watch:told())
    local function told(what)
      case.wait(function() return calls > 0 end, what)
      -- what else belongs to the same change
      local before
      repeat
        before = calls
        case.settle(3)
      until calls == before
      calls = 0
    end
    make_wire "w0"
    told "word of new interfaces"
    ip "addr add 10.1.0.1/24 dev w0"
    told "word of a new address"
    ip "addr del 10.1.0.1/24 dev w0"
    told "word of an address that is gone"
    ip "link set w0-peer down"
    told "word of a lost carrier"
    ip "link del w0"
    told "word of an interface that is gone"
    calls = 0
    watch:free()
    ip "link set lo up"
    case.settle(20)
    assert.equal(0, calls)
  end)

  it("a watch may be freed inside its callback", function()
    local count, watch = 0, nil
    watch = case.keep(interfaces.watch(function()
      count = count + 1
      watch:free()
    end))
    ip "link set lo up"
    case.wait(function() return count > 0 end, "word of it")
    ip "link set lo down"
    case.settle(20)
    assert.equal(1, count)
  end)

  it("P1.3 carry a group's datagrams to each ear there, also on this machine, and not to those next door", function()
    make_wire "w0"
    make_wire "w1"
    local index, heard = {}, {}
    for _, row in ipairs(interfaces.list()) do index[row.name] = row.index end
    for name, at in pairs(index) do
      for i = 1, 2 do
        case.keep(assert(net.ear(GROUP, at, function(_, from, data, to_all, interface)
          heard[#heard + 1] = ("%s %d: %s %s %s %s"):format(name, i, from:match "^%[fe80:", data, to_all,
            interface == at)
        end)))
      end
    end
    local a = case.keep(assert(net.udp("[::]:0", function() error "nothing is for it" end)))
    assert.is_true(a:send_to_all(GROUP, index.w0, "who's there?"))
    case.wait(function() return #heard == 4 end, "both ends of the wire, both ears")
    case.settle()
    table.sort(heard)
    assert.same({
      "w0 1: [fe80: who's there? true true", "w0 2: [fe80: who's there? true true",
      "w0-peer 1: [fe80: who's there? true true", "w0-peer 2: [fe80: who's there? true true",
    }, heard)
  end)

  it("P1.3 two in one network have one broadcast address: a datagram says by which it came", function()
    make_wire "w0"
    ip "addr add 10.1.0.1/24 dev w0"
    ip "addr add 10.1.0.2/24 dev w0-peer"
    local index, heard = {}, {}
    for _, row in ipairs(interfaces.list()) do index[row.name] = row.index end
    for name, at in pairs(index) do
      case.keep(assert(net.ear("10.1.0.255:4788", at, function(_, _, _, _, interface)
        if interface == at then heard[#heard + 1] = name end
      end)))
    end
    local a = case.keep(assert(net.udp("[::]:0", function() end)))
    assert.is_true(a:send_to_all("10.1.0.255:4788", index.w0, "x", "10.1.0.1:0"))
    -- the sender's own machine hears it back from the interface that it went out by
    case.wait(function() return #heard >= 1 end, "an ear")
    case.settle()
    assert.equal("w0", heard[1])
  end)
end)
