-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "support.loop"
local net = require "support.net"
local socket = require "support.net_socket"
local case = require "support.net_case"

describe("listener", function()
  before_each(case.begin)
  after_each(case.finish)

  local function listen(at, accepted)
    return case.keep(assert(net.listen(at or "127.0.0.1:0", accepted or function(_, fd) case.fd(fd) end)))
  end
  local function dial(at) return case.fd(socket.connect(at)) end

  it("hands out non-blocking, close-on-exec descriptors and where they came from", function()
    local fd, from
    local l = listen(nil, function(_, f, a) fd, from = case.fd(f), a end)
    local c = dial(l:addr())
    case.wait(function() return fd end, "the connection")
    assert.same({ true, true }, { socket.flags(fd) })
    assert.truthy(from:match("^127%.0%.0%.1:%d+$"))
    case.write(c, "hello")
    assert.equal("hello", case.read(fd, function(all) return #all == 5 end))
    assert.equal(1, l:counters().accepted)
  end)

  it("is busy where the port is taken, and names it", function()
    local l = listen()
    local none, name, why = net.listen(l:addr(), function() end)
    assert.is_nil(none)
    assert.equal("busy", name)
    assert.truthy(why:find(l:addr(), 1, true))
  end)

  it("takes its port again at once after a restart, though a connection lingers there", function()
    local fd
    local l = listen(nil, function(_, f) fd = case.fd(f) end)
    local at = l:addr()
    local c = dial(at)
    case.wait(function() return fd end, "the connection")
    case.close(fd) -- this side closes first: TIME_WAIT is here
    case.close(c)
    l:free()
    listen(at)
  end)

  it("accepts at most 16 in a turn", function()
    local turn, count, most, total = nil, 0, 0, 0
    local l = listen(nil, function(_, fd)
      case.fd(fd)
      if turn ~= loop.turns() then turn, count = loop.turns(), 0 end
      count, total = count + 1, total + 1
      most = math.max(most, count)
    end)
    for _ = 1, 40 do dial(l:addr()) end
    case.wait(function() return total == 40 end, "all of them")
    assert.equal(16, most)
  end)

  it("survives EMFILE without spinning, and serves those who waited", function()
    local fds = {}
    local l = listen(nil, function(_, fd) fds[#fds + 1] = case.fd(fd) end)
    dial(l:addr())
    dial(l:addr())
    assert(socket.starve())
    local begun, from = loop.turns(), loop.now()
    case.wait(function() return l:counters().rested >= 2 end, "two rests")
    assert.is_true(loop.turns() - begun < 30, "turns: " .. loop.turns() - begun)
    assert.is_true(loop.now() - from >= 199) -- one whole rest lies between them
    assert.equal(0, #fds)
    assert(socket.feed())
    case.wait(function() return #fds == 2 end, "both connections")
  end)

  it("accepts a connection that was reset meanwhile, or counts it, and goes on", function()
    local count = 0
    local l = listen(nil, function(_, fd)
      case.fd(fd)
      count = count + 1
    end)
    local c = dial(l:addr())
    socket.reset(case.give(c))
    dial(l:addr())
    case.wait(function() return count + l:counters().failed == 2 end, "both")
  end)

  it("may be freed inside its callback", function()
    local count = 0
    local l = listen(nil, function(self, fd)
      case.fd(fd)
      count = count + 1
      self:free()
    end)
    local at = l:addr()
    for _ = 1, 3 do dial(at) end
    case.wait(function() return count > 0 end, "one connection")
    case.settle()
    assert.equal(1, count)
  end)

  it("may be freed while it rests", function()
    local l = listen()
    dial(l:addr())
    assert(socket.starve())
    case.wait(function() return l:counters().rested >= 1 end, "a rest")
    l:free()
    assert(socket.feed())
    local over = false
    case.keep(loop.after(250, function() over = true end)) -- longer than a rest
    case.wait(function() return over end, "the end")
  end)

  it("serves both families on [::]", function()
    local from = {}
    local l = listen("[::]:0", function(_, fd, a)
      case.fd(fd)
      from[#from + 1] = net.class(a) .. (a:find("[", 1, true) and " six" or " four")
    end)
    local port = l:addr():match(":(%d+)$")
    dial("127.0.0.1:" .. port)
    dial("[::1]:" .. port)
    case.wait(function() return #from == 2 end, "both")
    table.sort(from)
    assert.same({ "loopback four", "loopback six" }, from)
  end)
end)

describe("bind_pair", function()
  before_each(case.begin)
  after_each(case.finish)

  local function pair(at, preferred)
    local tcp, udp, where = net.bind_pair(at, preferred)
    if tcp then
      case.fd(tcp)
      case.fd(udp)
    end
    return tcp, udp, where
  end
  local function port_of(text) return tonumber(text:match(":(%d+)$")) end

  it("gives one number for TCP and UDP that both work", function()
    local tcp, udp, at = pair("127.0.0.1:0")
    local seen, fd
    local u = case.keep(net.udp(case.give(udp), function(_, _, data) seen = data end))
    local l = case.keep(net.listen(case.give(tcp), function(_, f) fd = case.fd(f) end))
    assert.equal(at, u:addr())
    assert.equal(at, l:addr())
    case.fd(socket.connect(at))
    u:send(at, "hello")
    case.wait(function() return seen and fd end, "a datagram and a connection")
  end)

  it("takes the remembered number again", function()
    local tcp, udp, at = pair("127.0.0.1:0")
    case.close(tcp)
    case.close(udp)
    local _, _, again = pair("127.0.0.1:0", port_of(at))
    assert.equal(at, again)
  end)

  it("takes another number where the remembered one is taken for either", function()
    local _, where = case.fd(socket.listen("127.0.0.1:0", 1))
    local tcp, _, at = pair("127.0.0.1:0", port_of(where))
    assert.truthy(tcp)
    assert.not_equal(where, at)
    local _, other = case.fd(socket.udp("127.0.0.1:0"))
    tcp, _, at = pair("127.0.0.1:0", port_of(other))
    assert.truthy(tcp)
    assert.not_equal(other, at)
  end)

  it("insists on a number that was asked for", function()
    local _, where = case.fd(socket.listen("127.0.0.1:0", 1))
    assert.same({ nil, "busy" }, { (function(a, b) return a, b end)(pair(where)) })
    local _, other = case.fd(socket.udp("127.0.0.1:0"))
    local none, name, why = pair(other, 1)
    assert.is_nil(none)
    assert.equal("busy", name)
    assert.truthy(why:find(other, 1, true))
  end)

  it("says what is wrong with an address that is not of this machine", function()
    local none, name, why = pair("192.0.2.1:0")
    assert.is_nil(none)
    assert.equal("io", name)
    assert.truthy(why:find("192.0.2.1:0", 1, true))
  end)
end)
