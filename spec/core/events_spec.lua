-- SPDX-License-Identifier: GPL-3.0-or-later
local events = require "sotto.core.events"
local json = require "sotto.json"

-- a client with room for so many lines
local function client(room)
  return {
    room = room or math.huge,
    lines = {},
    send = function(self, line)
      if #self.lines >= self.room then return nil, "full", "busy" end
      self.lines[#self.lines + 1] = line
      return true
    end,
    queued = function() return 0 end,
    -- what has come, decoded; the queue is empty then
    take = function(self)
      local out = {}
      for i, line in ipairs(self.lines) do
        local message = assert(json.decode(line))
        assert(message.jsonrpc == "2.0" and message.method == "event" and message.id == nil)
        out[i] = message.params
      end
      self.lines = {}
      return out
    end,
  }
end

describe("events", function()
  local turn, e, made

  local function end_turn()
    local calls = turn
    turn = {}
    for _, f in ipairs(calls) do f() end
  end

  before_each(function()
    turn, made = {}, 0
    e = events.new {
      defer = function(f) turn[#turn + 1] = f end, now = function() return 1700000000000 end, queue_mark = 1000,
      make_line = function(text)
        made = made + 1
        return text
      end,
    }
  end)

  local function received(text) e:publish("message.received", "message", ('{"text":"%s"}'):format(text)) end

  it("number from 1, with type, time and the object under its noun", function()
    local c = client()
    assert.are.same({ seq = 0 }, e:subscribe(c, {}))
    e:publish("peer.seen", "peer", '{"name":"bob"}')
    received("hi")
    assert.are.equal(0, #c.lines)
    end_turn()
    assert.are.same({
      { seq = 1, type = "peer.seen", time = 1700000000000, peer = { name = "bob" } },
      { seq = 2, type = "message.received", time = 1700000000000, message = { text = "hi" } },
    }, c:take())
  end)

  it("make one line for all subscribers", function()
    local a, b = client(), client()
    e:subscribe(a, {})
    e:subscribe(b, { types = { "message.*" } })
    received("hi")
    end_turn()
    assert.are.equal(1, made)
    assert.are.equal(a.lines[1], b.lines[1])
  end)

  it("come by exact type and by noun", function()
    local exact, noun = client(), client()
    e:subscribe(exact, { types = { "message.sent", "peer.lost" } })
    e:subscribe(noun, { types = { "message.*" } })
    for _, type in ipairs { "message.received", "message.sent", "peer.seen", "peer.lost" } do
      e:publish(type, type:match("^[^.]+"), "{}")
    end
    end_turn()
    local function types(c)
      local out = {}
      for i, event in ipairs(c:take()) do out[i] = event.type end
      return out
    end
    assert.are.same({ "message.sent", "peer.lost" }, types(exact))
    assert.are.same({ "message.received", "message.sent" }, types(noun))
  end)

  it("refuse filters that are none", function()
    for _, bad in ipairs { "message", "*", "*.*", "message.", ".received", "message.rec*", "Message.x", "a.b.c", "" } do
      local result, message, name = e:subscribe(client(), { types = { bad } })
      assert.is_nil(result)
      assert.are.equal("bad_params", name)
      assert.is_string(message)
    end
  end)

  it("begin after the seq that is asked for", function()
    for i = 1, 5 do received("m" .. i) end
    local all, some, none, later = client(), client(), client(), client()
    e:subscribe(all, { after = 0 })
    e:subscribe(some, { after = 3 })
    e:subscribe(none, { after = 5 })
    e:subscribe(later, { after = 1000 })
    end_turn()
    assert.are.equal(5, #all:take())
    assert.are.equal(4, some:take()[1].seq)
    assert.are.equal(0, #none:take())
    received("m6")
    end_turn()
    assert.are.equal(6, none:take()[1].seq)
    assert.are.equal(6, later:take()[1].seq)
  end)

  it("stop at unsubscribe", function()
    local c = client()
    e:subscribe(c, {})
    received("one")
    e:unsubscribe(c)
    end_turn()
    received("two")
    end_turn()
    assert.are.equal(0, #c.lines)
    assert.are.equal(0, #turn)
  end)

  it("wait for a queue that is full, and miss nothing while the ring holds them", function()
    local c = client(3)
    e:subscribe(c, {})
    for i = 1, 10 do received("m" .. i) end
    end_turn()
    local seen = c:take()
    assert.are.equal(3, #seen)
    received("m11")
    end_turn()
    for _, event in ipairs(c:take()) do seen[#seen + 1] = event end
    while #seen < 11 do
      e:drained(c)
      for _, event in ipairs(c:take()) do seen[#seen + 1] = event end
    end
    for i, event in ipairs(seen) do assert.are.equal(i, event.seq) end
  end)

  it("hold nothing for a client whose queue is over the mark", function()
    local c = client()
    c.queued = function() return 1001 end
    e:subscribe(c, {})
    received("one")
    end_turn()
    assert.are.equal(0, #c.lines)
    c.queued = function() return 1000 end
    e:drained(c)
    assert.are.equal(1, #c.lines)
  end)

  it("tell a slow subscriber how many it lost, and go on right after", function()
    local c = client(2)
    e:subscribe(c, {})
    for i = 1, 5000 do received("m" .. i) end
    end_turn()
    local first = c:take()
    assert.are.equal("events.lagged", first[1].type)
    -- nothing was sent before the ring had turned over: 5000 - 4096 are gone
    assert.are.same({ dropped = 904, resume_after = 904 }, first[1].events)
    assert.are.equal(904, first[1].dropped)
    assert.are.equal(904, first[1].resume_after)
    assert.are.equal(905, first[2].seq)
    e:drained(c)
    assert.are.equal(906, c:take()[1].seq)
    -- it has 907 too, and 6000 more events leave the ring with 6905 to 11000
    for i = 1, 6000 do received("n" .. i) end
    e:drained(c)
    local second = c:take()
    assert.are.same({ dropped = 5997, resume_after = 6904 }, second[1].events)
    assert.are.equal(6905, second[2].seq)
  end)

  it("tell the same to whoever asks for what has left the ring", function()
    for i = 1, 4097 do received("m" .. i) end
    local exact, older = client(), client()
    e:subscribe(exact, { after = 1 })
    e:subscribe(older, { after = 0 })
    end_turn()
    assert.are.equal(2, exact:take()[1].seq)
    local got = older:take()
    assert.are.same({ dropped = 1, resume_after = 1 }, got[1].events)
    assert.are.equal(4097, #got)
  end)

  it("are bounded in bytes too", function()
    local text = ("x"):rep(64 << 10)
    for _ = 1, 1000 do received(text) end
    assert.is_true(e.bytes <= events.RING_BYTES)
    assert.is_true(e.oldest > 1)
    local count, sum = 0, 0
    for _, entry in pairs(e.ring) do
      count = count + 1
      sum = sum + #entry.text
    end
    assert.are.equal(e.seq - e.oldest + 1, count)
    assert.are.equal(e.bytes, sum)
  end)

  describe("in batches", function()
    it("bring the messages of a turn as one event", function()
      local c = client()
      e:subscribe(c, { batch = true })
      received("a")
      received("b")
      e:publish("peer.seen", "peer", "{}")
      received("c")
      end_turn()
      local got = c:take()
      assert.are.equal(3, #got)
      assert.are.same({ { text = "a" }, { text = "b" } }, got[1].messages)
      assert.are.equal(2, got[1].seq)
      assert.are.equal("message.received", got[1].type)
      assert.are.equal("peer.seen", got[2].type)
      assert.are.same({ { text = "c" } }, got[3].messages)
    end)

    it("pass over what the subscriber does not want, and part different types", function()
      local c = client()
      e:subscribe(c, { batch = true, types = { "message.*" } })
      received("a")
      e:publish("peer.seen", "peer", "{}")
      received("b")
      e:publish("message.sent", "message", '{"id":1}')
      received("c")
      end_turn()
      local got = c:take()
      assert.are.equal(3, #got)
      assert.are.equal(2, #got[1].messages)
      assert.are.equal("message.sent", got[2].type)
      assert.are.same({ { id = 1 } }, got[2].messages)
      assert.are.equal(5, got[3].seq)
    end)

    it("make the line once for several subscribers", function()
      local a, b = client(), client()
      e:subscribe(a, { batch = true })
      e:subscribe(b, { batch = true })
      for i = 1, 10 do received("m" .. i) end
      end_turn()
      assert.are.equal(1, made)
      assert.are.equal(a.lines[1], b.lines[1])
    end)

    it("are bounded in number and bytes", function()
      local c = client()
      e:subscribe(c, { batch = true })
      for i = 1, 2001 do received("m" .. i) end
      end_turn()
      local got = c:take()
      assert.are.equal(3, #got)
      assert.are.equal(1000, #got[1].messages)
      assert.are.equal(1, #got[3].messages)
      for _ = 1, 20 do received(("x"):rep(64 << 10)) end
      end_turn()
      for _, line in ipairs(c.lines) do assert.is_true(#line < 1 << 20) end
      local sum = 0
      for _, event in ipairs(c:take()) do sum = sum + #event.messages end
      assert.are.equal(20, sum)
    end)

    it("are not taken twice when the queue is full", function()
      local c = client(1)
      e:subscribe(c, { batch = true })
      received("a")
      e:publish("peer.seen", "peer", "{}")
      received("b")
      end_turn()
      local seen = c:take()
      for _ = 1, 3 do
        e:drained(c)
        for _, event in ipairs(c:take()) do seen[#seen + 1] = event end
      end
      assert.are.equal(3, #seen)
      assert.are.same({ { text = "b" } }, seen[3].messages)
    end)
  end)
end)
