-- SPDX-License-Identifier: GPL-3.0-or-later
local roster = require "support.roster"
local hash = require "support.handshake".hash

local id = ("a1"):rep(16)
local charter = hash("all")

local function member(n)
  return {
    fingerprint = ("%040X"):format(n), certificate = hash("certificate " .. n), key = ("%016X"):format(0xabc000 + n),
  }
end

local function members(count)
  local list = {}
  for n = 1, count do list[n] = member((n * 7919) % 1000) end
  return list
end

describe("roster", function()
  it("puts the members of R_0 into the order of their fingerprints, whoever lists them", function()
    local list = members(20)
    local one = assert(roster.begin(id, charter, list))
    local backwards = {}
    for n = #list, 1, -1 do backwards[#backwards + 1] = list[n] end
    assert.equal(one, roster.begin(id, charter, backwards))
    local r = assert(roster.decode(one))
    assert.equal(0, r.epoch)
    assert.equal(id, r.discussion)
    assert.equal(charter, r.charter)
    assert.equal(("\0"):rep(32), r.previous)
    assert.equal(20, #r.members)
    for n = 2, 20 do assert.is_true(r.members[n - 1].fingerprint < r.members[n].fingerprint) end
    for n, m in ipairs(r.members) do assert.equal(n, roster.position(one, m.fingerprint)) end
  end)

  it("has 2 to 64 members", function()
    for _, count in ipairs { 0, 1, 65 } do
      local _, code = roster.begin(id, charter, members(count))
      assert.equal("bad_params", code)
    end
    for _, count in ipairs { 2, 3, 64 } do
      assert.equal(count, #roster.decode(roster.begin(id, charter, members(count))).members)
    end
  end)

  it("P3.2 refuses two members with one fingerprint, certificate or key id", function()
    for _, field in ipairs { "fingerprint", "certificate", "key" } do
      for _, count in ipairs { 2, 5 } do
        local list = members(count)
        list[count][field] = list[1][field]
        local _, code, text = roster.begin(id, charter, list)
        assert.equal("bad_params", code)
        assert.matches("share", text)
      end
    end
  end)

  it("refuses bytes whose members are out of order", function()
    local bytes = roster.begin(id, charter, members(2))
    local swapped, n = bytes:gsub("%[(%b{}),(%b{})%]", "[%2,%1]")
    assert.equal(1, n)
    local _, code = roster.decode(swapped)
    assert.equal("bad_input", code)
    -- in a later epoch the order is that of admission
    local later = swapped:gsub('"epoch":0', '"epoch":1,"previous":"' .. ("A"):rep(43) .. '"')
    assert.equal(1, assert(roster.decode(later)).epoch)
  end)

  it("refuses what is no roster", function()
    for _, bytes in ipairs { "", "{}", "[]", '{"v":1,"type":"roster"}', ("x"):rep(20000) } do
      assert.is_nil((roster.decode(bytes)))
    end
  end)

  it("names the first field that differs", function()
    local list = members(3)
    local one = roster.begin(id, charter, list)
    assert.is_nil(roster.difference(one, one))
    assert.equal("discussion", roster.difference(one, roster.begin(("b2"):rep(16), charter, list)))
    assert.equal("charter", roster.difference(one, roster.begin(id, hash("2"), list)))
    assert.equal("members", roster.difference(one, roster.begin(id, charter, members(4))))
    local later = one:gsub('"epoch":0', '"epoch":1,"previous":"' .. ("A"):rep(43) .. '"')
    assert.equal("epoch", roster.difference(one, later))
    local other = later:gsub('("previous":")A', "%1B")
    assert.equal("previous", roster.difference(later, other))
    for n = 1, 3 do
      for field, value in pairs { fingerprint = ("%040X"):format(999), certificate = hash("x"), key = ("F"):rep(16) } do
        local copy = members(3)
        copy[n][field] = value
        local difference = roster.difference(one, roster.begin(id, charter, copy))
        assert.equal(field, difference)
      end
    end
  end)

  it("P3.1 lists the key ids of everyone but one, in roster order", function()
    local bytes = roster.begin(id, charter, members(5))
    local r = roster.decode(bytes)
    for n, m in ipairs(r.members) do
      local expected = {}
      for k, other in ipairs(r.members) do
        if k ~= n then expected[#expected + 1] = other.key end
      end
      assert.same(expected, roster.keys_without(bytes, m.fingerprint))
    end
    assert.equal(5, #roster.keys_without(bytes, ("F"):rep(40)))
    assert.is_nil(roster.position(bytes, ("F"):rep(40)))
  end)
end)
