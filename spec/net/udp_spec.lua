-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "support.loop"
local net = require "support.net"
local socket = require "support.net_socket"
local case = require "support.net_case"

describe("udp", function()
  before_each(case.begin)
  after_each(case.finish)

  local function open(at, received)
    return case.keep(assert(net.udp(at or "127.0.0.1:0", received or function() end)))
  end

  it("carries datagrams both ways, with their sender", function()
    local a, b, seen
    b = open(nil, function(self, from, data)
      assert.equal(a:addr(), from)
      assert.is_true(self:send(from, data:upper()))
    end)
    a = open(nil, function(_, from, data) seen = { from, data } end)
    assert.is_true(a:send(b:addr(), "who's there\0?"))
    case.wait(function() return seen end, "the answer")
    assert.same({ b:addr(), "WHO'S THERE\0?" }, seen)
    assert.equal(13, a:counters().sent_bytes)
    assert.equal(13, b:counters().received_bytes)
    assert.equal(1, b:counters().sent)
  end)

  it("says which port it got", function()
    assert.truthy(open():addr():match("^127%.0%.0%.1:[1-9]%d+$"))
  end)

  it("delivers an empty datagram and one of 1200 bytes whole", function()
    local seen = {}
    local b = open(nil, function(_, _, data) seen[#seen + 1] = #data end)
    local a = open()
    assert.is_true(a:send(b:addr(), ""))
    assert.is_true(a:send(b:addr(), ("x"):rep(net.DATAGRAM_MAX)))
    case.wait(function() return #seen == 2 end, "both")
    assert.same({ 0, 1200 }, seen)
  end)

  it("P1.2 drops and counts what is longer than 1200 bytes, in either direction", function()
    local seen
    local b = open(nil, function(_, _, data) seen = data end)
    local raw = case.fd(socket.udp("127.0.0.1:0"))
    assert.is_false(open():send(b:addr(), ("x"):rep(1201)))
    socket.send_to(raw, b:addr(), ("x"):rep(1201))
    socket.send_to(raw, b:addr(), ("x"):rep(60000))
    socket.send_to(raw, b:addr(), "whole")
    case.wait(function() return seen end, "the one that fits")
    assert.equal("whole", seen)
    assert.equal(2, b:counters().truncated)
    assert.equal(1, b:counters().received)
  end)

  it("counts what cannot be sent, and goes on", function()
    local a = open()
    assert.is_false(a:send("[::1]:4788", "other family"))
    assert.is_false(a:send("127.0.0.1:0", "no port"))
    assert.is_false(a:send("255.255.255.255:4788", "broadcast without leave"))
    assert.equal(3, a:counters().dropped)
    assert.is_true(a:send(a:addr(), "still there"))
    case.wait(function() return a:counters().received == 1 end, "its own datagram")
  end)

  it("is not disturbed by a port where nobody listens", function()
    local gone = open()
    local nobody, a = gone:addr(), open()
    gone:free()
    for _ = 1, 3 do
      assert.is_true(a:send(nobody, "hello"))
      case.settle()
    end
    a:send(a:addr(), "me")
    case.wait(function() return a:counters().received == 1 end, "its own datagram")
  end)

  it("reads at most sixteen datagrams in a turn", function()
    local count, most, turn = 0, 0, nil
    local b = open(nil, function()
      if turn ~= loop.turns() then turn, count = loop.turns(), 0 end
      count = count + 1
      most = math.max(most, count)
    end)
    local a = open()
    for _ = 1, 100 do a:send(b:addr(), "x") end
    case.wait(function() return b:counters().received == 100 end, "all of them")
    assert.equal(16, most)
  end)

  it("counts what the kernel has dropped because nobody read it in time", function()
    local count = 0
    local b = open(nil, function() count = count + 1 end)
    local a, last = open(), 0
    for _ = 1, 2000 do a:send(b:addr(), ("x"):rep(1000)) end
    case.poll(function()
      -- the count comes with the next datagram that is let in
      if count == last then a:send(b:addr(), "x") end
      last = count
      return b:counters().overflowed > 0
    end, "word of some that were dropped")
    assert.is_true(count > 0 and count + b:counters().overflowed <= a:counters().sent)
  end)

  it("may be freed inside its callback, and is silent afterwards", function()
    local count = 0
    local b = open(nil, function(self)
      count = count + 1
      self:free()
    end)
    local a, at = open(), b:addr()
    for _ = 1, 5 do a:send(at, "x") end
    case.wait(function() return count > 0 end, "the first one")
    case.settle()
    assert.equal(1, count)
  end)

  it("is busy where the port is taken", function()
    local a = open()
    local none, name, why = net.udp(a:addr(), function() end)
    assert.is_nil(none)
    assert.equal("busy", name)
    assert.truthy(why:find(a:addr(), 1, true))
  end)

  describe("ear", function()
    local EVERYBODY, LO = "127.255.255.255", 1

    local function ear(port, received)
      return case.keep(assert(net.ear(EVERYBODY .. ":" .. port, LO, received)))
    end

    -- a port that nobody has
    local function free_port()
      local a = open("0.0.0.0:0")
      local port = a:addr():match ":(%d+)$"
      a:free()
      return port
    end

    it("P1.3 hears what goes to everybody, however many ears there are, and beside a socket at that port", function()
      local port, heard = free_port(), {}
      local pair = {}
      pair.tcp, pair.udp = assert(net.bind_pair("[::]:" .. port, 0))
      case.fd(pair.tcp)
      local own = {}
      local main = open(pair.udp, function(_, _, data, to_all) own[#own + 1] = { data, to_all } end)
      for i = 1, 5 do ear(port, function(_, from, data, to_all, interface) heard[i] = { from, data, to_all, interface } end) end
      local a = open("127.0.0.1:0")
      assert.is_true(a:send_to_all(EVERYBODY .. ":" .. port, LO, "who's there?", "127.0.0.1:0"))
      case.wait(function() return #heard == 5 and #own == 1 end, "all five, and the socket")
      for i = 1, 5 do assert.same({ a:addr(), "who's there?", true, LO }, heard[i]) end
      assert.same({ "who's there?", true }, own[1])
      -- and what is for one of them comes to that one alone
      heard = {}
      assert.is_true(a:send("127.0.0.1:" .. port, "only you"))
      case.wait(function() return #own == 2 end, "the datagram")
      case.settle()
      assert.same({ { "only you", false }, {} }, { own[2], heard })
      assert.is_true(main:send(a:addr(), "yes"))
    end)

    it("is sent to from a socket of both families as well", function()
      local port, heard = free_port(), nil
      ear(port, function(_, from) heard = from end)
      local a = open("[::]:0")
      assert.is_true(a:send_to_all(EVERYBODY .. ":" .. port, LO, "x", "127.0.0.1:0"))
      case.wait(function() return heard end, "it")
      assert.equal("127.0.0.1:" .. a:addr():match ":(%d+)$", heard)
    end)

    it("does not give its socket leave to broadcast for good", function()
      local a = open("127.0.0.1:0")
      assert.is_true(a:send_to_all(EVERYBODY .. ":9", LO, "x"))
      assert.is_false(a:send(EVERYBODY .. ":9", "x"))
    end)

    it("is busy where somebody does not share the port", function()
      local port = open("0.0.0.0:0"):addr():match ":(%d+)$"
      local none, name = net.ear(EVERYBODY .. ":" .. port, LO, function() end)
      assert.same({ nil, "busy" }, { none, name })
    end)

    it("cannot be where there is no such interface or address", function()
      assert.is_nil(net.ear("[ff12::1]:9", 4000000, function() end))
      assert.is_nil(net.ear("203.0.113.255:9", LO, function() end))
      local a = open("127.0.0.1:0")
      assert.is_false(a:send_to_all("[ff12::1]:9", LO, "another family"))
      assert.is_false(a:send_to_all(EVERYBODY .. ":9", LO, ("x"):rep(1201)))
      assert.equal(2, a:counters().dropped)
    end)
  end)

  it("serves both families on [::]", function()
    local from = {}
    local b = open("[::]:0", function(self, sender, data)
      from[data] = sender
      self:send(sender, data)
    end)
    local port, answers = b:addr():match(":(%d+)$"), {}
    local function answered(_, sender, data) answers[data] = sender end
    local four, six = open("127.0.0.1:0", answered), open("[::1]:0", answered)
    four:send("127.0.0.1:" .. port, "four")
    six:send("[::1]:" .. port, "six")
    case.wait(function() return answers.four and answers.six end, "both answers")
    assert.same({ four = four:addr(), six = six:addr() }, from)
    assert.same({ four = "127.0.0.1:" .. port, six = "[::1]:" .. port }, answers)
  end)
end)
