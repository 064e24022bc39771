local R = require "wire.records"
local K = R.kinds

local function statement(type, ...)
  return { { "v", 1 }, { "type", type }, { "roster", R.b64(R.bytes(32, 5)) }, { "author", R.fingerprint(1) }, ... }
end
local function fields(...)
  return { { path = { "roster" }, kind = K.hash() }, { path = { "author" }, kind = K.fingerprint() }, ... }
end
local function round() return { path = { "round" }, kind = K.integer(0, 4294967295) } end
local function name(i) return R.b64(R.bytes(32, i)) end
local function names(n)
  local list = {}
  for i = 1, n do list[i] = name(i) end
  return { array = list }
end
local function head(sequence)
  if sequence == 0 then return { { "sequence", 0 } } end
  return { { "sequence", sequence }, { "hash", name(sequence) } }
end
local function heads(n)
  local list = {}
  for i = 1, n do list[i] = head(i - 1) end
  return { array = list }
end
local lock = { { "round", 2 }, { "value", name(77) } }

local propose = statement("propose", { "op", R.b64(R.bytes(200)) })
describe("PROPOSE", function() R.check("propose", propose, fields { path = { "op" }, kind = K.binary(1, 65536) }) end)

local answer = statement("consent", { "op", name(1) }, { "answer", "consent" }, { "by", "person" }, { "reason", "a friend" })
describe("CONSENT and REFUSE", function()
  R.check("consent", answer, fields({ path = { "op" }, kind = K.hash() },
    { path = { "answer" }, kind = K.choice { "consent", "refuse" } }, { path = { "by" }, kind = K.choice { "person", "policy" } },
    { path = { "reason" }, kind = K.string(0, 256) }))
end)

-- of a roster of three
local function state_specs(type, sample, ...)
  local list = fields({ path = { "heads" }, kind = K.array() },
    { path = { "heads", 2, "sequence" }, kind = K.integer(0, 9007199254740991), name = "heads[1].sequence", good = { 1 } },
    { path = { "heads", 2, "hash" }, kind = K.hash(), name = "hash" },
    { path = { "lock" }, kind = K.object(), optional = true },
    { path = { "lock", "round" }, kind = K.integer(0, 4294967295), name = "lock.round" },
    { path = { "lock", "value" }, kind = K.hash(), name = "lock.value" }, ...)
  R.check(type, sample, list, { R.with(sample, { "lock" }, nil), R.with(sample, { "heads" }, heads(64)) })

  it("has a head for each of 2 to 64 members, with a hash where there is something", function()
    local codec = R.codecs[type]
    for _, n in ipairs { 0, 1, 65 } do R.refused(codec, R.text(R.with(sample, { "heads" }, heads(n))), "heads") end
    R.refused(codec, R.text(R.with(sample, { "heads", 1 }, { { "sequence", 0 }, { "hash", name(1) } })), "hash")
  end)
end

describe("STATUS", function()
  state_specs("status", statement("status", { "round", 3 }, { "heads", heads(3) }, { "lock", lock }), round())
end)
describe("LEAVE", function() state_specs("leave", statement("leave", { "heads", heads(3) }, { "lock", lock })) end)

local order = statement("order", { "round", 3 }, { "op", name(9) }, { "consents", names(3) }, { "states", names(2) },
  { "lock", lock }, { "votes", names(2) }, { "cut", heads(3) }, { "next", R.b64(R.bytes(500)) })
describe("ORDER", function()
  R.check("order", order, fields(round(), { path = { "op" }, kind = K.hash() }, { path = { "consents" }, kind = K.array() },
    { path = { "consents", 1 }, kind = K.hash(), name = "consents[0]" }, { path = { "states" }, kind = K.array() },
    { path = { "states", 2 }, kind = K.hash(), name = "states[1]" }, { path = { "lock", "value" }, kind = K.hash() },
    { path = { "votes" }, kind = K.array() }, { path = { "votes", 1 }, kind = K.hash(), name = "votes[0]" },
    { path = { "cut" }, kind = K.array() }, { path = { "next" }, kind = K.binary(1, 16384) }),
    { R.with(R.with(order, { "lock" }, nil), { "votes" }, nil), R.with(order, { "consents" }, { array = {} }) })

  it("names at most 64 of each, and at least one state", function()
    for _, field in ipairs { "consents", "states", "votes" } do
      R.refused(R.codecs.order, R.text(R.with(order, { field }, names(65))), field)
    end
    R.refused(R.codecs.order, R.text(R.with(order, { "states" }, { array = {} })), "states")
    R.taken(R.codecs.order, R.text(R.with(order, { "states" }, names(64))))
  end)
end)

for _, type in ipairs { "vote", "commit" } do
  describe(type:upper(), function()
    R.check(type, statement(type, { "round", 3 }, { "value", name(1) }), fields(round(), { path = { "value" }, kind = K.hash() }))
  end)
end
