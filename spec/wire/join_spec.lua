local R = require "wire.records"
local K = R.kinds

local function presence(seed)
  return { { "record", R.b64(R.bytes(120, seed)) }, { "certification", R.b64(R.bytes(90, seed)) },
    { "signature", R.b64(R.bytes(64, seed)) } }
end
local function presence_specs(...)
  local path = { ... }
  local function at(field)
    local whole = { table.unpack(path) }
    whole[#whole + 1] = field
    return whole
  end
  return { path = at "record", kind = K.binary(1, 1024), name = "record" },
    { path = at "certification", kind = K.binary(1, 4096), name = "certification" },
    { path = at "signature", kind = K.binary(64, 64), name = "signature" }
end

local function many(n, make)
  local list = {}
  for i = 1, n do list[i] = make(i) end
  return { array = list }
end
local function counted(kind, sample, make)
  it("is of 2 to 64 members", function()
    for _, n in ipairs { 0, 1, 65 } do R.refused(R.codecs[kind], R.text(R.with(sample, { "members" }, many(n, make))), "members") end
    assert.equal(64, #R.taken(R.codecs[kind], R.text(R.with(sample, { "members" }, many(64, make)))).members)
  end)
  it("has a cap on the whole of it", function()
    local text = R.text(sample)
    R.taken(R.codecs[kind], text .. (" "):rep(224 * 1024 - #text))
    local got, name, why = R.codecs[kind].decode(text .. (" "):rep(224 * 1024 - #text + 1))
    assert.is_nil(got)
    assert.equal("too_large", name)
    assert.truthy(why:find "bytes")
  end)
end

local function invited(i) return { { "certificate", R.b64(R.bytes(391, i)) }, { "presence", presence(i) } } end
local invite = { { "v", 1 }, { "type", "invite" }, { "discussion", R.id(1) }, { "time", 1700000000000 }, { "first", R.b64(R.bytes(32, 2)) },
  { "roster", R.b64(R.bytes(500, 3)) }, { "charter", "all" }, { "members", many(3, invited) } }
describe("INVITE", function()
  R.check("invite", invite, {
    { path = { "discussion" }, kind = K.id() },
    { path = { "time" }, kind = K.time() },
    { path = { "first" }, kind = K.hash() },
    { path = { "roster" }, kind = K.binary(1, 16384) },
    { path = { "charter" }, kind = K.charter() },
    { path = { "members" }, kind = K.array() },
    { path = { "members", 2, "certificate" }, kind = K.binary(1, 1024), name = "members[1].certificate" },
    { path = { "members", 3, "presence" }, kind = K.object(), optional = true },
    presence_specs("members", 1, "presence"),
  }, { R.with(invite, { "members", 1, "presence" }, nil), R.with(invite, { "members" }, many(64, invited)) })
  counted("invite", invite, invited)

  it("holds 64 members with the longest certificates, without their presence", function()
    local longest = function(i) return { { "certificate", R.b64(R.bytes(1024, i)) } } end
    local text = R.text(R.with(R.with(invite, { "members" }, many(64, longest)), { "roster" }, R.b64(R.bytes(16384))))
    assert.equal(64, #R.taken(R.codecs.invite, text).members)
  end)
end)

local join = { { "v", 1 }, { "type", "join" }, { "discussion", R.id(1) }, { "author", R.fingerprint(1) },
  { "roster", R.b64(R.bytes(32, 1)) }, { "charter", R.b64(R.bytes(32, 2)) }, { "certificate", R.b64(R.bytes(391)) },
  { "binding", R.b64(R.bytes(119)) }, { "general", R.b64(R.bytes(400)) }, { "presence", presence(4) } }
describe("JOIN", function()
  R.check("join", join, {
    { path = { "discussion" }, kind = K.id() },
    { path = { "author" }, kind = K.fingerprint() },
    { path = { "roster" }, kind = K.hash() },
    { path = { "charter" }, kind = K.hash() },
    { path = { "certificate" }, kind = K.binary(1, 1024) },
    { path = { "binding" }, kind = K.binary(1, 4096) },
    { path = { "general" }, kind = K.binary(1, 8192) },
    { path = { "presence" }, kind = K.object() },
    presence_specs "presence",
  })

  local function longest()
    local sample = R.with(R.with(R.with(join, { "certificate" }, R.b64(R.bytes(1024))), { "binding" }, R.b64(R.bytes(4096))),
      { "general" }, R.b64(R.bytes(8192)))
    return R.with(sample, { "presence" }, { { "record", R.b64(R.bytes(1024)) }, { "certification", R.b64(R.bytes(4096)) },
      { "signature", R.b64(R.bytes(64)) } })
  end
  it("holds the longest of everything that may be in it, and its envelope fits an op", function()
    local body = R.text(longest())
    R.taken(R.codecs.join, body)
    local envelope = R.text { { "v", 1 }, { "type", "join" }, { "body", R.b64(body) }, { "sig", R.b64(R.bytes(4096)) } }
    local op = R.text { { "v", 1 }, { "type", "op" }, { "op", "admit" }, { "fingerprint", R.fingerprint(1) },
      { "certificate", R.b64(R.bytes(32)) }, { "key", R.key_id(1) }, { "join", R.b64(envelope) } }
    assert.equal(envelope, R.taken(R.codecs.op, op).join)
  end)
  it("has a cap", function()
    local text = R.text(join)
    R.taken(R.codecs.join, text .. (" "):rep(25 * 1024 - #text))
    assert.equal("too_large", select(2, R.codecs.join.decode(text .. (" "):rep(25 * 1024 - #text + 1))))
  end)
end)

local decline = { { "v", 1 }, { "type", "decline" }, { "discussion", R.id(1) }, { "time", 1700000000000 },
  { "reason", "no time" } }
describe("DECLINE", function()
  R.check("decline", decline, {
    { path = { "discussion" }, kind = K.id() },
    { path = { "time" }, kind = K.time() },
    { path = { "reason" }, kind = K.string(0, 256) },
  })
end)

local function founder(i)
  return { { "certificate", R.b64(R.bytes(391, i)) }, { "binding", R.b64(R.bytes(119, i)) }, { "general", R.b64(R.bytes(400, i)) } }
end
local founding = { { "v", 1 }, { "type", "founding" }, { "roster", R.b64(R.bytes(400)) }, { "charter", "all" },
  { "members", many(2, founder) } }
describe("founding", function()
  R.check("founding", founding, {
    { path = { "roster" }, kind = K.binary(1, 16384) },
    { path = { "charter" }, kind = K.charter() },
    { path = { "members" }, kind = K.array() },
    { path = { "members", 1, "certificate" }, kind = K.binary(1, 1024), name = "members[0].certificate" },
    { path = { "members", 2, "binding" }, kind = K.binary(1, 4096), name = "members[1].binding" },
    { path = { "members", 2, "general" }, kind = K.binary(1, 8192), name = "members[1].general" },
  })
  counted("founding", founding, founder)
end)
