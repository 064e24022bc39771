-- SPDX-License-Identifier: GPL-3.0-or-later
local socket = require "support.net_socket"
local ciphers = require "support.net_cipher"
local streams = require "support.net_stream"
local case = require "support.net_case"
local links = require "support.link_case"

local RECORD, CIPHER, SEALED = 1, 6, 7
local STRANGER, MEMBER = streams.STRANGER, streams.MEMBER
local KEY_A, KEY_B = links.KEY_A, links.KEY_B
local frame, inner = links.frame, links.inner
local open, ended, frames, half, whole, with_keys =
  links.open, links.ended, links.frames, links.half, links.whole, links.with_keys

describe("cipher of a link", function()
  before_each(case.begin)
  after_each(case.finish)

  describe("under keys", function()
    it("P2.5 carries frames both ways, and nothing of them is readable on the wire", function()
      local l, seen, r, seen_r = with_keys()
      l:send(RECORD, "to the right")
      l:send(SEALED, "")
      r:send(RECORD, "to the left")
      assert.same({ { 1, "to the right", true }, { 7, "", true } }, frames(seen_r, 2))
      assert.same({ { 1, "to the left", true } }, frames(seen, 1))
      local k, _, b = half()
      k:set_cipher(KEY_A, nil)
      k:send(RECORD, "to the right")
      local wire = case.read(b, function(all) return #all >= 5 + 24 + 17 + 1 + 12 end)
      assert.equal(5 + 24 + 17 + 1 + 12, #wire)
      assert.equal(string.pack(">I4B", 1 + 24 + 17 + 1 + 12, CIPHER), wire:sub(1, 5))
      assert.is_nil(wire:find("right", 1, true))
      local cipher = ciphers.cipher(KEY_A)
      assert.same({ inner(RECORD, "to the right"), false }, { cipher:open(wire:sub(6)) })
      k:send(RECORD, "again") -- no header any more
      wire = case.read(b, function(all) return #all >= 5 + 17 + 1 + 5 end)
      assert.same({ inner(RECORD, "again"), false }, { cipher:open(wire:sub(6)) })
    end)

    it("sets the directions at different moments", function()
      local l, seen, r, seen_r = whole()
      r:set_cipher(nil, KEY_A)
      l:set_cipher(KEY_A, nil)
      l:send(RECORD, "sealed")
      r:send(RECORD, "still clear")
      assert.same({ { 1, "still clear", false } }, frames(seen, 1))
      assert.same({ { 1, "sealed", true } }, frames(seen_r, 1))
      l:set_cipher(nil, KEY_B)
      r:set_cipher(KEY_B, nil)
      r:send(RECORD, "sealed too")
      assert.same({ 1, "sealed too", true }, frames(seen, 2)[2])
    end)

    it("holds new keys for the next frame of the same read", function()
      local got = {}
      local _, _, b = half({ frame = function(l, kind, payload, encrypted)
        got[#got + 1] = { kind, payload, encrypted }
        if #got == 1 then l:set_cipher(nil, KEY_A) end
      end })
      local cipher = ciphers.cipher(KEY_A)
      case.write(b, frame(RECORD, "L2 clear") .. frame(CIPHER, cipher:seal(inner(RECORD, "L2 sealed"))))
      case.wait(function() return #got == 2 end, "both")
      assert.same({ { 1, "L2 clear", false }, { 1, "L2 sealed", true } }, got)
    end)

    it("P0.4 allows the cipher's overhead on top of the caps, and caps the inner frame", function()
      local l, _, r, seen_r = with_keys()
      assert.is_true(l:send(RECORD, ("x"):rep(STRANGER - 1)))
      assert.same({ nil, "too_large", "" }, { l:send(RECORD, ("x"):rep(STRANGER)) })
      assert.equal(STRANGER - 1, #frames(seen_r, 1)[1][2])
      l:authenticate()
      r:authenticate()
      assert.is_true(l:send(RECORD, ("y"):rep(MEMBER - 1)))
      assert.equal(MEMBER - 1, #frames(seen_r, 2)[2][2])
      local k, seen_k, b = half()
      k:set_cipher(nil, KEY_A)
      local cipher = ciphers.cipher(KEY_A)
      cipher:seal("") -- without the header there is room for more than the cap
      case.write(b, string.pack(">I4B", 1 + 24 + 17 + STRANGER + 1, CIPHER))
      assert.equal("breach", ended(seen_k))
    end)

    it("closes on an inner frame over the cap that fits in the overhead", function()
      local k, seen, b = half({ unreadable = true })
      k:set_cipher(nil, KEY_A)
      local cipher = ciphers.cipher(KEY_A)
      case.write(b, frame(CIPHER, cipher:seal(inner(RECORD, "first"))))
      case.write(b, frame(CIPHER, cipher:seal(inner(RECORD, ("x"):rep(STRANGER)))))
      assert.equal("breach", ended(seen))
      assert.equal(1, #seen.frames)
      assert.equal(0, seen.unreadable)
    end)

    it("closes on what nobody sends who keeps the rules: empty, unknown kind, CIPHER in CIPHER", function()
      for _, plain in ipairs { "", "\0", "\9x", "\255", inner(CIPHER, "x") } do
        local k, seen, b = half({ unreadable = true })
        k:set_cipher(nil, KEY_A)
        case.write(b, frame(CIPHER, ciphers.cipher(KEY_A):seal(plain)))
        assert.equal("breach", ended(seen))
        assert.equal(0, #seen.frames + seen.unreadable)
      end
    end)
  end)

  describe("what does not open", function()
    -- Sends the wire bytes to a link with KEY_A for what comes in; one good frame came before.
    local function hostile(make)
      local k, seen, b = half({ unreadable = true })
      k:set_cipher(nil, KEY_A)
      local cipher = ciphers.cipher(KEY_A)
      local first = frame(CIPHER, cipher:seal(inner(RECORD, "first")))
      case.write(b, first)
      frames(seen, 1)
      local wire = make(cipher, first)
      if wire then case.write(b, wire) end
      return k, seen, b
    end
    local function unreadable(make)
      local k, seen, b = hostile(make)
      case.wait(function() return seen.unreadable > 0 or seen.ended > 0 end, "unreadable")
      assert.equal(0, seen.ended)
      assert.equal(1, k:state().unreadable)
      -- the link is up, reads no more, and nothing of it shows outside
      case.write(b, frame(RECORD, "more"))
      case.settle()
      assert.equal(1, seen.unreadable)
      assert.equal(1, #seen.frames)
      local data, why = socket.read(b)
      assert.same({ nil, "Resource temporarily unavailable" }, { data, why })
      k:close()
      assert.equal("", (case.read(b)))
      case.close(b)
      assert.equal("done", ended(seen))
    end

    it("P2.5 a tampered frame, wherever it was touched", function()
      for _, at in ipairs { 1, 2, 10, -1 } do
        unreadable(function(cipher)
          local sealed = cipher:seal(inner(RECORD, "payload"))
          local i = at > 0 and at or #sealed + 1 + at
          return frame(CIPHER, sealed:sub(1, i - 1) .. string.char(sealed:byte(i) ~ 1) .. sealed:sub(i + 1))
        end)
      end
    end)

    it("P2.5 a replayed frame, with and without the header, and one after a gap", function()
      unreadable(function(_, first) return first end)
      unreadable(function(_, first) return frame(CIPHER, first:sub(6 + 24)) end)
      unreadable(function(cipher)
        cipher:seal(inner(RECORD, "left out"))
        return frame(CIPHER, cipher:seal(inner(RECORD, "later")))
      end)
    end)

    it("P2.5 truncated and lengthened ones, and those shorter than a tag", function()
      unreadable(function(cipher) return frame(CIPHER, cipher:seal(inner(RECORD, "payload")):sub(1, -2)) end)
      unreadable(function(cipher) return frame(CIPHER, cipher:seal(inner(RECORD, "payload")) .. "x") end)
      unreadable(function() return frame(CIPHER, ("x"):rep(16)) end)
      unreadable(function() return frame(CIPHER, "") end)
    end)

    it("a clear frame", function()
      unreadable(function() return frame(RECORD, '{"v":1}') end)
    end)

    it("a frame under another key, the first one or a later one", function()
      unreadable(function() return frame(CIPHER, ciphers.cipher(KEY_B):seal(inner(RECORD, "x"))) end)
      local k, seen, b = half({ unreadable = true })
      k:set_cipher(nil, KEY_A)
      case.write(b, frame(CIPHER, ciphers.cipher(KEY_B):seal(inner(RECORD, "x"))))
      case.wait(function() return seen.unreadable == 1 end, "unreadable")
      assert.equal(0, #seen.frames)
    end)

    it("a first frame that is shorter than the header", function()
      local k, seen, b = half({ unreadable = true })
      k:set_cipher(nil, KEY_A)
      case.write(b, frame(CIPHER, ("x"):rep(24 + 16)))
      case.wait(function() return seen.unreadable == 1 end, "unreadable")
      assert.equal(0, seen.ended)
    end)

    it("hides what came in the same read behind it", function()
      local k, seen = hostile(function(cipher)
        return frame(RECORD, "clear") .. frame(RECORD, "clear") .. frame(CIPHER, cipher:seal(inner(RECORD, "good")))
      end)
      case.wait(function() return seen.unreadable > 0 end, "unreadable")
      k:pause()
      k:resume()
      case.settle()
      assert.same({ 1, 1, 0 }, { seen.unreadable, #seen.frames, seen.ended })
    end)

    it("a message with a tag that this protocol does not use", function()
      for tag, opens in pairs { [0] = true, [1] = false, [2] = false, [3] = false } do
        local k, seen, b = half({ unreadable = true })
        k:set_cipher(nil, KEY_A)
        case.write(b, frame(CIPHER, ciphers.tagged(KEY_A, inner(RECORD, "x"), tag)))
        case.wait(function() return #seen.frames + seen.unreadable + seen.ended > 0 end, "anything")
        assert.equal(opens, #seen.frames == 1)
      end
      local k, seen, b = half({ unreadable = true })
      k:set_cipher(nil, KEY_A)
      case.write(b, frame(CIPHER, ciphers.tagged(KEY_A, "", 2))) -- REKEY, empty as a last message is
      case.wait(function() return seen.unreadable == 1 end, "unreadable")
    end)

    it("ends the link where the owner does not ask for it", function()
      local a, b = case.pair()
      local l, seen = open(a)
      l:set_cipher(nil, KEY_A)
      case.write(b, frame(CIPHER, ("x"):rep(100)))
      assert.equal("breach", ended(seen))
      assert.equal("crypto", seen.name)
    end)

    it("still ends at once on an over-long length", function()
      local _, seen = hostile(function() return string.pack(">I4B", 0x7fffffff, CIPHER) end)
      assert.equal("breach", ended(seen))
      assert.equal(0, seen.unreadable)
    end)

    it("may be answered by freeing the link inside", function()
      local called
      local a, b = case.pair()
      local l, seen = open(a, { unreadable = function(l)
        called = true
        l:free()
      end })
      l:set_cipher(nil, KEY_A)
      case.write(b, frame(RECORD, "clear"))
      case.wait(function() return called end, "unreadable")
      assert.equal("", (case.read(b)))
      assert.equal(0, seen.ended)
    end)
  end)
end)
