-- SPDX-License-Identifier: GPL-3.0-or-later
local clock = require "sotto.script.clock"

describe("a standing clock", function()
  local function advance(one, ms)
    local done
    one.advance(ms, function(go_on) go_on() end, function() done = true end)
    assert.is_true(done)
  end

  it("stands, and lets timers happen in their order and at their times", function()
    local one, log = clock.standing(100), {}
    one.after(3000, function() log[#log + 1] = "after " .. one.time() end)
    one.every(2000, function() log[#log + 1] = "every " .. one.time() end)
    assert.are.equal(100, one.time())
    advance(one, 1999)
    assert.are.same({}, log)
    advance(one, 4001)
    assert.are.same({ "every 102", "after 103", "every 104", "every 106" }, log)
    assert.are.equal(6000, one.now())
  end)

  it("knows of timers that are stopped, restarted, and made by others", function()
    local one, log = clock.standing(0), {}
    local stopped = one.after(10, function() log[#log + 1] = "stopped" end)
    stopped:stop()
    local moved = one.after(10, function() log[#log + 1] = "moved" end)
    moved:restart(50)
    one.after(20, function() one.after(20, function() log[#log + 1] = "inner" end) end)
    advance(one, 45)
    assert.are.same({ "inner" }, log)
    advance(one, 5)
    assert.are.same({ "inner", "moved" }, log)
  end)

  it("waits for what a timer has begun", function()
    local one, go, done = clock.standing(0), nil, false
    one.every(10, function() end)
    one.advance(20, function(go_on) go = go_on end, function() done = true end)
    for _ = 1, 3 do
      assert.is_false(done)
      go()
    end
    assert.is_true(done)
  end)
end)
