local wire = require "support.wire"
local R = require "wire.records"

local STRANGER, MEMBER, OVERHEAD = 16 * 1024, 1024 * 1024, 42
local RECORD, CIPHER, SEALED = 1, 6, 7

local function header(length, kind) return string.pack(">I4", length) .. string.char(kind) end

-- everything that a decoder makes of the input, fed in pieces of `size`
local function drain(decoder, input, size)
  local frames = {}
  for i = 1, math.max(#input, 1), size do
    local rest = input:sub(i, i + size - 1)
    repeat
      local kind, payload, left
      left, kind, payload = decoder:take(rest)
      if not left then return nil, kind, payload, frames end
      rest = left
      if kind then frames[#frames + 1] = { kind, payload } end
    until not kind
    assert.equal("", rest)
  end
  return frames
end

describe("frame", function()
  it("P0.4 is length, kind and payload", function()
    assert.equal("\0\0\0\4\1abc", wire.frame_encode(RECORD, "abc", STRANGER))
    assert.equal("\0\0\0\1\7", wire.frame_encode(SEALED, "", STRANGER))
  end)

  it("P0.4 encodes up to its cap", function()
    assert.equal(STRANGER + 4, #wire.frame_encode(RECORD, ("x"):rep(STRANGER - 1), STRANGER))
    assert.equal("too_large", select(2, wire.frame_encode(RECORD, ("x"):rep(STRANGER), STRANGER)))
    assert.equal(MEMBER + OVERHEAD + 4, #wire.frame_encode(CIPHER, ("x"):rep(MEMBER + OVERHEAD - 1), MEMBER))
    assert.equal("too_large", select(2, wire.frame_encode(CIPHER, ("x"):rep(MEMBER + OVERHEAD), MEMBER)))
  end)

  it("P0.4 decodes in pieces of any size", function()
    local sent, input = {}, ""
    for i = 1, 30 do
      sent[i] = { (i - 1) % 7 + 1, R.bytes(i * i * 3 - 3, i) }
      input = input .. assert(wire.frame_encode(sent[i][1], sent[i][2], STRANGER))
    end
    for _, size in ipairs { 1, 2, 3, 4, 5, 6, 7, 64, 1000, #input } do
      local decoder = wire.frame_decoder(STRANGER)
      assert.same(sent, drain(decoder, input, size))
      assert.equal(0, decoder:pending())
    end
  end)

  it("P0.4 takes a frame at the cap and refuses one byte more, for each kind", function()
    for _, cap in ipairs { 1, 100, STRANGER, 100000 } do
      for kind = 1, 8 do
        local top = kind == CIPHER and cap + OVERHEAD or cap
        for _, size in ipairs { 1000, 1 << 22 } do
          local frames = drain(wire.frame_decoder(cap), header(top, kind) .. ("x"):rep(top - 1), size)
          assert.equal(1, #frames)
          assert.equal(top - 1, #frames[1][2])
          local got, name = drain(wire.frame_decoder(cap), header(top + 1, kind) .. ("x"):rep(top), size)
          assert.is_nil(got)
          assert.equal("too_large", name)
        end
      end
    end
  end)

  it("P0.4 refuses an over-long length before a byte of it is buffered", function()
    for _, length in ipairs { STRANGER + OVERHEAD + 1, MEMBER, 1 << 31, (1 << 32) - 1 } do
      local decoder = wire.frame_decoder(STRANGER)
      assert.equal("", decoder:take(string.pack(">I4", length):sub(1, 3)))
      local got, name = decoder:take(string.pack(">I4", length):sub(4))
      assert.is_nil(got)
      assert.equal("too_large", name)
      assert.equal(0, decoder:pending())
      assert.equal(0, decoder:memory())
    end
    assert.equal("too_large", select(2, wire.frame_decoder(MEMBER):take(string.pack(">I4", MEMBER + OVERHEAD + 1))))
    assert.equal("too_large", select(2, wire.frame_decoder(MEMBER):take(header(MEMBER + 1, SEALED))))
    -- within what the cipher may add, the kind decides
    local decoder = wire.frame_decoder(STRANGER)
    assert.equal("", decoder:take(string.pack(">I4", STRANGER + 1)))
    local got, name = decoder:take(string.char(RECORD))
    assert.is_nil(got)
    assert.equal("too_large", name)
  end)

  it("P0.3 refuses an empty frame and unknown kinds", function()
    for _, bad in ipairs { "\0\0\0\0", header(1, 0), header(1, 9), header(5, 255) .. "xxxx" } do
      for _, size in ipairs { 1, 100 } do
        local got, name = drain(wire.frame_decoder(STRANGER), bad, size)
        assert.is_nil(got)
        assert.equal("bad_input", name)
      end
    end
  end)

  it("is broken for good after an error", function()
    local decoder = wire.frame_decoder(STRANGER)
    assert.is_nil((decoder:take("\0\0\0\0")))
    for _ = 1, 3 do
      local got, name = decoder:take(wire.frame_encode(RECORD, "abc", STRANGER))
      assert.is_nil(got)
      assert.equal("bad_input", name)
    end
  end)

  it("gives the frames before an error", function()
    local input = wire.frame_encode(RECORD, "one", STRANGER) .. wire.frame_encode(RECORD, "two",
      STRANGER) .. header(1, 99)
    for _, size in ipairs { 1, 7, 100 } do
      local got, name, _, frames = drain(wire.frame_decoder(STRANGER), input, size)
      assert.is_nil(got)
      assert.equal("bad_input", name)
      assert.same({ { RECORD, "one" }, { RECORD, "two" } }, frames)
    end
  end)

  it("P0.4 takes the new cap between two frames of one read", function()
    local big = wire.frame_encode(RECORD, ("y"):rep(STRANGER), MEMBER)
    local input = wire.frame_encode(RECORD, "last small one", STRANGER) .. big
    local decoder = wire.frame_decoder(STRANGER)
    local rest, kind = decoder:take(input)
    assert.equal(RECORD, kind)
    assert.equal(big, rest)
    decoder:set_cap(MEMBER)
    local left, _, payload = decoder:take(rest)
    assert.equal("", left)
    assert.equal(("y"):rep(STRANGER), payload)
    -- and the same without it
    decoder = wire.frame_decoder(STRANGER)
    rest = decoder:take(input)
    assert.is_nil((decoder:take(rest)))
  end)

  it("does not keep the memory of a big frame", function()
    local decoder = wire.frame_decoder(MEMBER)
    local big = wire.frame_encode(SEALED, ("z"):rep(MEMBER - 1), MEMBER)
    assert.equal("", (decoder:take(big:sub(1, 100))))
    local rest, kind = decoder:take(big:sub(101))
    assert.same({ "", SEALED }, { rest, kind })
    assert.is_true(decoder:memory() >= MEMBER)
    assert.equal("", decoder:take("\0"))
    assert.is_true(decoder:memory() < 64 * 1024)
    assert.equal(1, decoder:pending())
  end)

  it("P0.5 stands 10,000 mutations, in pieces", function()
    local samples = {}
    for i = 1, 5 do
      samples[i] = wire.frame_encode(i, R.bytes(i * 20, i), STRANGER) .. wire.frame_encode(SEALED, "tail", STRANGER)
    end
    local broken, whole = 0, 0
    R.mutations(samples, 10000, 11, function(s)
      local pieces = drain(wire.frame_decoder(STRANGER), s, math.random(30))
      local at_once = drain(wire.frame_decoder(STRANGER), s, math.max(#s, 1))
      assert.same(at_once, pieces) -- how it was cut makes no difference
      if pieces then whole = whole + 1 else broken = broken + 1 end
    end)
    assert.is_true(broken > 100 and whole > 100)
  end)

  it("opens what was under the cipher", function()
    assert.same({ RECORD, "abc" }, { wire.inner_decode("\1abc", STRANGER) })
    assert.same({ SEALED, "" }, { wire.inner_decode("\7", STRANGER) })
    assert.same({ RECORD, ("x"):rep(99) }, { wire.inner_decode("\1" .. ("x"):rep(99), 100) })
    for bad, expected in pairs { [""] = "bad_input", ["\0"] = "bad_input", ["\6abc"] = "bad_input",
      ["\9"] = "bad_input",
      ["\1" .. ("x"):rep(100)] = "too_large" } do
      local got, name = wire.inner_decode(bad, 100)
      assert.is_nil(got)
      assert.equal(expected, name)
    end
  end)
end)
