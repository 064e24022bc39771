-- SPDX-License-Identifier: GPL-3.0-or-later
local json = require "sotto.json"
local writes = require "sotto.core.scripts.writes"

describe("a script's writes", function()
  local own, kept, commits, now, deferred, timers, failures, problem

  before_each(function()
    kept, commits, now, deferred, timers, failures, problem = {}, 0, 1000, {}, {}, {}, nil
    own = writes.new {
      put = function(set, drop)
        if problem then return nil, problem end
        commits = commits + 1
        for _, path in ipairs(drop) do kept[json.encode(json.array(path))] = nil end
        for _, leaf in ipairs(set) do kept[json.encode(json.array(leaf[1]))] = leaf[2] end
        return {}
      end,
      failed = function(message) failures[#failures + 1] = message end,
      defer = function(f) deferred[#deferred + 1] = f end,
      after = function(ms, f)
        local timer = { at = now + ms, f = f }
        timers[timer] = true
        function timer:stop() timers[self] = nil end
        return timer
      end,
      now = function() return now end,
    }
  end)

  local function turn()
    local list = deferred
    deferred = {}
    for _, f in ipairs(list) do f() end
  end

  local function pass(ms)
    now = now + ms
    for timer in pairs(timers) do
      if timer.at <= now then
        timers[timer] = nil
        timer.f()
      end
    end
  end

  it("are on the disk at the end of the turn, in one commit", function()
    for i = 1, 100 do own:put({ { { "k" .. i }, i } }, {}) end
    assert.are.equal(0, commits)
    turn()
    assert.are.equal(1, commits)
    assert.are.equal(100, kept['["k100"]'])
    turn()
    assert.are.equal(1, commits)
  end)

  it("come so often and no more", function()
    for _ = 1, 1000 do
      own:put({ { { "k" }, now } }, {})
      turn()
      pass(1)
    end
    assert.is_true(commits <= 1000 // writes.PAUSE_MS + 1, commits)
    assert.is_true(commits >= 10, commits)
    pass(writes.PAUSE_MS)
    assert.are.equal(1999, kept['["k"]'])
    assert.is_nil(next(timers))
  end)

  it("are the same together as one by one", function()
    own:put({ { { "a", "b" }, 1 } }, {})
    own:put({}, { { "a", "b" } })
    own:put({ { { "c" }, 1 } }, {})
    own:put({ { { "c" }, 2 } }, { { "c" } })
    own:put({ { { "a", "d" }, 3 } }, { { "a", "b" } })
    own:flush()
    assert.are.same({ ['["c"]'] = 2, ['["a","d"]'] = 3 }, kept)
    turn()
    assert.are.equal(1, commits)
  end)

  it("are flushed when somebody is to be answered, and failures are told", function()
    own:flush()
    assert.are.equal(0, commits)
    own:put({ { { "k" }, 1 } }, {})
    problem = "the disk is full"
    own:flush()
    assert.are.same({ "the disk is full" }, failures)
  end)
end)
