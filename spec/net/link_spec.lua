-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "support.loop"
local net = require "support.net"
local socket = require "support.net_socket"
local ciphers = require "support.net_cipher"
local streams = require "support.net_stream"
local case = require "support.net_case"
local links = require "support.link_case"

local RECORD, CERTIFICATE, CIPHER, SEALED = 1, 2, 6, 7
local STRANGER, MEMBER = streams.STRANGER, streams.MEMBER
local KEY_A, KEY_B = links.KEY_A, links.KEY_B
local frame, inner = links.frame, links.inner
local open, ended, frames, half, whole, with_keys =
  links.open, links.ended, links.frames, links.half, links.whole, links.with_keys

describe("link", function()
  before_each(case.begin)
  after_each(case.finish)

  describe("in clear", function()
    it("P0.4 carries frames of every clear kind, empty ones too", function()
      local l, seen, r, seen_r = whole()
      assert.is_true(l:send(RECORD, '{"v":1}'))
      assert.is_true(l:send(CERTIFICATE, "\0\255raw"))
      assert.is_true(l:send(SEALED, nil))
      assert.is_true(r:send(RECORD, "back"))
      assert.same({ { 1, '{"v":1}', false }, { 2, "\0\255raw", false }, { 7, "", false } }, frames(seen_r, 3))
      assert.same({ { 1, "back", false } }, frames(seen, 1))
      local s = l:state()
      assert.equal(3, s.frames_out)
      assert.equal(1, s.frames_in)
      assert.equal(3 * 5 + 7 + 5, s.bytes_out)
      assert.equal(9, s.bytes_in)
    end)

    it("P0.4 writes length, kind, payload", function()
      local l, _, b = half()
      l:send(RECORD, "abc")
      assert.equal("\0\0\0\4\1abc", case.read(b, function(all) return #all == 8 end))
    end)

    it("puts frames together from single bytes", function()
      local _, seen, b = half()
      for byte in (frame(RECORD, "one") .. frame(SEALED, "two")):gmatch(".") do
        case.write(b, byte)
        loop.turn()
      end
      assert.same({ { 1, "one", false }, { 7, "two", false } }, frames(seen, 2))
    end)

    it("takes many frames out of one read, in order", function()
      local _, seen, b = half()
      local all = {}
      for i = 1, 1000 do all[i] = frame(RECORD, "number " .. i) end
      case.write(b, table.concat(all))
      frames(seen, 1000)
      for i = 1, 1000 do assert.equal("number " .. i, seen.frames[i][2]) end
    end)

    it("P0.4 takes 16 KiB of kind and payload from a stranger, and not a byte more", function()
      local _, seen, b = half()
      case.write(b, frame(RECORD, ("x"):rep(STRANGER - 1)))
      assert.equal(STRANGER - 1, #frames(seen, 1)[1][2])
      case.write(b, string.pack(">I4B", STRANGER + 1, RECORD))
      assert.equal("breach", ended(seen))
      assert.equal("bad_input", seen.name)
    end)

    it("P0.4 takes 1 MiB after authentication, and not a byte more", function()
      local l, seen, b = half()
      l:authenticate()
      case.write(b, frame(RECORD, ("x"):rep(MEMBER - 1)))
      assert.equal(MEMBER - 1, #frames(seen, 1)[1][2])
      case.write(b, string.pack(">I4B", MEMBER + 1, RECORD))
      assert.equal("breach", ended(seen))
    end)

    it("P0.4 closes on an over-long length before a byte of the frame has come", function()
      for _, length in ipairs { 0xffffffff, 0x80000000, 1 << 24, STRANGER + 200 } do
        local l, seen, b = half()
        case.write(b, string.pack(">I4", length))
        assert.equal("breach", ended(seen))
        assert.equal(4, l:state().bytes_in)
        assert.equal("", (case.read(b)))
      end
    end)

    it("closes on a frame of length 0 and on unknown kinds", function()
      for _, bytes in ipairs { "\0\0\0\0", "\0\0\0\1\0", "\0\0\0\1\9", "\0\0\0\2\255x" } do
        local _, seen, b = half()
        case.write(b, bytes)
        assert.equal("breach", ended(seen))
        assert.equal(0, #seen.frames)
      end
    end)

    it("closes on 100 kB of junk, having read hardly more than its beginning", function()
      local seed = 42
      local function byte()
        seed = (seed * 1103515245 + 12345) & 0x7fffffff
        return string.char(128 + (seed >> 16) % 128)
      end
      local junk = {}
      for i = 1, 100000 do junk[i] = byte() end
      local l, seen, b = half()
      case.write(b, table.concat(junk))
      assert.equal("breach", ended(seen))
      assert.is_true(l:state().bytes_in <= 65536)
      assert.equal(0, #seen.frames)
      -- plain text is an enormous length, too
      local _, seen_text, c = half()
      case.write(c, "GET / HTTP/1.1\r\n\r\n")
      assert.equal("breach", ended(seen_text))
    end)

    it("closes on a sealed frame before there are keys", function()
      local _, seen, b = half({ unreadable = true })
      case.write(b, frame(CIPHER, ("x"):rep(100)))
      assert.equal("breach", ended(seen))
      assert.equal(0, seen.unreadable)
    end)

    it("is lost when the other side just ends, also in the middle of a frame", function()
      local _, seen, b = half()
      case.write(b, frame(RECORD, "whole") .. frame(RECORD, "cut"):sub(1, -2))
      case.close(b)
      assert.equal("lost", ended(seen))
      assert.same({ { 1, "whole", false } }, seen.frames)
    end)

    it("P0.4 refuses to send what the other side must not take", function()
      local l, _, r, seen_r = whole()
      assert.same({ nil, "too_large", "" }, { l:send(RECORD, ("x"):rep(STRANGER)) })
      assert.is_true(l:send(RECORD, ("x"):rep(STRANGER - 1)))
      l:authenticate()
      r:authenticate()
      assert.same({ nil, "too_large", "" }, { l:send(RECORD, ("x"):rep(MEMBER)) })
      assert.is_true(l:send(RECORD, ("x"):rep(MEMBER - 1)))
      assert.equal(MEMBER - 1, #frames(seen_r, 2)[2][2])
    end)
  end)

  describe("connecting", function()
    it("tells that it is connected; frames sent before wait", function()
      local got
      local listener = case.keep(net.listen("127.0.0.1:0", function(_, fd)
        local l, seen = open(case.fd(fd))
        got = seen
        l:send(RECORD, "welcome")
      end))
      local l, seen = open(listener:addr())
      l:send(RECORD, "early")
      assert.same({ { 1, "welcome", false } }, frames(seen, 1))
      assert.same({ { 1, "early", false } }, frames(got, 1))
      assert.equal(1, seen.connected)
      assert.equal(listener:addr(), l:state().remote)
      assert.truthy(l:state()["local"]:match("^127%.0%.0%.1:[1-9]"))
    end)

    it("ends as refused, unreachable or timeout", function()
      local fd, where = socket.listen("127.0.0.1:0", 1)
      socket.close(fd)
      local _, refused = open(where)
      assert.equal("refused", ended(refused))
      local _, unreachable = open("255.255.255.255:1")
      assert.equal("unreachable", ended(unreachable))
      local _, busy = case.fd(socket.listen("127.0.0.1:0", 0))
      for _ = 1, 4 do case.fd(socket.connect(busy)) end
      local _, late = open(busy, { timeout = 100 })
      assert.equal("timeout", ended(late))
      assert.equal("timeout", late.name)
    end)

    it("close while connecting ends as done", function()
      local _, where = case.fd(socket.listen("127.0.0.1:0", 1))
      local l, seen = open(where)
      l:close()
      assert.equal(0, seen.ended)
      assert.equal("done", ended(seen))
      assert.equal(0, seen.connected)
    end)
  end)

  describe("the idle time", function()
    it("P2.6 ends a link on which no whole frame comes, however many bytes trickle in", function()
      local l, seen, b = half()
      l:set_idle(60)
      local bytes, at = frame(RECORD, ("x"):rep(1000)), 1
      case.poll(function()
        if seen.ended == 0 and at <= 1000 then
          socket.write(b, bytes:sub(at, at))
          at = at + 1
        end
        return seen.ended > 0
      end, "the end")
      assert.equal("idle", ended(seen))
      assert.equal("timeout", seen.name)
    end)

    it("starts anew with every frame", function()
      local l, seen, b = half()
      l:set_idle(400) -- many times what lies between two frames
      local begun, last, sent = loop.now(), nil, 0
      case.poll(function()
        if seen.ended == 0 and loop.now() - begun < 900 then
          case.write(b, frame(RECORD, ""))
          last, sent = loop.now(), sent + 1
        end
        return seen.ended > 0
      end, "the end")
      assert.equal(sent, #seen.frames)
      assert.is_true(last - begun >= 800)
      assert.is_true(loop.now() - last >= 399)
      assert.equal("idle", seen.why)
    end)

    it("rests while the owner has paused, and can be switched off", function()
      local l, seen = half()
      l:set_idle(20)
      l:pause()
      local over = 0
      local t = case.keep(loop.after(60, function() over = over + 1 end))
      case.wait(function() return over == 1 end, "the timer")
      assert.equal(0, seen.ended)
      l:set_idle(0)
      l:resume()
      t:start(60)
      case.wait(function() return over == 2 end, "the timer")
      assert.equal(0, seen.ended)
      l:set_idle(20)
      assert.equal("idle", ended(seen))
    end)

    it("does not run before the link is connected", function()
      local _, busy = case.fd(socket.listen("127.0.0.1:0", 0))
      for _ = 1, 4 do case.fd(socket.connect(busy)) end
      local l, seen = open(busy, { timeout = 150 })
      l:set_idle(10)
      assert.equal("timeout", ended(seen))
    end)
  end)

  describe("the end", function()
    it("P2.5 is closed with TAG_FINAL, and done on the side that closed", function()
      local l, seen, r, seen_r = with_keys()
      l:send(RECORD, "last words")
      l:close()
      assert.same({ nil, "wrong_state", "" }, { l:send(RECORD, "x") })
      assert.equal("closed", ended(seen_r))
      assert.same({ { 1, "last words", true } }, seen_r.frames)
      r:free()
      assert.equal("done", ended(seen))
      l:close() -- harmless
    end)

    it("P2.5 is lost without it: a plain close, a cut one, one in clear", function()
      local l, _, _, seen_r = with_keys()
      l:send(RECORD, "said")
      case.settle()
      l:free()
      assert.equal("lost", ended(seen_r))
      assert.same({ { 1, "said", true } }, seen_r.frames)
      local k, seen_k, b = half({ unreadable = true })
      k:set_cipher(nil, KEY_A)
      case.write(b, frame(CIPHER, ciphers.cipher(KEY_A):seal("", true)):sub(1, -2))
      case.close(b)
      assert.equal("lost", ended(seen_k))
      local c, _, _, seen_d = whole()
      c:close()
      assert.equal("lost", ended(seen_d))
    end)

    it("P2.5 a forged TAG_FINAL closes nothing", function()
      local k, seen, b = half({ unreadable = true })
      k:set_cipher(nil, KEY_A)
      case.write(b, frame(CIPHER, ciphers.cipher(KEY_B):seal("", true)))
      case.wait(function() return seen.unreadable == 1 end, "unreadable")
      assert.equal(0, seen.ended)
    end)

    it("a last message that is not empty breaks the rules", function()
      local k, seen, b = half()
      k:set_cipher(nil, KEY_A)
      case.write(b, frame(CIPHER, ciphers.cipher(KEY_A):seal(inner(RECORD, "x"), true)))
      assert.equal("breach", ended(seen))
      assert.equal(0, #seen.frames)
    end)

    it("is done on both sides when both close at once", function()
      local l, seen, r, seen_r = with_keys()
      l:close()
      r:close()
      assert.equal("done", ended(seen))
      assert.equal("done", ended(seen_r))
    end)

    it("brings out all that is queued, though the other side reads slowly", function()
      local a, b = case.pair()
      socket.buffers(a, 4096)
      local l, seen = open(a)
      l:authenticate()
      for i = 1, 20 do assert.is_true(l:send(RECORD, ("%02d"):format(i):rep(20000))) end
      l:close()
      local all, over = case.read(b)
      assert.is_true(over)
      assert.equal(20 * 40005, #all)
      case.close(b)
      assert.equal("done", ended(seen))
    end)

    it("ends its own direction at once, and reads the other side's end although paused", function()
      local l, seen, b = half()
      l:pause()
      case.write(b, frame(RECORD, "waits"))
      local begun = loop.now()
      l:close()
      assert.equal("", (case.read(b)))
      case.close(b)
      assert.equal("done", ended(seen))
      assert.is_true(loop.now() - begun < 1990) -- it has not waited for what is paused
      assert.equal(0, #seen.frames)
    end)

    it("is done after 2 s even if the other side reads nothing", function()
      local a = case.pair()
      socket.buffers(a, 4096)
      local l, seen = open(a)
      l:authenticate()
      l:send(RECORD, ("x"):rep(1000000))
      local begun = loop.now()
      l:close()
      assert.equal("done", ended(seen))
      assert.is_true(loop.now() - begun >= 1990)
    end)

    it("hands out no frame after close, and takes no notice of junk", function()
      local l, seen, b = half()
      case.write(b, frame(RECORD, "one") .. frame(RECORD, "two"))
      l:close()
      case.write(b, ("\255"):rep(1000))
      case.settle()
      assert.equal(0, #seen.frames)
      assert.equal("", (case.read(b)))
      case.close(b)
      assert.equal("done", ended(seen))
    end)
  end)
end)
