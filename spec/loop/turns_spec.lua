-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "support.loop"

describe("turns", function()
  local t
  before_each(function() t = loop.measure() end)

  it("counts and sums, and says which was the longest", function()
    t:add(1000, 0.001, 0.0005)
    t:add(1001, 0.012, 0.0004)
    t:add(1002, 0.003, 0.0025)
    local r = t:read(1002)
    assert.equal(3, r.count)
    assert.near(0.016, r.sum, 1e-9)
    assert.equal(0.012, r.longest)
    assert.equal(0.0025, r.longest_computing)
  end)

  it("counts those within a bound, which also has those within a smaller one", function()
    for _, took in ipairs { 0.0001, 0.001, 0.0011, 0.01, 0.011, 1 } do t:add(1000, took, 0) end
    assert.same({ [0.0005] = 1, [0.001] = 2, [0.002] = 3, [0.005] = 3, [0.01] = 4, [0.05] = 5 }, t:read(1000).within)
  end)

  it("forgets after a minute what was long, but not that it ever was", function()
    t:add(1000, 0.5, 0.2)
    t:add(1030, 0.02, 0.03)
    assert.equal(0.5, t:read(1050).recent)
    assert.equal(0.2, t:read(1050).recent_computing)
    assert.equal(0.02, t:read(1061).recent)
    assert.equal(0.03, t:read(1061).recent_computing)
    assert.equal(0, t:read(1100).recent)
    assert.equal(0.5, t:read(1100).longest)
    t:add(1101, 0.001, 0)
    assert.equal(0.001, t:read(1101).recent)
  end)

  it("takes long pauses, and a clock near its zero", function()
    t:add(0, 0.3, 0.1)
    assert.equal(0.3, t:read(1).recent)
    t:add(1e9, 0.001, 0)
    assert.equal(0.001, t:read(1e9).recent)
    assert.equal(0, t:read(2e9).recent)
    assert.equal(2, t:read(2e9).count)
  end)

  it("are measured by the loop, from its waking to its sleep", function()
    local before, fired, deferred = loop.took(), false, nil
    local timer = loop.after(1, function()
      local from = loop.now()
      while loop.now() - from < 25 do end
      fired = true
    end)
    assert.is_true(loop.wait(function() return fired end))
    loop.turn()
    local after = loop.took()
    assert.is_true(after.count > before.count)
    assert.is_true(after.longest >= 0.024 and after.longest_computing > 0)
    assert.is_true(after.sum - before.sum >= 0.024)
    -- what is deferred belongs to the turn; the time asleep does not
    local begun = loop.now()
    local slept = loop.after(500, function() deferred = true end)
    assert.is_true(loop.wait(function() return deferred end))
    assert.is_true(loop.took().sum - after.sum < (loop.now() - begun) / 1000 - 0.05)
    local late = loop.defer(function()
      local from = loop.now()
      while loop.now() - from < 60 do end
    end)
    loop.turn()
    assert.is_true(loop.took().longest >= 0.059)
    timer:free()
    slept:free()
    late:free()
  end)
end)
