-- SPDX-License-Identifier: GPL-3.0-or-later
local net = require "support.net"

describe("addr", function()
  describe("addr_parse", function()
    local good = {
      ["1.2.3.4:4788"] = "1.2.3.4:4788",
      ["0.0.0.0:0"] = "0.0.0.0:0",
      ["255.255.255.255:65535"] = "255.255.255.255:65535",
      ["[::]:1"] = "[::]:1",
      ["[::1]:4788"] = "[::1]:4788",
      ["[2001:DB8:0:0::1]:80"] = "[2001:db8::1]:80",
      ["[::ffff:1.2.3.4]:7"] = "1.2.3.4:7", -- one host, one form
      ["[::ffff:102:304]:7"] = "1.2.3.4:7",
      ["[fe80::1%3]:4788"] = "[fe80::1%3]:4788",
      ["[fe80::1%lo]:4788"] = "[fe80::1%1]:4788",
      ["[febf::1%3]:4788"] = "[febf::1%3]:4788",
      ["[ff02::1%2]:4788"] = "[ff02::1%2]:4788",
      ["[fe80::1]:4788"] = "[fe80::1]:4788",
    }
    for text, canonical in pairs(good) do
      it("takes " .. text, function()
        assert.equal(canonical, net.parse(text))
        assert.equal(canonical, net.parse(canonical))
      end)
    end

    local bad = {
      "", ":", "1.2.3.4", "1.2.3.4:", ":4788", "1.2.3.4:4788 ", " 1.2.3.4:4788", "1.2.3.4 :1", "1.2.3.4: 1",
      "1.2.3.4:65536", "1.2.3.4:99999999999999999999", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4:0x10",
      "1.2.3.4:01", "1.2.3.4:00", "1.2.3.4:1:2", "1.2.3:1", "1.2.3.4.5:1", "1.2.3.256:1", "1.2.3.04:1",
      "01.2.3.4:1", "0x7f.0.0.1:1", "2130706433:1",
      "127.1:1", "1..2.3:1", "1.2.3.4.:1", "::1:4788", "[::1]", "[::1]4788", "[::1:4788", "::1]:4788", "[]:1",
      "[::1]:",
      "[1.2.3.4]:1", "[::1]]:1", "[[::1]:1", "[::1%1]:1", "[2001:db8::1%1]:1", "[fe80::1%]:1", "[fe80::1%0]:1",
      "[fe80::1%01]:1",
      "[fe80::1%4294967296]:1", "[fe80::1%nosuchinterface]:1", "[:::1]:1", "[1:2:3:4:5:6:7:8:9]:1",
      "[12345::]:1", "[::1] :1", "localhost:1", "example.org:1", "1.2.3.4:1\n", "1.2.3.4%1:1", "１.2.3.4:1",
      "[" .. ("1"):rep(300) .. "]:1", ("1"):rep(300) .. ":1", "1.2.3.4:" .. ("1"):rep(300),
      "[fe80::1%" .. ("1"):rep(260) .. "]:1",
    }
    for _, text in ipairs(bad) do
      it(("refuses %q"):format(text:sub(1, 40)), function()
        local value, name, why = net.parse(text)
        assert.is_nil(value)
        assert.equal("bad_params", name)
        assert.is_true(#why > 0)
      end)
    end

    it("takes a host alone for addr_parse_host", function()
      assert.equal("1.2.3.4:1", net.parse_host("1.2.3.4"))
      assert.equal("[fe80::1%3]:1", net.parse_host("fe80::1%3"))
      for _, text in ipairs { "", "1.2.3", "[::1]", "localhost", "1.2.3.4:1", "::1%1", ("a"):rep(300) } do
        assert.is_nil(net.parse_host(text))
      end
    end)
  end)

  describe("addr_split", function()
    it("tells numbers from names", function()
      assert.same({ "1.2.3.4", 5, true }, { net.split("1.2.3.4:5") })
      assert.same({ "::1", 5, true }, { net.split("[::1]:5") })
      assert.same({ "localhost", 5, false }, { net.split("localhost:5") })
      assert.same({ "a-b.Example.org", 65535, false }, { net.split("a-b.Example.org:65535") })
      assert.same({ "example.org.", 5, false }, { net.split("example.org.:5") })
      assert.same({ "4chan.org", 5, false }, { net.split("4chan.org:5") })
      assert.same({ "1.2.3.4", 0, true }, { net.split("1.2.3.4:0") })
    end)

    it("takes names up to their limits", function()
      local label = ("a"):rep(63)
      assert.truthy(net.split(label .. ".org:5"))
      assert.is_nil(net.split(label .. "a.org:5"))
      local long = (label .. "."):rep(3) .. ("b"):rep(61) -- 253
      assert.truthy(net.split(long .. ":5"))
      assert.is_nil(net.split(long .. "b:5"))
    end)

    local bad = {
      "localhost", "localhost:", "localhost:0", "local_host:5", "-a.org:5", "a-.org:5", "a.org-:5", "a..org:5",
      ".a:5", ".:5", "a.b-.c:5", "300.1.2.3:5", "127.1:5", "2130706433:5", "a.123:5", "a.123.:5",
      "[localhost]:5", "[1.2.3.4]:5",
      "a b:5", "a\0b:5", "ü.org:5", "a.org..:5", "a:b:5", "a.org:5/x", "user@a.org:5", "a.org:65536",
    }
    for _, text in ipairs(bad) do
      it(("refuses %q"):format(text), function()
        local host, name = net.split(text)
        assert.is_nil(host)
        assert.equal("bad_params", name)
      end)
    end
  end)

  describe("addr_class_of", function()
    local classes = {
      ordinary = { "1.1.1.1", "172.15.0.1", "172.32.0.1", "192.169.0.1", "100.63.0.1", "100.128.0.1", "169.253.0.1",
        "126.255.255.255", "128.0.0.0", "223.255.255.255", "[2001:db8::1]", "[2000::]", "[fbff::1]",
        "[64:ff9b::1]" },
      private = { "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255",
        "[fc00::1]", "[fdff::1]", "[fec0::1]" },
      loopback = { "127.0.0.1", "127.255.255.255", "[::1]", "[::ffff:127.0.0.1]" },
      ["link-local"] = { "169.254.1.1", "[fe80::1]", "[febf:ffff::1]" },
      multicast = { "224.0.0.1", "239.255.255.255", "255.255.255.255", "[ff02::1]", "[ff0e::1]" },
      unspecified = { "0.0.0.0", "[::]" },
      reserved = { "0.0.0.1", "0.255.255.255", "240.0.0.1", "255.255.255.254", "[::2]", "[::7f00:1]",
        "[2002:7f00:1::]" },
    }
    for class, list in pairs(classes) do
      it("knows " .. class .. " addresses", function()
        for _, host in ipairs(list) do
          assert.equal(class, (net.class(host .. ":4788")), host)
        end
      end)
    end

    it("P1.5 knows ports below 1024", function()
      assert.is_true(select(2, net.class("1.1.1.1:1023")))
      assert.is_true(select(2, net.class("1.1.1.1:0")))
      assert.is_false(select(2, net.class("1.1.1.1:1024")))
    end)
  end)

  describe("comparisons", function()
    local function compare(a, b)
      local equal, host, network, hash = net.compare(a, b)
      return { equal = equal, host = host, network = network, hash = hash }
    end

    it("see one IPv4 host in both of its forms", function()
      local all = { equal = true, host = true, network = true, hash = true }
      assert.same(all, compare("1.2.3.4:5", "[::ffff:1.2.3.4]:5"))
    end)

    it("tell ports, scopes and hosts apart", function()
      assert.same({ equal = false, host = true, network = true, hash = false }, compare("1.2.3.4:5", "1.2.3.4:6"))
      local network = { equal = false, host = false, network = true, hash = false }
      assert.same(network, compare("[fe80::1%1]:5", "[fe80::1%2]:5"))
      assert.same(network, compare("1.2.3.4:5", "1.2.3.5:5"))
    end)

    it("P1.5 know one /24 and one /48", function()
      local function same(a, b) return compare(a, b).network end
      assert.is_true(same("1.2.3.0:1", "1.2.3.255:2"))
      assert.is_false(same("1.2.3.0:1", "1.2.4.0:1"))
      assert.is_true(same("[2001:db8:1::1]:1", "[2001:db8:1:ffff::2]:1"))
      assert.is_false(same("[2001:db8:1::1]:1", "[2001:db8:2::1]:1"))
      assert.is_false(same("1.2.3.4:1", "[::1]:1"))
    end)
  end)

  describe("socket addresses", function()
    it("come back as they went", function()
      for _, text in ipairs { "1.2.3.4:5", "[::1]:65535", "[fe80::1%3]:5", "0.0.0.0:0" } do
        assert.equal(text, (net.through(text)))
      end
    end)

    it("write IPv4 for either family of socket, and IPv6 for its own only", function()
      assert.same({ "1.2.3.4:5", "v4" }, { net.through("1.2.3.4:5", "v4") })
      assert.same({ "1.2.3.4:5", "v6" }, { net.through("1.2.3.4:5", "v6") })
      assert.same({ nil, "unsupported", "" }, { net.through("[::1]:5", "v4") })
    end)
  end)
end)
