-- SPDX-License-Identifier: GPL-3.0-or-later
local budget = require "support.budget"

local MINUTE, DAY = 60000, 86400000
local now = 1750000000000

describe("budget", function()
  local function spend(b, at)
    local after, code = budget.spend(b, at)
    return code, after
  end

  local function spent()
    local b = budget.new()
    for _ = 1, 3 do
      local code
      code, b = spend(b, now)
      assert.equal("ok", code)
    end
    return b
  end

  it("P2.2 allows three guesses and refuses the fourth", function()
    local code, after = spend(spent(), now)
    assert.equal("refused", code)
    assert.equal(0, after.left)
  end)

  it("P2.2 waits for nothing while guesses are left", function()
    local _, b = spend(budget.new(), now)
    assert.equal(2, b.left)
    assert.equal(0, budget.wait(b, now))
    local same, changed = budget.refresh(b, now + 10 * DAY)
    assert.same(b, same)
    assert.is_false(changed)
  end)

  it("P2.2 gives one guess back after 10 minutes, not a millisecond sooner", function()
    local b = spent()
    assert.equal(10 * MINUTE, budget.wait(b, now))
    assert.equal("refused", (spend(b, now + 10 * MINUTE - 1)))
    local code, after = spend(b, now + 10 * MINUTE)
    assert.equal("ok", code)
    assert.equal(0, after.left)
    assert.equal("refused", (spend(after, now + 10 * MINUTE)))
  end)

  it("P2.2 gives only one back, however long nobody guesses", function()
    local b = budget.refresh(spent(), now + 30 * DAY)
    assert.equal(1, b.left)
    b = budget.refresh(b, now + 60 * DAY)
    assert.equal(1, b.left)
    assert.equal(1, b.refills)
  end)

  it("P2.2 doubles the wait up to a day", function()
    local b, at = spent(), now
    local waits = {}
    for i = 1, 12 do
      waits[i] = budget.wait(b, at)
      at = at + waits[i]
      local code
      code, b = spend(b, at)
      assert.equal("ok", code)
    end
    for i = 1, 8 do assert.equal(math.min(10 * MINUTE * 2 ^ (i - 1), DAY), waits[i]) end
    for i = 9, 12 do assert.equal(DAY, waits[i]) end
  end)

  it("P2.2 restores all three and the short wait on success", function()
    local b = budget.refresh(spent(), now + DAY)
    b = budget.restore(b)
    assert.same(budget.new(), b)
    assert.equal(10 * MINUTE, budget.wait(spent(), now))
  end)

  it("P2.2 survives a clock that is set back: at most the wait it stands for", function()
    local b = spent()
    assert.equal(10 * MINUTE, budget.wait(b, now - 365 * DAY))
    local after, changed = budget.refresh(b, now - 365 * DAY)
    assert.is_true(changed)
    assert.equal(now - 365 * DAY + 10 * MINUTE, after.next_refill_at)
  end)

  it("P2.2 makes no guess out of a damaged row", function()
    assert.equal(3, budget.refresh({ left = 4000000000, refills = 0 }, now).left)
    local b = budget.refresh({ left = 0, refills = 4294967295, next_refill_at = 0 }, now)
    assert.equal(0, b.left)
    assert.equal(now + DAY, b.next_refill_at)
    b = budget.refresh({ left = 0, refills = 0, next_refill_at = math.maxinteger }, now)
    assert.equal(now + 10 * MINUTE, b.next_refill_at)
    b = budget.refresh({ left = 2, refills = 1, next_refill_at = 5 }, now)
    assert.same({ left = 2, refills = 1, next_refill_at = 0 }, b)
    b = budget.refresh({ left = 0, refills = 4294967295, next_refill_at = 1 }, now)
    assert.equal(4294967295, b.refills)
  end)
end)
