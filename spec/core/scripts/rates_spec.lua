-- SPDX-License-Identifier: GPL-3.0-or-later
local journal = require "sotto.core.scripts.journal"
local rates = require "sotto.core.scripts.rates"

local lines = { rate = 2000, burst = 4000 }

describe("a script's rates", function()
  local limits = { calls = { rate = 10, burst = 20 }, sends = { rate = 2, burst = 4 }, lines = lines }

  it("let a burst through, and so many a second after it", function()
    local own = rates.new(limits, 0)
    for _ = 1, 20 do assert.are.equal("ok", own:take(0, 0)) end
    assert.are.equal("busy", own:take(0, 0))
    assert.are.equal("ok", own:take(0, 100))
    assert.are.equal("busy", own:take(0, 100))
  end)

  it("count messages, and those of one call together", function()
    local own = rates.new(limits, 0)
    assert.are.equal("ok", own:take(4, 0))
    assert.are.equal("busy", own:take(1, 0))
    assert.are.equal("ok", own:take(0, 0))
    assert.are.equal("ok", own:take(2, 1000))
  end)

  it("see a flood in what goes on asking", function()
    local own, verdict = rates.new(limits, 0), nil
    for _ = 1, 20 + rates.REFUSALS.burst + 1 do verdict = own:take(0, 0) end
    assert.are.equal("flood", verdict)
  end)

  it("see a flood also where the machine is slow", function()
    local own, now, verdict = rates.new(limits, 0), 0
    repeat
      now = now + 30
      verdict = own:take(0, now)
    until verdict == "flood" or now > 60000
    assert.are.equal("flood", verdict)
  end)

  it("see none in what is refused now and then", function()
    local own = rates.new(limits, 0)
    for i = 1, 5000 do assert.are_not.equal("flood", own:take(0, i * 50)) end
  end)
end)

describe("a script's lines", function()
  local limits = { calls = { rate = 10, burst = 20 }, sends = { rate = 2, burst = 4 }, lines = lines }

  it("are read as fast as the core can bear, and for ten seconds beyond that", function()
    local own, now, verdicts = rates.new(limits, 0), 0, {}
    for _ = 1, 200 do
      for _ = 1, 1000 do
        local verdict = own:line(now)
        verdicts[verdict] = (verdicts[verdict] or 0) + 1
        if verdict ~= "ok" then break end
      end
      if verdicts.flood then break end
      now = now + rates.PAUSE_MS
    end
    assert.are.equal(rates.PAUSES_MAX, verdicts.pause)
    assert.are.equal(1, verdicts.flood)
    assert.is_true(now >= 9000 and now <= 12000, now)
    assert.is_true(verdicts.ok <= lines.burst + lines.rate * now / 1000 + 1)
  end)

  it("may come in bursts for ever", function()
    local own, now = rates.new(limits, 0), 0
    for _ = 1, 100 do
      for _ = 1, 3 * lines.burst do
        local verdict = own:line(now)
        assert.are_not.equal("flood", verdict)
        if verdict == "pause" then now = now + rates.PAUSE_MS end
      end
      now = now + 10000
    end
  end)

  it("that say something are left out beyond a measure, and counted", function()
    local own = rates.new(limits, 0)
    for _ = 1, rates.SAYINGS.burst do assert.are.same({ true, 0 }, { own:say(0) }) end
    for _ = 1, 100 do assert.is_false((own:say(0))) end
    assert.are.same({ true, 100 }, { own:say(1000) })
    assert.are.same({ true, 0 }, { own:say(1000) })
  end)
end)

describe("a script's journal", function()
  it("keeps the newest lines", function()
    local own = journal.new()
    for i = 1, journal.LINES_MAX + 10 do own:add(i, "info", "line " .. i) end
    local list = own:list()
    assert.are.equal(journal.LINES_MAX, #list)
    assert.are.equal("line 11", list[1].text)
    assert.are.equal("line " .. journal.LINES_MAX + 10, list[#list].text)
  end)

  it("keeps so many bytes, and the newest line whatever its length", function()
    local own = journal.new()
    for i = 1, 10 do own:add(i, "info", ("x"):rep(journal.BYTES_MAX // 4)) end
    assert.is_true(#own:list() <= 4)
    own:add(11, "info", ("y"):rep(journal.BYTES_MAX + 1))
    assert.are.equal(1, #own:list())
  end)
end)
