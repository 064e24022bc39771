local wire = require "support.wire"
local R = require "wire.records"

describe("signature input", function()
  it('P0.2 is "sotto/1 ", the type, a zero byte and the body', function()
    assert.equal("sotto/1 binding\0body", wire.signed_input("binding", "body"))
    assert.equal("sotto/1 presence-key\0", wire.signed_input("presence-key", ""))
    assert.equal("sotto/1 x\0\0\0", wire.signed_input("x", "\0\0"))
  end)

  it("P0.2 cannot be the same for two types: a type holds no zero byte, space or digit", function()
    for _, bad in ipairs { "", "a b", "A", "a1", "a.b", "\u{e9}", ("x"):rep(33) } do
      local got, name = wire.signed_input(bad, "body")
      assert.is_nil(got)
      assert.equal("bad_params", name)
    end
    assert.truthy((wire.signed_input(("x"):rep(32), "body")))
  end)

  it("keeps to the buffer's cap", function()
    local text = wire.signed_input("type", "body")
    assert.equal(text, wire.signed_input("type", "body", #text))
    for cap = 0, #text - 1 do assert.equal("too_large", select(2, wire.signed_input("type", "body", cap))) end
  end)
end)

local envelope = { { "v", 1 }, { "type", "roster" }, { "body", R.b64 '{"exact":  "bytes"}' }, { "sig",
  R.b64(R.bytes(119)) } }

describe("envelope", function()
  -- its type is that of what was signed, so that check's "another type" does not apply
  local codec = R.codecs.envelope
  local body = R.kinds.binary(1, 512 * 1024)
  local sig = R.kinds.binary(1, 4096)

  it("P0.2 gives the exact bytes back", function()
    local text = R.text(envelope)
    local got = R.taken(codec, text)
    assert.same({ type = "roster", body = '{"exact":  "bytes"}', signature = R.bytes(119) }, got)
    assert.equal(text, codec.encode(got))
  end)

  it("P0.3 body and sig missing, mistyped, at their limits and one over", function()
    for key, kind in pairs { body = body, sig = sig } do
      R.refused(codec, R.text(R.with(envelope, { key }, nil)), key)
      for _, v in ipairs { R.raw "null", 1, true, R.raw "[]", R.raw "{}" } do R.refused(codec, R.text(R.with(envelope,
        { key }, v)), key) end
      for _, v in ipairs(kind.good) do R.taken(codec, R.text(R.with(envelope, { key }, v))) end
      for _, v in ipairs(kind.bad) do R.refused(codec, R.text(R.with(envelope, { key }, v)), key) end
    end
  end)

  it("P0.3 wants a type that can be signed, and its version", function()
    for _, t in ipairs { "", "Roster", "a b", ("x"):rep(33), "r0", 1, R.raw "null" } do
      R.refused(codec, R.text(R.with(envelope, { "type" }, t)), "type")
    end
    R.refused(codec, R.text(R.with(envelope, { "v" }, 2)), "v")
    for _, t in ipairs { "", "A", "a b" } do
      assert.equal("bad_params", select(2, codec.encode { type = t, body = "b", signature = "s" }))
    end
    assert.equal("bad_params", select(2, codec.encode { type = "a", signature = "s" }))
    assert.equal("bad_params", select(2, codec.encode { type = "a", body = "b" }))
  end)

  it("P0.5 stands 10,000 mutations", function()
    local passed = 0
    R.mutations({ R.text(envelope) }, 10000, 21, function(s)
      local got = codec.decode(s)
      if got then
        passed = passed + 1
        assert.same(got, codec.decode(assert(codec.encode(got))))
      end
    end)
    assert.is_true(passed > 20)
  end)
end)
