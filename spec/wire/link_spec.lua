local R = require "wire.records"
local K = R.kinds

local link = {
  { "v", 1 }, { "type", "link" }, { "nonce", R.b64(R.bytes(32)) }, { "key", R.b64(R.bytes(32, 2)) }, { "proof",
    R.b64(R.bytes(32, 3)) },
}
describe("link (L1)", function()
  R.check("link", link, {
    { path = { "nonce" }, kind = K.binary(32, 32) },
    { path = { "key" }, kind = K.binary(32, 32) },
    { path = { "proof" }, kind = K.hash() },
  })
end)

local link_answer = {
  { "v", 1 }, { "type", "link-answer" }, { "nonce", R.b64(R.bytes(32)) }, { "key", R.b64(R.bytes(32, 2)) },
}
describe("link-answer (L2)", function()
  R.check("link-answer", link_answer, {
    { path = { "nonce" }, kind = K.binary(32, 32) },
    { path = { "key" }, kind = K.binary(32, 32) },
  })
end)

local link_proof = {
  { "v", 1 }, { "type", "link-proof" }, { "fingerprint", R.fingerprint(1) }, { "epoch", 3 },
  { "roster_hash", R.b64(R.bytes(32)) }, { "rekeys", "" }, { "signature", R.b64(R.bytes(119)) },
}
describe("link-proof (L2, L3)", function()
  R.check("link-proof", link_proof, {
    { path = { "fingerprint" }, kind = K.fingerprint() },
    { path = { "epoch" }, kind = K.epoch() },
    { path = { "roster_hash" }, kind = K.hash() },
    { path = { "rekeys" }, kind = K.binary(0, 65536) },
    { path = { "signature" }, kind = K.binary(1, 4096) },
  }, { R.with(link_proof, { "rekeys" }, R.b64(R.bytes(100))) })
end)

local function row(i, epoch, sequence)
  local hash = sequence == 0 and ("\0"):rep(32) or R.bytes(32, i)
  return { { "fingerprint", R.fingerprint(i) }, { "epoch", epoch }, { "sequence", sequence }, { "hash", R.b64(hash) } }
end
local function rows(n)
  local out = {}
  for i = 1, n do out[i] = row(i, i, i - 1) end
  return { array = out }
end
local presence = {
  { "record", R.b64 "any bytes" }, { "certification", R.b64(R.bytes(100)) }, { "signature", R.b64(R.bytes(64)) },
}
local seen = {
  { "v", 1 }, { "type", "seen" }, { "members", { array = { row(1, 0, 7), row(2, 0, 0) } } }, { "presence", presence },
}

describe("seen (L4)", function()
  local codec = R.codecs.seen
  R.check("seen", seen, {
    { path = { "members" }, kind = K.array() },
    { path = { "members", 1, "fingerprint" }, kind = K.fingerprint(), name = "members[0].fingerprint" },
    { path = { "members", 1, "epoch" }, kind = K.epoch(), name = "members[0].epoch" },
    { path = { "members", 1, "sequence" }, kind = K.integer(0, 9007199254740991), good = { 1, 9007199254740991 },
      name = "members[0].sequence" },
    { path = { "members", 1, "hash" }, kind = K.hash(), name = "members[0].hash" },
    { path = { "presence" }, kind = K.object(), optional = true },
    { path = { "presence", "record" }, kind = K.binary(1, 1024), name = "presence.record" },
    { path = { "presence", "certification" }, kind = K.binary(1, 4096), name = "presence.certification" },
    { path = { "presence", "signature" }, kind = K.binary(64, 64), name = "presence.signature" },
  }, { R.with(seen, { "presence" }, nil), R.with(seen, { "members" }, rows(5)) })

  it("holds up to 64 members, none where somebody joins", function()
    assert.equal(1, #R.taken(codec, R.text(R.with(seen, { "members" }, rows(1)))).members)
    local full = R.taken(codec, R.text(R.with(seen, { "members" }, rows(64))))
    assert.equal(64, #full.members)
    assert.same(full, codec.decode(codec.encode(full)))
    assert.equal(0, #R.taken(codec, R.text(R.with(seen, { "members" }, rows(0)))).members)
    R.refused(codec, R.text(R.with(seen, { "members" }, rows(65))), "members")
    for _, n in ipairs { 65 } do
      local list = {}
      for i = 1, n do list[i] = { fingerprint = R.fingerprint(i), epoch = 0, sequence = 1, hash = R.bytes(32) } end
      assert.equal("bad_params", select(2, codec.encode { members = list }))
    end
  end)

  it("refuses a member twice, and a hash where there is no payload", function()
    R.refused(codec, R.text(R.with(seen, { "members" }, { array = { row(1, 0, 1), row(2, 0, 1), row(1, 1, 2) } })),
      "members")
    R.refused(codec, R.text(R.with(seen, { "members", 1, "sequence" }, 0)), "members")
    local good = R.taken(codec, R.text(seen))
    good.members[2].hash = R.bytes(32)
    assert.equal("bad_params", select(2, codec.encode(good)))
    good.members[2] = good.members[1]
    assert.equal("bad_params", select(2, codec.encode(good)))
  end)
end)
