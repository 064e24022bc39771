-- SPDX-License-Identifier: GPL-3.0-or-later
local supervisor = require "sotto.core.scripts.supervisor"

describe("a script's life", function()
  local life

  before_each(function() life = supervisor.new() end)

  local function running(now)
    assert.are.equal("spawn", life:load(now))
    life:has_started(now)
    assert.are.equal("running", life.state)
  end

  it("begins with load, and runs once the main chunk has", function()
    assert.are.equal("stopped", life.state)
    running(0)
    assert.is_nil(life.wake)
  end)

  it("rests longer after each failure, and starts again by itself", function()
    running(0)
    local act, told = life:failed(10, "crashed", false)
    assert.is_nil(act)
    assert.are.equal("failed", told)
    assert.are.equal("resting", life.state)
    assert.are.equal(10 + supervisor.REST_FIRST_MS, life.wake)
    assert.is_nil((life:tick(life.wake - 1)))
    assert.are.equal("spawn", (life:tick(life.wake)))
    life:has_started(2000)
    life:failed(2001, "crashed", false)
    assert.are.equal(2001 + 2 * supervisor.REST_FIRST_MS, life.wake)
  end)

  it("is disabled after five failures in a minute, and not after as many in an hour", function()
    running(0)
    for i = 1, supervisor.FAILURES_MAX - 1 do
      local _, told = life:failed(i, "crashed", false)
      assert.are.equal("failed", told)
      life:tick(life.wake)
      life:has_started(i)
    end
    local _, told = life:failed(50000, "crashed", false)
    assert.are.equal("disabled", told)
    assert.are.equal("crashed", life.reason)
    assert.is_nil(life.wake)
    life = supervisor.new()
    running(0)
    for i = 1, 20 do
      _, told = life:failed(i * 60000, "crashed", false)
      assert.are.equal("failed", told)
      life:tick(life.wake)
      life:has_started(i * 60000)
    end
  end)

  it("that has run for long begins with a short rest again", function()
    running(0)
    for i = 1, 3 do
      life:failed(i * 70000, "crashed", false)
      life:tick(life.wake)
      life:has_started(i * 70000)
    end
    local now = 210000 + supervisor.RECOVERED_MS + 1
    life:failed(now, "crashed", false)
    assert.are.equal(now + supervisor.REST_FIRST_MS, life.wake)
  end)

  it("kills what is late to start, and what is to be ended", function()
    life:load(0)
    local act, told = life:tick(supervisor.START_MS)
    assert.are.equal("kill", act)
    assert.are.equal("failed", told)
    life = supervisor.new()
    running(0)
    assert.are.equal("kill", life:stop())
    assert.are.equal("stopped", life.state)
    assert.is_nil(life:stop())
  end)

  it("forgets earlier failures when a person loads it again", function()
    running(0)
    for i = 1, supervisor.FAILURES_MAX do
      life:failed(i, "crashed", false)
      if life.wake then life:tick(life.wake) end
    end
    assert.are.equal("disabled", life.state)
    running(100)
    local _, told = life:failed(101, "crashed", false)
    assert.are.equal("failed", told)
  end)

  it("hears of one end once", function()
    running(0)
    life:failed(1, "crashed", false)
    local act, told = life:failed(2, "crashed", false)
    assert.is_nil(act)
    assert.is_nil(told)
  end)
end)
