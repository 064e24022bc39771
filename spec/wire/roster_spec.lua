local R = require "wire.records"
local K = R.kinds

local function member(i)
  return { { "fingerprint", R.fingerprint(i) }, { "certificate", R.b64(R.bytes(32, 100 + i)) }, { "key", R.key_id(i) } }
end
local function members(n)
  local out = {}
  for i = 1, n do out[i] = member(i) end
  return { array = out }
end
local roster = {
  { "v", 1 }, { "type", "roster" }, { "discussion", R.id(1) }, { "epoch", 0 }, { "charter", R.b64(R.bytes(32)) },
  { "members", members(2) },
}
local later = {
  { "v", 1 }, { "type", "roster" }, { "discussion", R.id(1) }, { "epoch", 5 }, { "previous", R.b64(R.bytes(32, 9)) },
  { "charter", R.b64(R.bytes(32)) }, { "members", members(3) },
}
local codec = R.codecs.roster

describe("roster of the first epoch", function()
  R.check("roster", roster, {
    { path = { "discussion" }, kind = K.id() },
    { path = { "epoch" }, kind = K.epoch(), good = { 0 } },
    { path = { "charter" }, kind = K.hash() },
    { path = { "members" }, kind = K.array() },
    { path = { "members", 2, "fingerprint" }, kind = K.fingerprint(), name = "members[1].fingerprint" },
    { path = { "members", 2, "certificate" }, kind = K.hash(), name = "members[1].certificate" },
    { path = { "members", 2, "key" }, kind = K.key_id(), name = "members[1].key" },
  }, { later, R.with(roster, { "members" }, members(4)) })

  it("names no roster before it", function()
    R.refused(codec, R.text(R.with(roster, { "previous" }, R.b64(R.bytes(32)))), "previous")
    R.refused(codec, R.text(R.with(roster, { "previous" }, R.raw "null")), "previous")
  end)
end)

describe("roster of a later epoch", function()
  R.check("roster", later, {
    { path = { "epoch" }, kind = K.epoch(), good = { 1, 4294967295 } },
    { path = { "previous" }, kind = K.hash() },
  })
end)

describe("roster", function()
  it("has 2 to 64 members, and fits its bytes then", function()
    for _, n in ipairs { 2, 3, 63, 64 } do
      local text = R.text(R.with(later, { "members" }, members(n)))
      assert.is_true(#text < 16 * 1024)
      local got = R.taken(codec, text)
      assert.equal(n, #got.members)
      assert.equal(text, codec.encode(got))
    end
    for _, n in ipairs { 0, 1, 65, 66 } do
      R.refused(codec, R.text(R.with(later, { "members" }, members(n))), "members")
      local good = R.taken(codec, R.text(later))
      for i = 1, n do good.members[i] = { fingerprint = R.fingerprint(i), certificate = R.bytes(32, i),
        key = R.key_id(i) } end
      for i = n + 1, #good.members do good.members[i] = nil end
      assert.equal("bad_params", select(2, codec.encode(good)))
    end
  end)

  it("keeps its members in the order it got", function()
    local swapped = R.with(roster, { "members" }, { array = { member(2), member(1) } })
    assert.equal(R.fingerprint(2), R.taken(codec, R.text(swapped)).members[1].fingerprint)
  end)

  it("P3.2 refuses two equal fingerprints, certificates or key ids, wherever they stand", function()
    local full = R.with(later, { "members" }, members(5))
    for _, key in ipairs { "fingerprint", "certificate", "key" } do
      for i = 1, 5 do
        for j = 1, 5 do
          if i ~= j then
            local same = R.get(member(j), key)
            R.refused(codec, R.text(R.with(full, { "members", i, key }, same)), "members")
            local good = R.taken(codec, R.text(full))
            good.members[i][key] = good.members[j][key]
            assert.equal("bad_params", select(2, codec.encode(good)))
          end
        end
      end
    end
  end)

  it("is at most 16 KiB", function()
    local text = R.text(roster)
    R.taken(codec, text .. (" "):rep(16384 - #text))
    R.refused(codec, text .. (" "):rep(16385 - #text))
  end)
end)
