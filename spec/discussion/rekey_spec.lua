-- Which encryption keys a message may be sealed to (P3.1, P4.2).
local rekey = require "support.rekey"
local world = require "support.messages_world"

local ANNA, BEN, CARLA = 1, 2, 3

describe("rekey", function()
  local keys, roster

  before_each(function()
    keys, roster = rekey.new(3), world.roster(3)
    for i = 1, 3 do assert.is_true(keys:add(i, 0, i * 10)) end
  end)

  local function refuses(text, sender, own, ids)
    local ok, why = keys:fit(sender, own, ids)
    assert.is_nil(ok)
    assert.truthy(why:find(text, 1, true), why)
  end

  it("P4.2 seals to everyone's newest, in roster order", function()
    assert.same({ 20, 30 }, keys:without(ANNA))
    assert.is_true(keys:add(BEN, 5, 21))
    assert.same({ 21, 30 }, keys:without(ANNA))
    assert.is_true(keys:add(BEN, 9, 22))
    assert.same({ 22, 30 }, keys:without(ANNA))
    assert.same({ 10, 22 }, keys:without(CARLA))
  end)

  it("P2.12 what a member says on a link is its newest, until its payload comes and says since when", function()
    assert.is_true(keys:add(BEN, "said", 23))
    assert.is_true(keys:add(BEN, 5, 21))
    assert.is_true(keys:add(BEN, 9, 22))
    assert.equal(23, keys:newest(BEN))
    assert.is_true(keys:fresh(roster, ANNA, { 22, 30 }, { [BEN] = 12 })) -- 23 may be of any later payload
    assert.is_true(keys:add(BEN, 12, 23))
    assert.is_false(keys:fresh(roster, ANNA, { 22, 30 }, { [BEN] = 12 }))
    assert.is_true(keys:add(BEN, "said", 23)) -- said again: nothing new
    assert.is_false(keys:fresh(roster, ANNA, { 22, 30 }, { [BEN] = 12 }))
    assert.is_true(keys:add(BEN, 15, 24))
    assert.equal(24, keys:newest(BEN))
    assert.is_true(keys:add(BEN, 20, 21)) -- an old one once more does not come back
    assert.equal(24, keys:newest(BEN))
  end)

  it("P3.2 no key is of two members, and none is zero", function()
    assert.is_false(keys:add(BEN, 5, 10))
    assert.is_false(keys:add(BEN, 5, 0))
    assert.is_false(keys:knows(BEN, 10))
    assert.is_true(keys:knows(BEN, 20))
  end)

  it("P4.2 keeps at most 4096 of a member", function()
    for i = 1, 4095 do assert.is_true(keys:add(BEN, i, 1000 + i)) end
    assert.is_false(keys:add(BEN, 5000, 9999))
    assert.equal(5095, keys:newest(BEN))
    assert.is_true(keys:add(BEN, 5000, 1001)) -- known
    assert.is_true(keys:add(CARLA, 1, 31))
  end)

  describe("a message", function()
    it("P3.1 is sealed to one key of each other member, in order, old ones among them", function()
      assert.is_true(keys:fit(ANNA, BEN, { 20, 30 }))
      assert.is_true(keys:fit(BEN, CARLA, { 10, 30 }))
      assert.is_true(keys:add(BEN, 5, 21))
      assert.is_true(keys:fit(ANNA, BEN, { 20, 30 }))
      assert.is_true(keys:fit(ANNA, BEN, { 21, 30 }))
    end)

    it("P3.2 is refused with a recipient missing, extra, reordered, twice or hidden", function()
      refuses("1 recipients and not 2", ANNA, BEN, { 20 })
      refuses("3 recipients and not 2", ANNA, BEN, { 20, 30, 99 })
      refuses("no key of member 2", ANNA, BEN, { 30, 20 })
      refuses("no key of member 3", ANNA, BEN, { 20, 20 })
      refuses("hidden", ANNA, BEN, { 20, 0 })
      keys = rekey.new(4)
      for i = 1, 4 do assert.is_true(keys:add(i, 0, i * 10)) end
      refuses("twice", ANNA, BEN, { 20, 99, 99 })
    end)

    it("P3.2 is refused without an own key of mine at my place", function()
      refuses("no key of member 2", ANNA, BEN, { 99, 30 })
      refuses("no key of member 2", ANNA, BEN, { 10, 30 }) -- its sender's
    end)

    it("P4.2 may name a key of a third member that nobody here has heard of yet", function()
      assert.is_true(keys:fit(ANNA, BEN, { 20, 99 }))
      refuses("no key of member 3", ANNA, BEN, { 20, 10 }) -- but none that is another's
      assert.is_true(keys:fresh(roster, ANNA, { 20, 99 }, { [CARLA] = 7 }))
    end)

    it("P3.1 is not sealed to an older key than its sender has seen replaced, and may be to a newer one", function()
      assert.is_true(keys:add(BEN, 5, 21))
      assert.is_true(keys:add(BEN, 9, 22))
      for seen, oldest in pairs { [0] = 20, [4] = 20, [5] = 21, [8] = 21, [9] = 22, [99] = 22 } do
        for _, id in ipairs { 20, 21, 22 } do
          assert.equal(id >= oldest, keys:fresh(roster, ANNA, { id, 30 }, { [BEN] = seen }), ("%d at %d"):format(id, seen))
        end
      end
      assert.is_true(keys:fresh(roster, ANNA, { 20, 30 }, {})) -- has seen nothing
      assert.is_true(keys:fresh(roster, BEN, { 10, 30 }, { [ANNA] = 99 })) -- the sender's own keys do not matter
    end)

    it("P4.2 of what earlier epochs have brought, each is as good as the roster's", function()
      assert.is_true(keys:add(BEN, 0, 25))
      assert.equal(25, keys:newest(BEN))
      assert.is_true(keys:fresh(roster, ANNA, { 20, 30 }, { [BEN] = 99 }))
      assert.is_true(keys:fresh(roster, ANNA, { 25, 30 }, {}))
    end)
  end)
end)
