local wire = require "support.wire"
local R = require "wire.records"
local K = R.kinds

local HOURS2, T = 7200000, 1700000000000
local public, secret = wire.keypair(R.bytes(32, 4))

local function record(certificate)
  return {
    { "v", 1 }, { "type", "presence" }, { "fingerprint", R.fingerprint(1) }, { "key", R.b64(public) }, { "sequence",
      T },
    { "issued", T }, { "expires", T + HOURS2 }, { "since", T - 1000 }, { "name", "Zoë" },
    { "endpoints", { array = { "192.0.2.1:4788", "[2001:db8::1]:4788" } } }, { "listed", true },
    { "general", R.b64(wire.hash(certificate or "certificate")) },
  }
end

local introduction = {
  { "v", 1 }, { "type", "introduction" },
  { "presence", { { "record", R.b64(R.bytes(500)) }, { "certification", R.b64(R.bytes(563)) },
    { "signature", R.b64(R.bytes(64)) } } },
}
describe("introduction", function()
  R.check("introduction", introduction, {
    { path = { "presence" }, kind = K.object() },
    { path = { "presence", "record" }, kind = K.binary(1, 1024), name = "presence.record" },
    { path = { "presence", "certification" }, kind = K.binary(1, 4096), name = "presence.certification" },
    { path = { "presence", "signature" }, kind = K.binary(64, 64), name = "presence.signature" },
  })
end)

describe("presence record", function()
  local sample = record()
  R.check("presence", sample, {
    { path = { "fingerprint" }, kind = K.fingerprint() },
    { path = { "key" }, kind = K.binary(32, 32) },
    { path = { "sequence" }, kind = K.integer(1, 9007199254740991) },
    { path = { "issued" }, kind = K.time(), good = { T, T + HOURS2 - 1 } },
    { path = { "expires" }, kind = K.time(), good = { T + 1, T + HOURS2 } },
    { path = { "since" }, kind = K.time() },
    { path = { "name" }, kind = K.string(0, 32) },
    { path = { "endpoints" }, kind = K.array() },
    { path = { "endpoints", 1 }, kind = K.string(1, 79), name = "endpoints[0]" },
    { path = { "listed" }, kind = K.boolean() },
    { path = { "general" }, kind = K.hash() },
  }, { R.with(sample, { "endpoints" }, { array = {} }), R.with(sample, { "name" }, "") })

  it("P1.1 holds at most 4 endpoints", function()
    local function with(n)
      local list = {}
      for i = 1, n do list[i] = "192.0.2." .. i .. ":1" end
      return R.text(R.with(sample, { "endpoints" }, { array = list }))
    end
    assert.equal(4, #R.taken(R.codecs.presence, with(4)).endpoints)
    R.refused(R.codecs.presence, with(5), "endpoints")
    local good = R.taken(R.codecs.presence, with(4))
    good.endpoints[5] = "192.0.2.5:1"
    assert.equal("bad_params", select(2, R.codecs.presence.encode(good)))
  end)

  it("P1.1 lives at most two hours, and longer than not at all", function()
    for _, life in ipairs { 0, -1, HOURS2 + 1, -T } do
      R.refused(R.codecs.presence, R.text(R.with(sample, { "expires" }, T + life)), "expires")
      local good = R.taken(R.codecs.presence, R.text(sample))
      good.expires_ms = T + life
      assert.equal("bad_params", select(2, R.codecs.presence.encode(good)))
    end
    R.refused(R.codecs.presence, R.text(R.with(R.with(sample, { "issued" }, 0), { "expires" }, 9007199254740991)),
      "expires")
  end)

  it("is at most 1024 bytes", function()
    local text = R.text(sample)
    R.taken(R.codecs.presence, text .. (" "):rep(1024 - #text))
    R.refused(R.codecs.presence, text .. (" "):rep(1025 - #text))
    -- a name of 32 control characters is within its limit, but it is written long
    local good = R.taken(R.codecs.presence, text)
    good.name = ("\1"):rep(32)
    good.endpoints = { ("\1"):rep(79), ("\1"):rep(79) }
    assert.equal("too_large", select(2, R.codecs.presence.encode(good)))
  end)
end)

describe("presence signature", function()
  local text = R.text(record())
  local signature = wire.presence_sign(text, secret)

  it("P1.1 is Ed25519 over the record's bytes, of type presence", function()
    assert.is_true(wire.presence_verify(text, signature, public))
    assert.is_true(wire.raw_verify("sotto/1 presence\0" .. text, signature, public))
  end)

  it("P1.1 holds for no other record, key or signature", function()
    assert.is_false(wire.presence_verify(text .. " ", signature, public))
    assert.is_false(wire.presence_verify(text:sub(1, -2), signature, public))
    assert.is_false(wire.presence_verify("", signature, public))
    assert.is_false(wire.presence_verify(text, signature, (wire.keypair(R.bytes(32, 5)))))
    for i = 1, 64 do
      local bent = signature:sub(1, i - 1) .. string.char(signature:byte(i) ~ 1) .. signature:sub(i + 1)
      assert.is_false(wire.presence_verify(text, bent, public))
    end
    -- the neutral element as a key, with the signature that some verifiers take for anything
    local neutral = "\1" .. ("\0"):rep(31)
    assert.is_false(wire.presence_verify(text, neutral .. ("\0"):rep(32), neutral))
  end)

  it("P1.1 certifies fingerprint, key and since", function()
    local body = "\40" .. R.fingerprint(1) .. "\32" .. public .. "\8" .. string.pack(">I8", T)
    assert.equal("sotto/1 presence-key\0" .. body, wire.certification_input(R.fingerprint(1), public, T))
  end)
end)

describe("presence parts", function()
  local text = R.text(record())
  local parts = { record = text, certification = "c", signature = wire.presence_sign(text, secret) }
  it("open where the signature holds", function()
    assert.equal(R.fingerprint(1), wire.parts_open(parts))
  end)
  it("do not open with another signature, or another record", function()
    local got, name = wire.parts_open { record = text, certification = "c", signature = ("\0"):rep(64) }
    assert.is_nil(got)
    assert.equal("crypto", name)
    local other = R.text(R.with(record(), { "name" }, "Eve"))
    assert.equal("crypto", select(2, wire.parts_open { record = other, certification = "c",
      signature = parts.signature }))
    assert.equal("bad_input", select(2, wire.parts_open { record = "{}", certification = "c",
      signature = parts.signature }))
    assert.equal("bad_input", select(2, wire.parts_open { certification = "c", signature = parts.signature }))
  end)
end)

describe("presence datagram", function()
  local QUERY, ANSWER, ANNOUNCEMENT = 1, 2, 3
  local certificate, certification = R.bytes(391, 1), R.bytes(119, 2)
  local text = R.text(record(certificate))
  local signature = wire.presence_sign(text, secret)

  local function parts(kind, changes)
    local d = { kind = kind, signature = signature, record = text, certification = certification,
      certificate = certificate }
    for k, v in pairs(changes or {}) do d[k] = v end
    return d
  end
  local function raw(kind, lengths, body)
    return "SOT1" .. string.char(kind) .. signature .. string.pack(">I2I2I2", table.unpack(lengths)) .. body
  end

  it("P1.2 is magic, kind, signature, lengths and parts", function()
    assert.equal(raw(ANSWER, { #text, #certification, #certificate }, text .. certification .. certificate),
      wire.datagram_encode(parts(ANSWER)))
  end)

  it("P1.2 a query is padded to exactly 1200 bytes, and an answer is never longer", function()
    local query, answer = wire.datagram_encode(parts(QUERY)), wire.datagram_encode(parts(ANSWER))
    assert.equal(1200, #query)
    assert.equal("", (query:sub(#answer + 1):gsub("\0", "")))
    assert.is_true(#answer <= #query)
  end)

  it("P1.2 an announcement is an answer in another kind: nobody answers it, so it needs no padding", function()
    local answer, announcement = wire.datagram_encode(parts(ANSWER)), wire.datagram_encode(parts(ANNOUNCEMENT))
    assert.equal(answer:sub(6), announcement:sub(6))
    assert.equal(ANNOUNCEMENT, announcement:byte(5))
  end)

  it("P1.2 opens to its parts", function()
    for _, kind in ipairs { QUERY, ANSWER, ANNOUNCEMENT } do
      local d = assert(wire.datagram_open(wire.datagram_encode(parts(kind))))
      assert.same(parts(kind, { fingerprint = R.fingerprint(1) }), d)
    end
  end)

  it("P1.2 leaves out the certificate, then the certification, where they do not fit", function()
    local room = 1200 - 75 - #text
    local function opened(changes) return assert(wire.datagram_open(wire.datagram_encode(parts(ANSWER, changes)),
      true)) end
    local exact = R.bytes(room - #certification)
    assert.equal(exact, opened({ certificate = exact }).certificate)
    assert.equal(1200, #wire.datagram_encode(parts(ANSWER, { certificate = exact })))
    local d = opened { certificate = exact .. "x" }
    assert.equal("", d.certificate)
    assert.equal(certification, d.certification)
    d = opened { certification = R.bytes(room) }
    assert.equal("", d.certificate)
    assert.equal(room, #d.certification)
    d = opened { certification = R.bytes(room + 1) }
    assert.equal("", d.certification)
    assert.equal("", d.certificate)
    assert.equal("too_large", select(2, wire.datagram_encode(parts(ANSWER, { record = R.bytes(1126) }))))
    assert.equal(1125, #opened({ record = R.bytes(1125) }).record)
  end)

  it("P1.2 opens without certificate, which its record names", function()
    assert.equal("", assert(wire.datagram_open(wire.datagram_encode(parts(ANSWER, { certificate = "" })))).certificate)
  end)

  local function refused(datagram, expected)
    local got, name, why = wire.datagram_open(datagram)
    assert.is_nil(got)
    assert.equal(expected or "bad_input", name)
    assert.is_true(#why > 0)
  end

  it("P1.2 refuses every other form", function()
    local query, answer = wire.datagram_encode(parts(QUERY)), wire.datagram_encode(parts(ANSWER))
    for n = 0, #answer - 1 do refused(answer:sub(1, n)) end
    refused(query:sub(1, 1199))
    refused(query .. "\0", "too_large")
    refused(query:sub(1, 1199) .. "\1") -- padding
    refused(answer .. "\1")
    assert.truthy((wire.datagram_open(answer .. "\0")))
    refused(answer .. ("\0"):rep(1201 - #answer), "too_large")
    refused("SOT2" .. answer:sub(5))
    refused("sot1" .. answer:sub(5))
    for _, kind in ipairs { 0, 4, 255 } do refused("SOT1" .. string.char(kind) .. answer:sub(6)) end
    refused("SOT1\1" .. answer:sub(6)) -- a query that is not padded
  end)

  it("P1.2 refuses lengths that lie", function()
    local n = #text
    for _, lengths in ipairs { { 0, n, 0 }, { n + 1, 0, 0 }, { 65535, 0, 0 }, { n, 1, 0 }, { n, 0, 1 }, { n, 65535,
      65535 },
      { n - 1, 1, 1 } } do
      refused(raw(ANSWER, lengths, text))
    end
    assert.truthy((wire.datagram_open(raw(ANSWER, { n, 0, 0 }, text))))
  end)

  it("P1.1 refuses a record whose signature does not hold", function()
    local d = wire.datagram_encode(parts(ANSWER))
    for _, at in ipairs { 6, 37, 69 } do
      refused(d:sub(1, at - 1) .. string.char(d:byte(at) ~ 4) .. d:sub(at + 1), "crypto")
    end
    local forged = R.text(R.with(record(certificate), { "name" }, "Eve"))
    refused(wire.datagram_encode(parts(ANSWER, { record = forged })), "crypto")
    local other_public = wire.keypair(R.bytes(32, 6))
    local other = R.text(R.with(record(certificate), { "key" }, R.b64(other_public)))
    refused(wire.datagram_encode(parts(ANSWER, { record = other })), "crypto")
  end)

  it("P1.2 refuses a certificate that is not the one its record names", function()
    refused(wire.datagram_encode(parts(ANSWER, { certificate = certificate .. "x" })))
    refused(wire.datagram_encode(parts(ANSWER, { certificate = "x" })))
  end)

  it("P0.5 stands 10,000 mutations", function()
    local samples = { wire.datagram_encode(parts(QUERY)), wire.datagram_encode(parts(ANSWER)),
      wire.datagram_encode(parts(ANSWER, { certificate = "" })) }
    local form, opened = 0, 0
    R.mutations(samples, 10000, 31, function(s)
      if wire.datagram_open(s, true) then form = form + 1 end
      local d = wire.datagram_open(s)
      if d then -- only what the signature does not cover can have changed
        opened = opened + 1
        assert.equal(text, d.record)
        assert.equal(signature, d.signature)
        assert.is_true(d.certificate == "" or d.certificate == certificate)
      end
    end)
    assert.is_true(form > 100 and opened > 10)
  end)
end)
