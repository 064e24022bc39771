-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whom a member asks for what it lacks of others' payloads (P5.6).
local catchup = require "support.catchup"

local ME, BOB, CAROL, DAVE = 1, 2, 3, 4

describe("catching up", function()
  local m

  local function new(t)
    t.count, t.own = t.count or 4, ME
    m = catchup.new(t)
  end
  local function step(type, member, sender, sequence)
    return table.concat(m:step { type = type, member = member, sender = sender, sequence = sequence }, ", ")
  end
  local function up(member) return step("link_up", member) end
  local function down(member) return step("link_down", member) end
  local function has(member, sender, sequence) return step("has", member, sender, sequence) end
  local function lacks(member, sender, sequence) return step("lacks", member, sender, sequence) end
  local function head(sender, sequence) return step("head", ME, sender, sequence) end
  local function timeout() return step("timeout", ME, ME) end

  describe("in an epoch that has ended", function()
    it("P5.6 asks another member for what an author who is away has said", function()
      new { heads = { 0, 2 }, cut = { 9, 5, 0, 0 } }
      assert.equal(3, m:missing(BOB))
      assert.equal("3 wants 2 after 2, timer", up(CAROL))
      assert.equal("", head(BOB, 4))
      assert.equal("", head(BOB, 5))
      assert.equal(0, m:missing(BOB))
      assert.equal("", up(DAVE))
    end)

    it("P5.6 waits for the author where that is there", function()
      new { cut = { 0, 5 } }
      assert.equal("timer", up(BOB))
      assert.equal("", up(CAROL))
      assert.equal("", head(BOB, 5))
    end)

    it("P5.6 an author who is there and delivers nothing is passed over", function()
      new { cut = { 0, 5 } }
      up(BOB)
      up(CAROL)
      assert.equal("timer", timeout())
      assert.equal("3 wants 2 after 0, timer", timeout())
    end)

    it("P5.6 asks in batches", function()
      new { cut = { 0, 20 } }
      assert.equal("3 wants 2 after 0, timer", up(CAROL))
      assert.equal("", head(BOB, 7))
      assert.equal("3 wants 2 after 8", head(BOB, 8))
      assert.equal("3 wants 2 after 16", head(BOB, 16))
      assert.equal("", head(BOB, 20))
    end)

    it("P5.6 asks the next where one has no more, once what that one had is here", function()
      new { cut = { 0, 5 } }
      up(CAROL)
      up(DAVE)
      assert.equal("", lacks(CAROL, BOB, 2))
      assert.equal("", head(BOB, 1))
      assert.equal("4 wants 2 after 2", head(BOB, 2))
      assert.equal("", lacks(DAVE, BOB, 2))
      assert.equal(3, m:missing(BOB))
      -- somebody who knows more comes back
      down(CAROL)
      assert.equal("3 wants 2 after 2", up(CAROL))
    end)

    it("P5.6 asks the next where one is silent, or its link is gone", function()
      new { cut = { 0, 5 } }
      assert.equal("3 wants 2 after 0, timer", up(CAROL))
      up(DAVE)
      assert.equal("timer", timeout())
      assert.equal("4 wants 2 after 0, timer", timeout())
      assert.equal("", down(DAVE))
      assert.equal("4 wants 2 after 0", up(DAVE))
      assert.equal("timer", timeout())
      assert.equal("", timeout()) -- nobody is left, and nothing is waited for
      assert.equal(5, m:missing(BOB))
    end)

    it("P5.6 asks nobody before what came earlier is here", function()
      new { cut = { 0, 5, 4 }, waits = true }
      assert.equal("", up(DAVE))
      assert.is_false(m:is_busy())
      assert.equal("4 wants 2 after 0, 4 wants 3 after 0, timer", step("go", ME, ME))
      assert.is_true(m:is_busy())
      head(BOB, 5)
      assert.equal("", lacks(DAVE, CAROL, 0))
      assert.is_false(m:is_busy())
    end)

    it("P5.6 who sent a part of it is asked for the rest", function()
      new { cut = { 0, 5 } }
      up(CAROL)
      assert.equal("timer", timeout())
      head(BOB, 2)
      assert.equal("3 wants 2 after 2, timer", timeout())
    end)

    it("P5.6 who says that it has more than it sends is not asked over and over", function()
      new { cut = { 0, 5 } }
      up(CAROL)
      for _ = 1, 10 do assert.equal("", lacks(CAROL, BOB, 1000)) end
      assert.equal("timer", timeout())
      assert.equal("", timeout())
    end)
  end)

  describe("in the present epoch", function()
    it("P5.6 asks for what a member says that it has of one who is away", function()
      new { heads = { 0, 2, 7 } }
      assert.equal("", up(CAROL))
      assert.equal("", has(CAROL, BOB, 2))
      assert.equal("3 wants 2 after 2, timer", has(CAROL, BOB, 3))
      assert.equal("", has(CAROL, BOB, 4))
      assert.equal("", lacks(CAROL, BOB, 4))
      assert.equal("", head(BOB, 4))
      assert.equal("3 wants 2 after 4", has(CAROL, BOB, 5))
    end)

    it("P5.6 what nobody who is there has is not missed, nor what one says of itself or of me", function()
      new { heads = {} }
      up(CAROL)
      assert.equal("", has(CAROL, CAROL, 5))
      assert.equal("", has(CAROL, ME, 5))
      up(DAVE)
      assert.equal("4 wants 2 after 0, timer", has(DAVE, BOB, 5))
      assert.equal("", down(DAVE))
      assert.equal(0, m:missing(BOB))
    end)

    it("P5.6 of one who is there nothing is asked of others, unless it does not deliver", function()
      new { heads = {} }
      up(BOB)
      up(CAROL)
      assert.equal("timer", has(CAROL, BOB, 3))
      assert.equal("timer", timeout())
      assert.equal("3 wants 2 after 0, timer", timeout())
    end)
  end)
end)
