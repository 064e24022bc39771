-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "support.loop"
local net = require "support.net"
local socket = require "support.net_socket"
local streams = require "support.net_stream"
local case = require "support.net_case"

describe("stream", function()
  before_each(case.begin)
  after_each(case.finish)

  -- A stream on a descriptor or to an address that notes what happens to it.
  local function open(where, options)
    local seen = { data = "", ended = 0, drained = 0, connected = 0 }
    local callbacks = {
      input = function(s) seen.data = seen.data .. s:take() end,
      ended = function(_, why, name, text)
        seen.ended, seen.why, seen.name, seen.text = seen.ended + 1, why, name, text
      end,
      drained = function() seen.drained = seen.drained + 1 end,
      connected = function() seen.connected = seen.connected + 1 end,
    }
    for k, v in pairs(options or {}) do callbacks[k] = v end
    if math.type(where) == "integer" then where = case.give(where) end
    local s = case.keep(assert(streams.stream(where, callbacks)))
    return s, seen
  end
  local function ended(seen)
    case.wait(function() return seen.ended > 0 end, "the end")
    case.settle()
    assert.equal(1, seen.ended)
    return seen.why
  end
  local function tcp_listener()
    local fd, where = socket.listen("127.0.0.1:0", 8)
    return case.fd(fd), where
  end
  local accept = case.accept

  describe("connecting", function()
    it("tells once that it is connected, and sends what waited", function()
      local listener, where = tcp_listener()
      local s, seen = open(where)
      assert.is_true(s:send("early"))
      local fd = accept(listener)
      assert.equal("early", case.read(fd, function(all) return #all == 5 end))
      assert.equal(1, seen.connected)
      assert.equal(where, s:state().remote)
      assert.truthy(s:state()["local"]:match("^127%.0%.0%.1:%d+$"))
    end)

    it("sets NODELAY, KEEPALIVE 30/10/3 and a USER_TIMEOUT of 60 s, on either side", function()
      local expected = { nodelay = 1, keepalive = 1, idle = 30, interval = 10, probes = 3, user_timeout = 60000 }
      local listener, where = tcp_listener()
      local dialled, seen = open(where)
      case.wait(function() return seen.connected == 1 end, "the connection")
      assert.same(expected, socket.options(socket.find(dialled:state()["local"])))
      local fd = accept(listener)
      assert.equal(0, socket.options(fd).nodelay)
      open(fd)
      assert.same(expected, socket.options(fd))
    end)

    it("ends as refused where nobody listens", function()
      local fd, where = socket.listen("127.0.0.1:0", 1)
      socket.close(fd)
      local s, seen = open(where)
      assert.equal("refused", ended(seen))
      assert.equal(0, seen.connected)
      assert.equal("io", seen.name)
      assert.truthy(seen.text:find(where, 1, true))
      assert.same({ nil, "wrong_state", "" }, { s:send("x") })
    end)

    it("ends as unreachable where the system says no, not inside the call", function()
      local _, seen = open("255.255.255.255:4788")
      assert.equal(0, seen.ended)
      assert.equal("unreachable", ended(seen))
    end)

    it("ends as timeout where nobody answers", function()
      -- a full backlog makes no answer at all
      local _, where = case.fd(socket.listen("127.0.0.1:0", 0))
      local full = {}
      for _ = 1, 4 do full[#full + 1] = case.fd(socket.connect(where)) end
      local begun = loop.now()
      local _, seen = open(where, { timeout = 150 })
      assert.equal("timeout", ended(seen))
      assert.equal("timeout", seen.name)
      assert.is_true(loop.now() - begun >= 149)
      assert.equal(0, seen.connected)
    end)

    it("is not timed out any more once it is connected", function()
      local listener, where = tcp_listener()
      local _, seen = open(where, { timeout = 250 })
      accept(listener)
      case.wait(function() return seen.connected == 1 end, "the connection")
      local over = false
      case.keep(loop.after(500, function() over = true end))
      case.wait(function() return over end, "twice the time-out")
      assert.equal(0, seen.ended)
    end)

    it("may be freed before anything comes of it", function()
      local _, where = tcp_listener()
      local s, seen = open(where)
      s:send("x")
      s:free()
      local t, seen_t = open("255.255.255.255:4788")
      t:free()
      case.settle()
      assert.equal(0, seen.connected + seen.ended + seen_t.ended)
    end)

    it("may be freed inside the connected callback", function()
      local listener, where = tcp_listener()
      local called
      local s = open(where, { connected = function(s)
        called = true
        s:free()
      end })
      s:send("never")
      case.wait(function() return called end, "the connection")
      assert.equal("", (case.read(accept(listener))))
    end)
  end)

  describe("reading", function()
    it("hands over everything, then the end, once", function()
      local a, b = case.pair()
      local _, seen = open(a)
      local text = ("0123456789"):rep(30000)
      case.write(b, text)
      case.close(b)
      assert.equal("eof", ended(seen))
      assert.equal(#text, #seen.data)
      assert.equal(text, seen.data)
    end)

    it("buffers at most its cap, and reads on when the owner has consumed", function()
      local a, b = case.pair()
      local size = 0
      local s, seen = open(a, { input_max = 1000, input = function() size = size + 1 end })
      local text = ("abcdefghij"):rep(500)
      case.write(b, text)
      case.settle(10)
      assert.equal(1000, s:buffered())
      assert.equal(text:sub(1, 10), s:take(10))
      case.settle(10)
      assert.equal(1000, s:buffered())
      s:set_input_max(5000)
      case.settle(10)
      assert.equal(4990, s:buffered())
      assert.equal(text:sub(11), s:take())
      assert.equal(5000, s:state().bytes_in)
      assert.equal(0, seen.ended)
    end)

    it("wipes what is consumed without losing a byte", function()
      local a, b = case.pair()
      local all = {}
      local _, seen = open(a, { wipe_input = true, input = function(s)
        while s:buffered() >= 7 do all[#all + 1] = s:take(7) end
      end })
      local text = ("0123456"):rep(20000)
      case.write(b, text)
      case.close(b)
      ended(seen)
      assert.equal(text, table.concat(all))
    end)

    it("reads nothing while paused, and everything after", function()
      local a, b = case.pair()
      local s, seen = open(a)
      s:pause()
      case.write(b, "one")
      case.close(b)
      case.settle(10)
      assert.equal("", seen.data)
      assert.equal(0, seen.ended)
      s:resume()
      assert.equal("eof", ended(seen))
      assert.equal("one", seen.data)
    end)

    it("calls again at resume for what was left, not inside resume", function()
      local a, b = case.pair()
      local got = {}
      local s = open(a, { input = function(s)
        got[#got + 1] = s:take(3)
        s:pause()
      end })
      case.write(b, "onetwosix")
      case.wait(function() return #got == 1 end, "the first part")
      case.settle()
      assert.same({ "one" }, got)
      s:resume()
      assert.same({ "one" }, got)
      case.wait(function() return #got == 2 end, "the second part")
      s:resume()
      case.wait(function() return #got == 3 end, "the third part")
      s:resume() -- nothing left: no call
      case.settle()
      assert.same({ "one", "two", "six" }, got)
    end)

    it("ends as lost on a reset, after what had come before it", function()
      local listener, where = tcp_listener()
      local _, seen = open(where)
      local fd = accept(listener)
      case.wait(function() return seen.connected == 1 end, "the connection")
      case.write(fd, "last words")
      case.wait(function() return seen.data == "last words" end, "the words")
      socket.reset(case.give(fd))
      assert.equal("lost", ended(seen))
    end)

    it("reads at most 64 KiB in a turn", function()
      local a, b = case.pair()
      local sizes, turns = {}, {}
      open(a, { input_max = 1 << 20, input = function(s)
        sizes[#sizes + 1] = s:buffered()
        turns[loop.turns()] = (turns[loop.turns()] or 0) + 1
        s:take()
      end })
      case.write(b, ("x"):rep(1 << 20))
      case.settle(10)
      for _, size in ipairs(sizes) do assert.is_true(size <= 65536) end
      for _, n in pairs(turns) do assert.equal(1, n) end
    end)
  end)

  describe("writing", function()
    it("sends in order, parts together, in one go at the end of the turn", function()
      local a, b = case.pair()
      local s = open(a)
      s:send("one ")
      s:send("two ", "three ")
      s:send("four")
      assert.equal(18, s:state().queued)
      assert.is_nil((socket.read(b)))
      loop.turn()
      assert.equal("one two three four", socket.read(b))
      assert.equal(0, s:state().queued)
      assert.equal(18, s:state().bytes_out)
    end)

    it("carries megabytes through small buffers, unharmed", function()
      local a, b = case.pair()
      socket.buffers(a, 4096)
      socket.buffers(b, 4096)
      local s, seen = open(a, { queue_max = 8 << 20 })
      local parts = {}
      for i = 1, 3000 do
        parts[i] = ("%d,"):format(i):rep(i % 300)
        assert.is_true(s:send(parts[i]))
      end
      local text = table.concat(parts)
      assert.equal(text, case.read(b, function(all) return #all == #text end))
      assert.equal(0, seen.ended)
    end)

    it("P1.8 a slow reader fills the queue: busy, never more than the cap, then drained once", function()
      local a, b = case.pair()
      socket.buffers(a, 4096)
      local queued_then
      local s, seen
      s, seen = open(a, { queue_max = 100000, drained = function(it)
        seen.drained = seen.drained + 1
        queued_then = it:state().queued
      end })
      local block, sent = ("x"):rep(10000), 0
      for _ = 1, 1000 do
        if not s:send(block) then break end
        sent = sent + 1
        loop.turn()
        assert.is_true(s:state().queued <= 100000)
      end
      assert.is_true(sent < 1000)
      assert.same({ nil, "busy", "" }, { s:send(block) })
      assert.is_true(s:state().refused >= 2)
      assert.equal(100000, s:state().queued + s:state().room)
      assert.is_true(s:send(("x"):rep(s:state().room))) -- to the last byte
      assert.same({ nil, "busy", "" }, { s:send("x") })
      case.settle(10)
      assert.equal(0, seen.drained)
      local more = sent * 10000
      local got = 0
      case.poll(function()
        got = got + #(socket.read(b) or "")
        return seen.drained > 0 and got >= more
      end, "the rest")
      assert.equal(1, seen.drained)
      assert.is_true(queued_then <= 50000)
      assert.is_true(s:send(block))
    end)

    it("says too_large for what could never fit", function()
      local a = case.pair()
      local s = open(a, { queue_max = 1000 })
      assert.same({ nil, "too_large", "" }, { s:send(("x"):rep(1001)) })
      assert.is_true(s:send(("x"):rep(1000)))
    end)

    it("survives a reader that is gone: no signal, one end, and what it had said is read first", function()
      local a, b = case.pair()
      local s, seen = open(a)
      case.write(b, "farewell")
      case.close(b)
      s:send("too late")
      assert.is_truthy(ended(seen))
      assert.equal("farewell", seen.data)
      assert.same({ nil, "wrong_state", "" }, { s:send("x") })
    end)

    it("keeps TCP's last words although writing failed already", function()
      local listener, where = tcp_listener()
      local s, seen = open(where)
      local fd = accept(listener)
      case.wait(function() return seen.connected == 1 end, "the connection")
      case.write(fd, "refused, sorry")
      case.close(fd)
      for _ = 1, 5 do
        s:send("more")
        loop.turn()
      end
      ended(seen)
      assert.equal("refused, sorry", seen.data)
    end)
  end)

  describe("half-closing", function()
    it("finish sends what is queued, then the end; input still comes", function()
      local a, b = case.pair()
      socket.buffers(a, 4096)
      local s, seen = open(a)
      local text = ("x"):rep(300000)
      s:send(text)
      s:finish()
      assert.same({ nil, "wrong_state", "" }, { s:send("x") })
      local all, over = case.read(b)
      assert.equal(#text, #all)
      assert.is_true(over)
      case.write(b, "answer")
      case.wait(function() return seen.data == "answer" end, "the answer")
      assert.equal(0, seen.ended)
      case.close(b)
      assert.equal("finished", ended(seen))
    end)

    it("with input_ended it still sends, and ends at finish", function()
      local a, b = case.pair()
      local over = 0
      local s, seen = open(a, { input_ended = function() over = over + 1 end })
      case.write(b, "question")
      socket.finish(b)
      case.wait(function() return over == 1 end, "the end of input")
      assert.equal("question", seen.data)
      s:send("answer")
      s:finish()
      assert.equal("answer", case.read(b))
      assert.equal("finished", ended(seen))
      assert.equal(1, over)
    end)

    it("with input_ended it notices within seconds that the other side is gone altogether", function()
      local a, b = case.pair()
      local over = 0
      local _, seen = open(a, { input_ended = function() over = over + 1 end })
      socket.finish(b)
      case.wait(function() return over == 1 end, "the end of input")
      case.close(b)
      assert.equal("eof", ended(seen))
    end)

    it("with input_ended it ends at once where the other side is gone already", function()
      local a, b = case.pair()
      local over = 0
      local _, seen = open(a, { input_ended = function() over = over + 1 end })
      case.close(b)
      assert.equal("eof", ended(seen))
      assert.equal(0, over)
    end)

    it("finish while connecting waits for the connection", function()
      local listener, where = tcp_listener()
      local s, seen = open(where)
      s:send("all of it")
      s:finish()
      local fd = accept(listener)
      assert.equal("all of it", (case.read(fd)))
      case.close(fd)
      assert.equal("finished", ended(seen))
    end)
  end)

  describe("its owner", function()
    it("may free it inside input, with bytes left", function()
      local a, b = case.pair()
      local count = 0
      open(a, { input = function(s)
        count = count + 1
        s:take(1)
        s:free()
      end })
      case.write(b, "xyz")
      case.wait(function() return count > 0 end, "input")
      case.settle()
      assert.equal(1, count)
      assert.equal("", (case.read(b)))
    end)

    it("may free it inside input_ended, drained and ended", function()
      local a, b = case.pair()
      local called = 0
      open(a, { input_ended = function(s)
        called = called + 1
        s:free()
      end })
      socket.finish(b)
      local c, d = case.pair()
      open(c, { ended = function(s)
        called = called + 1
        s:free()
      end })
      case.close(d)
      local e, f = case.pair()
      socket.buffers(e, 4096)
      local s = open(e, { queue_max = 400000, drained = function(s)
        called = called + 1
        s:free()
      end })
      s:send(("x"):rep(400000))
      case.poll(function()
        socket.read(f)
        return called == 3
      end, "all three")
      case.settle()
      assert.equal(3, called)
    end)

    it("may free one stream inside the callback of another", function()
      local a, b = case.pair()
      local c, d = case.pair()
      local other = open(c)
      local called = false
      open(a, { input = function(s)
        s:take()
        other:free()
        called = true
      end })
      case.write(b, "x")
      case.write(d, "y")
      case.wait(function() return called end, "input")
      case.settle()
    end)

    it("may pause, finish and send inside input", function()
      local a, b = case.pair()
      local _, seen = open(a, { input = function(s)
        s:send(s:take():upper())
        s:finish()
      end })
      case.write(b, "hello")
      assert.equal("HELLO", (case.read(b)))
      case.close(b)
      assert.equal("finished", ended(seen))
    end)

    it("loses nothing to a TCP listener that hands connections out", function()
      local got = {}
      local l = case.keep(net.listen("127.0.0.1:0", function(_, fd)
        local _, seen = open(case.fd(fd))
        got[#got + 1] = seen
      end))
      for i = 1, 20 do
        local s = open(l:addr())
        s:send(("%d"):format(i):rep(1000))
        s:finish()
      end
      case.wait(function()
        local over = 0
        for _, seen in ipairs(got) do over = over + seen.ended end
        return over == 20
      end, "all the ends")
      local total = 0
      for _, seen in ipairs(got) do total = total + #seen.data end
      assert.equal(9 * 1000 + 11 * 2000, total)
    end)
  end)
end)
