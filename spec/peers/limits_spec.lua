local L = require "support.limits"

local function fpr(n) return ("%040X"):format(n) end

local function passed(l, kind, from, now, times, known)
  local n = 0
  for _ = 1, times do n = n + (l:take(kind, from, known, now) == "pass" and 1 or 0) end
  return n
end

describe("limits", function()
  it("P1.3 answers a source on the LAN once in five seconds", function()
    local l = L.limits()
    assert.equal("pass", l:take("lan", "10.0.0.1:4788", false, 1000))
    assert.equal("source", l:take("lan", "10.0.0.1:4788", false, 1000))
    assert.equal("source", l:take("lan", "10.0.0.1:4788", false, 5999))
    assert.equal("pass", l:take("lan", "10.0.0.1:4788", false, 6000))
    assert.equal("source", l:take("lan", "10.0.0.1:4788", false, 6001))
    assert.equal("pass", l:take("lan", "10.0.0.2:4788", false, 6001))
  end)

  it("P1.8 a UDP source is address and port", function()
    local l = L.limits()
    assert.equal("pass", l:take("lan", "127.0.0.1:4788", false, 0))
    assert.equal("pass", l:take("lan", "127.0.0.1:4789", false, 0))
    assert.equal("source", l:take("lan", "127.0.0.1:4789", false, 0))
    assert.equal("pass", l:take("lan", "[fe80::1%2]:4788", false, 0))
    assert.equal("pass", l:take("lan", "[fe80::1%3]:4788", false, 0))
  end)

  it("P1.3 answers twenty a second in all", function()
    local l, n = L.limits(), 0
    for i = 1, 200 do
      local kind = i % 2 == 0 and "lan" or "probe"
      if l:take(kind, "10.0.0.1:" .. 2000 + i, false, 0) == "pass" then n = n + 1 end
    end
    assert.equal(20, n)
    assert.equal("all", l:take("lan", "10.0.0.9:4788", false, 999))
    assert.equal(1, l:wait("lan", "10.0.0.9:4788", false, 999))
    assert.equal("pass", l:take("lan", "10.0.0.9:4788", false, 1000))
    local times = {}
    for ms = 1001, 11000 do
      if l:take("lan", "10.0.1.1:" .. 2000 + ms, false, ms) == "pass" then times[#times + 1] = ms end
    end
    assert.is_true(#times >= 199 and #times <= 200, #times)
    -- nothing is saved up: no second holds more, wherever it begins
    for i = 21, #times do assert.is_true(times[i] - times[i - 20] >= 1000) end
  end)

  it("P1.3 answers nothing more after a pause than before it", function()
    local l = L.limits()
    local function burst(now, first)
      local count = 0
      for i = 1, 50 do
        count = count + (l:take("lan", "10.0.0.1:" .. first + i, false, now) == "pass" and 1 or 0)
      end
      return count
    end
    assert.equal(20, burst(0, 2000))
    assert.equal(20, burst(3600000, 3000))
    assert.equal(0, burst(3600999, 4000))
    assert.equal(0, burst(0, 5000)) -- a clock that runs back gives nothing
    assert.equal(20, burst(3601000, 6000))
  end)

  describe("what is looked into", function()
    it("P1.8 is five a second of a source, a hundred of an address, a third of a thousand in all", function()
      local l = L.limits()
      assert.equal(20, passed(l, "hear", "6.6.6.6:6666", 0, 1000))
      assert.equal("source", l:take("hear", "6.6.6.6:6666", false, 199))
      assert.equal("pass", l:take("hear", "6.6.6.6:6666", false, 200))
      local n = 0
      for i = 1, 10000 do n = n + (l:take("hear", "6.6.6.6:" .. 2000 + i, false, 200) == "pass" and 1 or 0) end
      assert.equal(199, n) -- of a burst of 200, 21 were taken, and 20 came back
      assert.equal("host", l:take("hear", "6.6.6.6:6667", false, 200))
      -- what is refused costs nobody else a token
      assert.equal("pass", l:take("hear", "10.0.0.1:4788", false, 200))
      n = 0
      for i = 1, 1000 do
        n = n + (l:take("hear", ("7.7.%d.%d:1"):format(i // 250, i % 250), false, 10000) == "pass" and 1 or 0)
      end
      assert.equal(400, n)
      n = 0
      for ms = 10001, 20000 do
        n = n + (l:take("hear", ("7.%d.%d.1:1"):format(ms // 250, ms % 250), false, ms) == "pass" and 1 or 0)
      end
      assert.equal(3333, n)
    end)

    it("P1.8 friends are heard in any flood of strangers", function()
      local l = L.limits()
      for i = 1, 5000 do l:take("hear", ("6.%d.%d.6:1"):format(i // 250, i % 250), false, 0) end
      assert.equal("all", l:take("hear", "10.0.0.1:4788", false, 0))
      assert.equal(400, passed(l, "hear", "10.0.0.1:4788", 0, 1000, true))
      assert.equal("all", l:take("hear", "10.0.0.1:4788", true, 0)) -- as one who forges their address
    end)

    it("remembers a bounded number of sources and addresses", function()
      local l = L.limits { unlimited = true }
      for i = 1, 20000 do l:take("hear", ("6.%d.%d.6:1"):format(i // 250, i % 250), false, i) end
      assert.equal(4096, l:sizes().hear)
    end)
  end)

  it("front ends are told of twenty strangers a second", function()
    local l = L.limits()
    assert.equal(20, passed(l, "tell", "10.0.0.1:4788", 0, 100))
    assert.equal("pass", l:take("tell", "10.0.0.1:4788", false, 50))
  end)

  it("P1.8 binds strangers only: a friend is answered in any flood", function()
    local l = L.limits()
    for i = 1, 1000 do l:take("lan", "6.6.6.6:" .. 2000 + i, false, 0) end
    assert.equal("all", l:take("lan", "10.0.0.1:4788", false, 0))
    assert.equal(100, passed(l, "lan", "10.0.0.1:4788", 0, 100, true))
    assert.equal(100, passed(l, "probe", "10.0.0.1:4788", 0, 100, true))
  end)

  it("P1.7 gpg work for strangers: one in five seconds, five at once, five a second in all", function()
    local l = L.limits()
    assert.equal(5, passed(l, "gpg", "10.0.0.1:4788", 0, 10))
    assert.equal("all", l:take("gpg", "10.0.0.2:4788", false, 0))
    assert.equal("all", l:take("gpg", "10.0.0.2:4788", true, 0)) -- gpg is not faster for friends
    assert.equal("pass", l:take("gpg", "10.0.0.2:4788", false, 200))
    assert.equal("source", l:take("gpg", "10.0.0.1:4788", false, 1000))
    assert.equal("source", l:take("gpg", "10.0.0.1:4788", false, 4999))
    assert.equal("pass", l:take("gpg", "10.0.0.1:4788", false, 5000))
    assert.equal(4, passed(l, "gpg", "10.0.0.1:4788", 1000000, 4))
    assert.equal(1, passed(l, "gpg", "10.0.0.1:4788", 1000000, 9))
  end)

  it("P1.7 a friend's check skips the cap of its source", function()
    local l = L.limits { unlimited = true }
    assert.equal(5, passed(l, "gpg", "10.0.0.1:4788", 0, 10))
    assert.equal(10, passed(l, "gpg", "10.0.0.1:4788", 0, 10, true))
  end)

  it("P1.5 LIST: one per address a minute, whatever its port", function()
    local l = L.limits()
    assert.equal("pass", l:take("list", "10.0.0.1:5000", false, 0))
    assert.equal("source", l:take("list", "10.0.0.1:5001", false, 59999))
    assert.equal("pass", l:take("list", "10.0.0.1:5002", false, 60000))
  end)

  it("says how long to wait", function()
    local l = L.limits()
    assert.equal(0, l:wait("gpg", "10.0.0.1:4788", false, 0))
    passed(l, "gpg", "10.0.0.1:4788", 0, 5)
    assert.equal(200, l:wait("gpg", "10.0.0.2:4788", false, 0))
    assert.equal(50, l:wait("gpg", "10.0.0.2:4788", true, 150))
    assert.equal(4000, l:wait("gpg", "10.0.0.1:4788", false, 1000))
    assert.equal(0, l:wait("gpg", "10.0.0.1:4788", true, 1000))
    assert.equal("pass", l:take("gpg", "10.0.0.1:4788", false, 5000))
  end)

  it("a clock that stands still, runs back or leaps gives no tokens away", function()
    local l = L.limits()
    assert.equal("pass", l:take("list", "10.0.0.1:1", false, 1000000))
    assert.equal("source", l:take("list", "10.0.0.1:1", false, 0))
    assert.equal("source", l:take("list", "10.0.0.1:1", false, 1059999))
    assert.equal("pass", l:take("list", "10.0.0.1:1", false, math.maxinteger))
    assert.equal("source", l:take("list", "10.0.0.1:1", false, math.maxinteger))
  end)

  it("remembers a bounded number of sources", function()
    local l = L.limits { unlimited = true }
    for i = 1, 100000 do
      l:take("lan", ("10.%d.%d.1:%d"):format(i // 250 % 250, i % 250, 2000 + i // 62500), false, i)
    end
    assert.equal(4096, l:sizes().lan)
    assert.equal(0, l:sizes().gpg)
  end)

  it("remembers no source that the common cap refuses", function()
    local l = L.limits()
    for i = 1, 1000 do l:take("gpg", "6.6.6.6:" .. 2000 + i, false, 0) end
    assert.equal(5, l:sizes().gpg)
  end)

  describe("half-open links", function()
    it("P2.6 three per strange address, whatever the port", function()
      local l = L.limits()
      for i = 1, 3 do assert.equal("pass", l:half_open_take("6.6.6.6:" .. 2000 + i, false)) end
      assert.equal("source", l:half_open_take("6.6.6.6:9999", false))
      assert.equal("pass", l:half_open_take("6.6.6.7:2001", false))
      l:half_open_give("6.6.6.6:1", false)
      assert.equal("pass", l:half_open_take("6.6.6.6:9999", false))
    end)

    it("P2.6 sixty-four in all, and friends have slots of their own", function()
      local l = L.limits()
      for i = 1, 64 do assert.equal("pass", l:half_open_take("6.6.6." .. i .. ":1", false)) end
      assert.equal("all", l:half_open_take("6.6.7.1:1", false))
      for _ = 1, 64 do assert.equal("pass", l:half_open_take("10.0.0.1:1", true)) end
      assert.equal("all", l:half_open_take("10.0.0.1:1", true))
      assert.equal(128, l:sizes().half_open)
      for i = 1, 64 do l:half_open_give("6.6.6." .. i .. ":2", false) end
      for _ = 1, 64 do l:half_open_give("10.0.0.1:1", true) end
      assert.equal(0, l:sizes().half_open)
      assert.equal("pass", l:half_open_take("6.6.7.1:1", false))
    end)
  end)

  it("P2.6 an address that holds links is not forgotten while others come and go", function()
    local l = L.limits()
    for _ = 1, 3 do l:half_open_take("6.6.6.6:1", false) end
    for i = 1, 500 do
      local other = ("7.7.%d.%d:1"):format(i // 250, i % 250)
      assert.equal("pass", l:half_open_take(other, false))
      l:half_open_give(other, false)
    end
    assert.equal("source", l:half_open_take("6.6.6.6:1", false))
  end)

  describe("pending requests", function()
    it("P2.6 one per fingerprint, twenty in all, friends apart", function()
      local l = L.limits()
      assert.equal("pass", l:request_take(fpr(1), false))
      assert.equal("source", l:request_take(fpr(1), false))
      assert.equal("source", l:request_take(fpr(1), true))
      for i = 2, 20 do assert.equal("pass", l:request_take(fpr(i), false)) end
      assert.equal("all", l:request_take(fpr(21), false))
      for i = 101, 164 do assert.equal("pass", l:request_take(fpr(i), true)) end
      assert.equal("all", l:request_take(fpr(165), true))
      assert.equal(84, l:sizes().requests)
    end)

    it("P2.6 a slot given back serves its own kind", function()
      local l = L.limits { requests = 1, requests_known = 1 }
      l:request_take(fpr(1), false)
      l:request_take(fpr(2), true)
      l:request_give(fpr(2))
      assert.equal("all", l:request_take(fpr(3), false))
      assert.equal("pass", l:request_take(fpr(3), true))
      l:request_give(fpr(1))
      assert.equal("pass", l:request_take(fpr(1), false))
      assert.equal(2, l:sizes().requests)
    end)
  end)
end)
