-- SPDX-License-Identifier: GPL-3.0-or-later
-- Back-pressure, random traffic, and owners who free a link wherever they are.
local socket = require "support.net_socket"
local ciphers = require "support.net_cipher"
local streams = require "support.net_stream"
local case = require "support.net_case"
local links = require "support.link_case"

local RECORD, CERTIFICATE, CIPHER, SEALED = 1, 2, 6, 7
local MEMBER = streams.MEMBER
local KEY_A, KEY_B = links.KEY_A, links.KEY_B
local frame, inner = links.frame, links.inner
local open, ended, frames, half, with_keys = links.open, links.ended, links.frames, links.half, links.with_keys

describe("link", function()
  before_each(case.begin)
  after_each(case.finish)

  describe("back-pressure", function()
    it("while paused frames wait; they come in order, one call each, after resume", function()
      local got = {}
      local l, _, b = half({ frame = function(l, _, payload)
        got[#got + 1] = payload
        l:pause()
      end })
      case.write(b, frame(RECORD, "1") .. frame(RECORD, "2") .. frame(RECORD, "3"))
      for i = 1, 3 do
        case.wait(function() return #got == i end, "frame " .. i)
        case.settle()
        assert.equal(i, #got)
        l:resume()
        assert.equal(i, #got)
      end
      assert.same({ "1", "2", "3" }, got)
    end)

    it("a frame that was cut by a pause is put together", function()
      local got = {}
      local l, _, b = half({ frame = function(l, _, payload)
        got[#got + 1] = payload
        l:pause()
      end })
      local second = frame(RECORD, "second")
      case.write(b, frame(RECORD, "first") .. second:sub(1, 3))
      case.wait(function() return #got == 1 end, "the first")
      l:resume()
      case.settle()
      case.write(b, second:sub(4))
      case.wait(function() return #got == 2 end, "the second")
      assert.same({ "first", "second" }, got)
    end)

    it("P1.8 a slow reader fills the queue: busy at the cap, and drained when half is out", function()
      local a, b = case.pair()
      socket.buffers(a, 4096)
      local l, seen = open(a)
      l:authenticate()
      local sent, payload = 0, ("x"):rep(100000)
      while l:send(SEALED, payload) do
        sent = sent + 1
        assert.is_true(l:state().queued <= streams.QUEUE)
      end
      assert.same({ nil, "busy", "" }, { l:send(SEALED, payload) })
      assert.equal(2, l:state().refused)
      assert.is_true(sent >= streams.QUEUE // 100005)
      assert.equal(streams.QUEUE, l:state().queued + l:state().room)
      case.settle()
      assert.equal(0, seen.drained)
      local got = 0
      case.poll(function()
        local data = socket.read(b, 200000)
        got = got + #(data or "")
        return seen.drained == 1
      end, "drained")
      assert.is_true(l:state().queued <= streams.QUEUE // 2 + 4096)
      assert.is_true(l:send(SEALED, payload))
    end)

    it("drained comes to whoever stops as soon as the room is below half", function()
      for _, over in ipairs { 0, 1 } do
        local a, b = case.pair()
        socket.buffers(a, 4096)
        local l, seen = open(a)
        l:authenticate()
        while l:state().queued + MEMBER + 4 < streams.QUEUE // 2 do assert(l:send(SEALED, ("x"):rep(MEMBER - 1))) end
        assert(l:send(SEALED, ("x"):rep(streams.QUEUE // 2 - l:state().queued - 5 + over)))
        assert.equal(streams.QUEUE // 2 - over, l:state().room)
        local left = streams.QUEUE // 2 + over
        case.poll(function()
          left = left - #(socket.read(b, 1 << 20) or "")
          return left == 0
        end, "everything")
        case.settle()
        assert.equal(over, seen.drained)
      end
    end)

    it("takes frames to the last byte of the queue, in clear and sealed", function()
      for overhead, key in pairs { [5] = false, [5 + 1 + 17] = KEY_A } do
        local l = half()
        l:authenticate()
        if key then
          l:set_cipher(key, nil)
          l:send(SEALED, "") -- the header is out
        end
        while l:state().room > MEMBER do assert(l:send(SEALED, ("x"):rep(MEMBER - 1))) end
        local room = l:state().room
        assert.same({ nil, "busy", "" }, { l:send(SEALED, ("x"):rep(room - overhead + 1)) })
        assert.is_true(l:send(SEALED, ("x"):rep(room - overhead)))
        assert.equal(0, l:state().room)
        assert.same({ nil, "busy", "" }, { l:send(SEALED, "") })
      end
    end)

    it("a refused send leaves the cipher where it was", function()
      local l, _, _, seen_r = with_keys()
      l:authenticate()
      local payload, sent = ("x"):rep(16000), 0
      while l:send(SEALED, payload) do sent = sent + 1 end
      frames(seen_r, sent)
      assert.is_true(l:send(SEALED, "after"))
      assert.equal("after", frames(seen_r, sent + 1)[sent + 1][2])
      assert.equal(0, seen_r.ended)
    end)
  end)

  describe("random traffic", function()
    for seed = 1, 4 do
      it(("arrives whole and in order, whoever pauses when (seed %d)"):format(seed), function()
        math.randomseed(seed)
        local a, b = case.pair()
        socket.buffers(a, 4096)
        local sides = { { sent = {}, got = {} }, { sent = {}, got = {} } }
        local function callbacks(side)
          return { frame = function(l, kind, payload)
            side.got[#side.got + 1] = kind .. payload
            if math.random(10) == 1 then
              l:pause()
              side.paused = true
            end
          end }
        end
        sides[1].link = open(a, callbacks(sides[1]))
        sides[2].link = open(b, callbacks(sides[2]))
        for i, side in ipairs(sides) do
          side.link:authenticate()
          if seed % 2 == 0 then
            side.link:set_cipher(i == 1 and KEY_A or KEY_B, i == 1 and KEY_B or KEY_A)
          end
        end
        local left = 300
        local function act(side)
          if left > 0 and math.random(2) == 1 then
            local kind = ({ RECORD, CERTIFICATE, SEALED })[math.random(3)]
            local payload = string.char(math.random(0, 255)):rep(math.random(0, 1 << math.random(0, 16)))
            if side.link:send(kind, payload) then
              side.sent[#side.sent + 1] = kind .. payload
              left = left - 1
            end
          end
          if side.paused and math.random(3) == 1 then
            side.paused = false
            side.link:resume()
          end
        end
        case.poll(function()
          act(sides[1])
          act(sides[2])
          return left == 0 and #sides[1].got == #sides[2].sent and #sides[2].got == #sides[1].sent
        end, "all of it")
        assert.same(sides[1].sent, sides[2].got)
        assert.same(sides[2].sent, sides[1].got)
      end)
    end
  end)

  describe("its owner", function()
    it("may free it inside frame, with more frames there", function()
      for _, sealed in ipairs { false, true } do
        local count = 0
        local l, seen, b = half({ frame = function(l)
          count = count + 1
          l:free()
        end })
        local cipher = ciphers.cipher(KEY_A)
        local function wire(text)
          return sealed and frame(CIPHER, cipher:seal(inner(RECORD, text))) or frame(RECORD, text)
        end
        if sealed then l:set_cipher(nil, KEY_A) end
        case.write(b, wire("one") .. wire("two"))
        case.wait(function() return count > 0 end, "a frame")
        case.settle()
        assert.equal(1, count)
        assert.equal(0, seen.ended)
        assert.equal("", (case.read(b)))
      end
    end)

    it("may close it inside frame", function()
      local count = 0
      local _, seen, b = half({ frame = function(l)
        count = count + 1
        l:send(RECORD, "no")
        l:close()
      end })
      case.write(b, frame(RECORD, "one") .. frame(RECORD, "two"))
      assert.equal(frame(RECORD, "no"), (case.read(b)))
      case.close(b)
      assert.equal("done", ended(seen))
      assert.equal(1, count)
    end)

    it("may free it inside ended, whatever the reason", function()
      local count = 0
      local function ended_there(l)
        count = count + 1
        l:free()
      end
      local _, _, b = half({ ended = ended_there })
      case.write(b, "\255\255\255\255")
      local _, _, c = half({ ended = ended_there })
      case.close(c)
      local idle = half({ ended = ended_there })
      idle:set_idle(5)
      local done, _, d = half({ ended = ended_there })
      done:close()
      case.close(d)
      local l, _, e = half({ ended = ended_there })
      l:set_cipher(nil, KEY_A)
      case.write(e, frame(CIPHER, ciphers.cipher(KEY_A):seal("", true)))
      case.wait(function() return count == 5 end, "all ends")
      case.settle()
      assert.equal(5, count)
    end)

    it("may free it inside connected and drained", function()
      local count = 0
      local function free_there(l)
        count = count + 1
        l:free()
      end
      local _, where = case.fd(socket.listen("127.0.0.1:0", 1))
      open(where, { connected = free_there })
      local a, b = case.pair()
      socket.buffers(a, 4096)
      local l = open(a, { drained = free_there })
      l:authenticate()
      while l:send(SEALED, ("x"):rep(500000)) do end
      case.poll(function()
        socket.read(b, 200000)
        return count == 2
      end, "both")
    end)

    it("may hand it to another owner, inside frame too", function()
      local first, second, over, heir = {}, {}, nil, nil
      local _, seen, b = half({ frame = function(l, _, payload)
        first[#first + 1] = payload
        heir = case.keep(streams.hand_over(l, {
          frame = function(_, _, text) second[#second + 1] = text end,
          ended = function(_, why) over = why end,
        }))
      end })
      case.write(b, frame(RECORD, "1") .. frame(RECORD, "2"))
      case.wait(function() return #second == 1 end, "the second frame")
      assert.is_true(heir:send(RECORD, "from the heir"))
      assert.is_false(heir:state().over)
      case.write(b, frame(RECORD, "3"))
      case.wait(function() return #second == 2 end, "the third frame")
      case.close(b)
      case.wait(function() return over end, "the end")
      assert.same({ { "1" }, { "2", "3" }, "lost", 0 }, { first, second, over, seen.ended })
      assert.is_true(heir:state().over)
    end)

    it("takes no more for one who is gone, though the end waits behind a pause", function()
      local l, seen, b = half()
      case.write(b, frame(RECORD, "before"))
      l:pause()
      case.close(b)
      local said
      case.poll(function()
        said = { l:send(RECORD, "x") }
        return said[2] ~= nil
      end, "a send that fails")
      assert.same({ nil, "wrong_state", "" }, said)
      assert.equal(0, seen.ended)
      l:resume()
      assert.equal("lost", ended(seen))
      assert.same({ { 1, "before", false } }, seen.frames)
    end)

    it("sees the counters after the end", function()
      local l, seen, b = half()
      case.write(b, frame(RECORD, "abc"))
      case.close(b)
      ended(seen)
      assert.equal(8, l:state().bytes_in)
      assert.equal(1, l:state().frames_in)
      assert.equal(0, l:state().room)
      assert.same({ nil, "wrong_state", "" }, { l:send(RECORD, "x") })
    end)
  end)
end)
