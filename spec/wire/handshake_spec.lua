local wire = require "support.wire"
local R = require "wire.records"
local K = R.kinds

local function presence_object()
  return {
    { "record", R.b64 "any bytes" }, { "certification", R.b64(R.bytes(100)) }, { "signature", R.b64(R.bytes(64)) },
  }
end

local hello = {
  { "v", 1 }, { "type", "hello" }, { "role", "initiator" }, { "mode", "password" },
  { "fingerprint", R.fingerprint(1) }, { "to", R.fingerprint(2) }, { "nonce", R.b64(R.bytes(32)) },
  { "general", R.b64(R.bytes(32, 2)) }, { "discussion", R.b64(R.bytes(32, 3)) }, { "charter", "all" },
  { "presence", presence_object() },
}

describe("hello (M1)", function()
  R.check("hello", hello, {
    { path = { "role" }, kind = K.choice { "initiator" } },
    { path = { "mode" }, kind = K.choice { "password", "pinned" } },
    { path = { "fingerprint" }, kind = K.fingerprint() },
    { path = { "to" }, kind = K.fingerprint() },
    { path = { "nonce" }, kind = K.binary(32, 32) },
    { path = { "general" }, kind = K.hash() },
    { path = { "discussion" }, kind = K.hash() },
    { path = { "charter" }, kind = K.charter() },
    { path = { "presence" }, kind = K.object() },
    { path = { "presence", "record" }, kind = K.binary(1, 1024), name = "presence.record" },
    { path = { "presence", "certification" }, kind = K.binary(1, 4096), name = "presence.certification" },
    { path = { "presence", "signature" }, kind = K.binary(64, 64), name = "presence.signature" },
  }, { R.with(hello, { "mode" }, "pinned"), R.with(hello, { "charter" }, "2") })

  it("P0.4 fits a frame before authentication with every field at its limit", function()
    local largest = R.with(hello, { "presence", "record" }, R.b64(R.bytes(1024)))
    largest = R.with(largest, { "presence", "certification" }, R.b64(R.bytes(4096)))
    assert.is_true(#R.text(largest) < 16 * 1024 - 1)
  end)

  it("refuses to encode what it would not decode", function()
    local good = R.taken(R.codecs.hello, R.text(hello))
    for field, bad in pairs { mode = 2, fingerprint = "", to = R.id(1), charter = "no" } do
      local changed = setmetatable({ [field] = bad }, { __index = good })
      local plain = {}
      for _, k in ipairs { "mode", "fingerprint", "to", "nonce", "general", "discussion", "charter", "presence" } do
        plain[k] = changed[k]
      end
      local got, name, why = R.codecs.hello.encode(plain)
      assert.is_nil(got)
      assert.equal("bad_params", name)
      assert.truthy(why:find(field, 1, true))
    end
    local got, name = R.codecs.hello.encode { mode = 0, fingerprint = good.fingerprint, to = good.to, charter = "all" }
    assert.is_nil(got)
    assert.equal("bad_params", name)
  end)
end)

local hello_answer = {
  { "v", 1 }, { "type", "hello-answer" }, { "nonce", R.b64(R.bytes(32)) }, { "general", R.b64(R.bytes(32, 2)) },
}
describe("hello-answer (M2)", function()
  R.check("hello-answer", hello_answer, {
    { path = { "nonce" }, kind = K.binary(32, 32) },
    { path = { "general" }, kind = K.hash() },
  })
end)

describe("certificate-wanted", function()
  R.check("certificate-wanted", { { "v", 1 }, { "type", "certificate-wanted" }, { "hash", R.b64(R.bytes(32)) } }, {
    { path = { "hash" }, kind = K.hash() },
  })
end)

local open = {
  { "v", 1 }, { "type", "open" }, { "hello", R.b64(R.bytes(32)) }, { "id", R.id(1) }, { "charter", R.b64(R.bytes(32,
    2)) },
  { "certificate", R.b64(R.bytes(391)) }, { "binding", R.b64(R.bytes(119)) }, { "share", R.b64(R.bytes(32, 3)) },
}
describe("open (M3)", function()
  R.check("open", open, {
    { path = { "hello" }, kind = K.hash() },
    { path = { "id" }, kind = K.id() },
    { path = { "charter" }, kind = K.hash() },
    { path = { "certificate" }, kind = K.binary(1, 1024) },
    { path = { "binding" }, kind = K.binary(1, 4096) },
    { path = { "share" }, kind = K.binary(32, 32) },
  })

  it("splits its frame into signature and message", function()
    local signature = R.bytes(64)
    local payload = wire.open_join(signature, "message")
    assert.equal(signature .. "message", payload)
    assert.same({ signature, "message" }, { wire.open_split(payload) })
    assert.same({ signature, "m" }, { wire.open_split(signature .. "m") })
    for _, n in ipairs { 0, 1, 63, 64 } do
      local got, name = wire.open_split(signature:sub(1, n))
      assert.is_nil(got)
      assert.equal("bad_input", name)
    end
  end)

  it("P2.6 is signed by the presence key over M1, M2 and the sealed part", function()
    local public, secret = wire.keypair(R.bytes(32, 9))
    local signature = wire.open_sign("m1", "m2", "sealed", secret)
    assert.is_true(wire.open_verify("m1", "m2", "sealed", signature, public))
    -- P0.2: "sotto/1 " ‖ type ‖ 0 ‖ lv_cat
    assert.is_true(wire.raw_verify("sotto/1 open\0\2m1\2m2\6sealed", signature, public))
    for _, bad in ipairs { { "m2", "m1", "sealed" }, { "m1", "m2", "sealeD" }, { "m1m", "2", "sealed" }, { "m1",
      "m2s", "ealed" },
      { "", "m1m2", "sealed" }, { "m1", "m2", "" } } do
      assert.is_false(wire.open_verify(bad[1], bad[2], bad[3], signature, public))
    end
    local other = wire.keypair(R.bytes(32, 10))
    assert.is_false(wire.open_verify("m1", "m2", "sealed", signature, other))
    -- a presence record's signature is of another type
    assert.is_false(wire.open_verify("m1", "m2", "sealed", wire.presence_sign("\2m1\2m2\6sealed", secret), public))
  end)
end)

local answer = {
  { "v", 1 }, { "type", "answer" }, { "open", R.b64(R.bytes(32)) }, { "share", R.b64(R.bytes(32, 2)) },
  { "discussion", R.b64(R.bytes(32, 3)) },
}
describe("answer (M4)", function()
  R.check("answer", answer, {
    { path = { "open" }, kind = K.hash() },
    { path = { "share" }, kind = K.binary(32, 32) },
    { path = { "discussion" }, kind = K.hash() },
  })
end)

describe("confirm (M5)", function()
  R.check("confirm", { { "v", 1 }, { "type", "confirm" }, { "mac", R.b64(R.bytes(64)) } }, {
    { path = { "mac" }, kind = K.binary(64, 64) },
  })
end)

local confirm_answer = {
  { "v", 1 }, { "type", "confirm-answer" }, { "mac", R.b64(R.bytes(64)) }, { "certificate", R.b64(R.bytes(391)) },
  { "binding", R.b64(R.bytes(119)) }, { "roster", R.b64(R.bytes(500)) },
}
describe("confirm-answer (M6)", function()
  R.check("confirm-answer", confirm_answer, {
    { path = { "mac" }, kind = K.binary(64, 64) },
    { path = { "certificate" }, kind = K.binary(1, 1024) },
    { path = { "binding" }, kind = K.binary(1, 4096) },
    { path = { "roster" }, kind = K.binary(1, 16384) },
  })
end)

local ready = {
  { "v", 1 }, { "type", "ready" }, { "transcript", R.b64(R.bytes(32)) }, { "roster_hash", R.b64(R.bytes(32, 2)) },
}
describe("ready (M7)", function()
  R.check("ready", ready, {
    { path = { "transcript" }, kind = K.hash() },
    { path = { "roster_hash" }, kind = K.hash() },
  })
end)

describe("refuse", function()
  local reasons = { "refused", "busy", "expired", "superseded" }
  local sample = { { "v", 1 }, { "type", "refuse" }, { "reason", "busy" } }
  R.check("refuse", sample, { { path = { "reason" }, kind = K.choice(reasons) } })

  it("numbers its reasons in their order", function()
    for i, reason in ipairs(reasons) do
      assert.equal(i - 1, R.taken(R.codecs.refuse, R.text(R.with(sample, { "reason" }, reason))).reason)
    end
    local got, name = R.codecs.refuse.encode { reason = 4 }
    assert.is_nil(got)
    assert.equal("bad_params", name)
  end)
end)

local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end

describe("discussion id", function()
  local fingerprint, certificate, nonce = R.fingerprint(1), R.bytes(32, 2), R.bytes(32, 3)
  it("is the first half of H(lv_cat(…)), in hex", function()
    local input = "\12sotto/1 disc" .. "\40" .. fingerprint .. "\32" .. certificate .. "\32" .. nonce
    assert.equal(hex(wire.hash(input):sub(1, 16)), wire.discussion_id(fingerprint, certificate, nonce))
  end)
  it("depends on each of its parts", function()
    local id = wire.discussion_id(fingerprint, certificate, nonce)
    assert.not_equal(id, wire.discussion_id(R.fingerprint(2), certificate, nonce))
    assert.not_equal(id, wire.discussion_id(fingerprint, nonce, nonce))
    assert.not_equal(id, wire.discussion_id(fingerprint, certificate, certificate))
  end)
end)

describe("binding", function()
  it("P2.10 is over id, H(charter), H(certificate) and the own fingerprint", function()
    local id, charter, certificate, fingerprint = R.id(1), R.bytes(32, 1), R.bytes(32, 2), R.fingerprint(3)
    assert.equal("sotto/1 binding\0" .. "\32" .. id .. "\32" .. charter .. "\32" .. certificate .. "\40" .. fingerprint,
      wire.binding_input(id, charter, certificate, fingerprint))
  end)
end)
