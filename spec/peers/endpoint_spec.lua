local E = require "support.endpoints"

local function texts(list)
  local out = {}
  for i, item in ipairs(list:items()) do out[i] = item[1] .. (item[2] ~= 0 and "!" or "") end
  return table.concat(out, " ")
end

describe("endpoint", function()
  describe("may_take", function()
    it("P1.5 takes ordinary endpoints from anybody", function()
      for _, from in ipairs { "9.9.9.9:5000", "127.0.0.1:5000", "[fe80::9%2]:5000" } do
        assert.equal("1.2.3.4:4788", E.may_take("1.2.3.4:4788", from))
      end
      assert.equal("1.2.3.4:4788", E.may_take("1.2.3.4:4788", nil))
    end)

    it("P1.5 takes loopback from loopback only", function()
      assert.is_nil(E.may_take("127.0.0.1:4788", "9.9.9.9:5000"))
      assert.is_nil(E.may_take("127.0.0.1:4788", "[fe80::9%2]:5000"))
      assert.is_nil(E.may_take("127.0.0.1:4788", nil))
      assert.is_nil(E.may_take("[::ffff:127.0.0.1]:4788", "9.9.9.9:5000"))
      assert.equal("127.0.0.1:4788", E.may_take("127.0.0.1:4788", "127.0.0.1:5000"))
      assert.equal("127.0.0.1:4788", E.may_take("127.0.0.1:4788", "[::1]:5000"))
    end)

    it("P1.5 takes link-local from link-local only, with the sender's scope", function()
      assert.is_nil(E.may_take("[fe80::1]:4788", "9.9.9.9:5000"))
      assert.is_nil(E.may_take("[fe80::1]:4788", nil))
      assert.is_nil(E.may_take("[fe80::1]:4788", "169.254.1.1:5000"))
      assert.equal("[fe80::1%2]:4788", E.may_take("[fe80::1]:4788", "[fe80::9%2]:5000"))
      assert.equal("[fe80::1%2]:4788", E.may_take("[fe80::1%7]:4788", "[fe80::9%2]:5000"))
      assert.equal("169.254.1.2:4788", E.may_take("169.254.1.2:4788", "169.254.1.1:5000"))
    end)

    it("P1.5 takes ports below 1024 only from such a port", function()
      assert.is_nil(E.may_take("1.2.3.4:1023", "9.9.9.9:1024"))
      assert.is_nil(E.may_take("1.2.3.4:22", nil))
      assert.equal("1.2.3.4:1024", E.may_take("1.2.3.4:1024", "9.9.9.9:1024"))
      assert.equal("1.2.3.4:1023", E.may_take("1.2.3.4:1023", "9.9.9.9:1023"))
    end)

    it("P1.5 never takes what nobody can be dialled at", function()
      for _, text in ipairs { "224.0.0.1:4788", "0.0.0.0:4788", "255.255.255.255:4788", "[ff02::1]:4788",
        "[::]:4788", "[::127.0.0.1]:4788", "[2002:7f00:1::1]:4788", "0.1.2.3:4788", "240.0.0.1:4788", "1.2.3.4:0" } do
        assert.is_nil(E.may_take(text, "9.9.9.9:5000"), text)
        assert.is_nil(E.may_take(text, text), text)
      end
    end)
  end)

  it("counts a machine's IPv6 addresses as one host", function()
    assert.equal("1.2.3.4:0", E.host("1.2.3.4:4788"))
    assert.equal(E.host("[2001:db8:1:2::1]:1"), E.host("[2001:db8:1:2:ffff::9]:2"))
    assert.not_equal(E.host("[2001:db8:1:2::1]:1"), E.host("[2001:db8:1:3::1]:1"))
    assert.not_equal(E.host("[fe80::1%2]:1"), E.host("[fe80::2%2]:1"))
    assert.not_equal(E.host("127.0.0.1:1"), E.host("127.0.0.2:1"))
  end)

  describe("list", function()
    it("puts what was confirmed last in front", function()
      local l = E.list()
      assert.is_true(l:hear { "1.1.1.1:2000", "2.2.2.2:2000" })
      assert.is_true(l:confirm("2.2.2.2:2000", 10))
      assert.is_true(l:confirm("1.1.1.1:2000", 20))
      assert.equal("1.1.1.1:2000! 2.2.2.2:2000!", texts(l))
      assert.is_false(l:confirm("1.1.1.1:2000", 30))
      assert.equal(30, l:items()[1][2])
    end)

    it("keeps what is new before what was heard earlier", function()
      local l = E.list()
      l:hear { "1.1.1.1:2000", "2.2.2.2:2000" }
      l:confirm("3.3.3.3:2000", 1)
      assert.is_true(l:hear { "4.4.4.4:2000", "2.2.2.2:2000" })
      assert.equal("3.3.3.3:2000! 4.4.4.4:2000 2.2.2.2:2000 1.1.1.1:2000", texts(l))
      assert.is_false(l:hear { "4.4.4.4:2000", "2.2.2.2:2000" })
    end)

    it("holds eight, and always has room for where the peer has moved to", function()
      local l = E.list()
      for i = 1, 20 do l:confirm("1.1.1." .. i .. ":2000", i) end
      assert.equal(8, #l:items())
      assert.equal("1.1.1.20:2000", l:items()[1][1])
      l:hear { "2.2.2.1:2000", "2.2.2.2:2000", "2.2.2.3:2000", "2.2.2.4:2000", "2.2.2.5:2000" }
      assert.equal("1.1.1.20:2000! 1.1.1.19:2000! 1.1.1.18:2000! 1.1.1.17:2000! " ..
        "2.2.2.1:2000 2.2.2.2:2000 2.2.2.3:2000 2.2.2.4:2000", texts(l))
      l:hear {}
      assert.equal(8, #l:items())
    end)

    it("does not lose confirmed ones to a record that says nothing new", function()
      local l = E.list()
      for i = 1, 8 do l:confirm("1.1.1." .. i .. ":2000", i) end
      assert.is_false(l:hear { "1.1.1.1:2000", "1.1.1.2:2000" })
      assert.equal(8, #l:items())
    end)

    it("adds only where there is room", function()
      local l = E.list()
      for i = 1, 8 do assert.is_true(l:add("1.1.1." .. i .. ":2000")) end
      assert.is_false(l:add("1.1.1.1:2000"))
      assert.is_false(l:add("1.1.1.9:2000"))
    end)

    it("sends what failed to the end", function()
      local l = E.list()
      l:confirm("1.1.1.1:2000", 1)
      l:hear { "2.2.2.2:2000" }
      assert.is_true(l:fail("1.1.1.1:2000"))
      assert.equal("2.2.2.2:2000 1.1.1.1:2000", texts(l))
      assert.is_false(l:fail("1.1.1.1:2000"))
      assert.is_false(l:fail("9.9.9.9:2000"))
    end)
  end)
end)
