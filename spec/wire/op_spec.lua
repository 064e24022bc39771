local R = require "wire.records"
local K = R.kinds

local function op(kind, ...) return { { "v", 1 }, { "type", "op" }, { "op", kind }, ... } end

local admit = op("admit", { "fingerprint", R.fingerprint(1) }, { "certificate", R.b64(R.bytes(32)) }, { "key", R.key_id(1) },
  { "join", R.b64(R.bytes(300)) })
describe("op that admits", function()
  R.check("op", admit, {
    { path = { "op" }, kind = K.choice { "admit" } },
    { path = { "fingerprint" }, kind = K.fingerprint() },
    { path = { "certificate" }, kind = K.hash() },
    { path = { "key" }, kind = K.key_id() },
    { path = { "join" }, kind = K.binary(1, 40960) },
  })
end)

local function rising(n)
  local list = {}
  for i = 1, n do list[i] = R.fingerprint(i) end
  table.sort(list)
  return list
end
local remove = op("remove", { "subjects", { array = rising(2) } })
describe("op that removes", function()
  R.check("op", remove, {
    { path = { "subjects" }, kind = K.array() },
    { path = { "subjects", 1 }, kind = K.fingerprint(), name = "subjects[0]", good = { ("0"):rep(40) } },
  }, { R.with(remove, { "subjects" }, { array = rising(64) }) })

  it("is of one to 64 members, in rising order: one set is one op", function()
    local two = rising(2)
    for _, list in ipairs { {}, rising(65), { two[2], two[1] }, { two[1], two[1] } } do
      R.refused(R.codecs.op, R.text(R.with(remove, { "subjects" }, { array = list })), "subjects")
    end
  end)
end)

local depart = op("depart", { "subjects", { array = rising(2) } },
  { "leaves", { array = { R.b64(R.bytes(32, 1)), R.b64(R.bytes(32, 2)) } } })
describe("op that lets go who leaves", function()
  R.check("op", depart, {
    { path = { "subjects" }, kind = K.array() },
    { path = { "leaves" }, kind = K.array() },
    { path = { "leaves", 2 }, kind = K.hash(), name = "leaves[1]" },
  })

  it("names a LEAVE of each", function()
    R.refused(R.codecs.op, R.text(R.with(depart, { "leaves" }, { array = { R.b64(R.bytes(32)) } })), "leaves")
  end)
end)

local charter = op("charter", { "charter", "3" })
describe("op that changes the charter", function()
  R.check("op", charter, { { path = { "charter" }, kind = K.charter() } }, { R.with(charter, { "charter" }, "all") })
end)
