-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tasks on a clock of the spec's own.
local tasks = require "sotto.script.tasks"

describe("tasks", function()
  local world, timers, complaints, now

  local function pass(ms)
    local target = now + ms
    while true do
      local first
      for timer in pairs(timers) do
        if timer.at <= target and (not first or timer.at < first.at) then first = timer end
      end
      if not first then break end
      timers[first] = nil
      now = first.at
      first.f()
    end
    now = target
  end

  before_each(function()
    timers, complaints, now = {}, {}, 0
    world = tasks.new {
      after = function(ms, f)
        local timer = { at = now + ms, f = f }
        timers[timer] = true
        function timer:stop() timers[self] = nil end
        return timer
      end,
      complain = function(text) complaints[#complaints + 1] = text end,
    }
  end)

  local function run(f, ...)
    local result
    world:run("it", f, function(...) result = table.pack(...) end, ...)
    return function() return result end
  end

  -- waits for `give`
  local function waiter()
    local answer
    return function() return world:wait(function(a) answer = a end) end, function(...) answer(...) end
  end

  it("gives what the function returns", function()
    assert.are.same({ 3, "x", n = 2 }, run(function(a, b) return a + b, "x" end, 1, 2)())
  end)

  it("gives an error with the script's own lines", function()
    local result = run(function() error "oh no" end)()
    assert.is_nil(result[1])
    assert.truthy(result[2]:find("oh no", 1, true))
    assert.is_nil(result[2]:find("sotto/script/tasks", 1, true))
  end)

  it("waits, and goes on with the answer", function()
    local wait, give = waiter()
    local result = run(function() return wait() end)
    assert.is_nil(result())
    give("a", nil, "c")
    assert.are.same({ "a", nil, "c", n = 3 }, result())
  end)

  it("takes an answer that comes at once", function()
    assert.are.equal(7, run(function() return world:wait(function(answer) answer(7) end) end)()[1])
  end)

  it("lets a script's own coroutines wait inside", function()
    local wait, give = waiter()
    local library = tasks.coroutine_library()
    local result = run(function()
      local generator = library.wrap(function()
        library.yield(wait())
        library.yield "second"
      end)
      return generator(), generator()
    end)
    assert.is_nil(result())
    give "first"
    assert.are.same({ "first", "second", n = 2 }, result())
  end)

  it("ends what has waited for a minute, once, and says so", function()
    local wait, give = waiter()
    local closed
    local result = run(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      return wait()
    end)
    pass(tasks.WAIT_MS - 1)
    assert.is_nil(result())
    pass(1)
    assert.is_true(closed)
    assert.is_nil(result()[1])
    assert.are.equal(1, #complaints)
    give "too late"
    assert.is_nil(next(timers))
    assert.are.equal(0, world.waiting)
  end)

  it("goes on after a plain yield with the next turn", function()
    local result = run(function()
      coroutine.yield()
      return "on"
    end)
    pass(0)
    assert.are.equal("on", result()[1])
  end)

  it("refuses to wait outside of a task", function()
    local ok, problem = pcall(world.wait, world, function() end)
    assert.is_false(ok)
    assert.truthy(problem:find("this call waits", 1, true))
  end)

  it("runs so many at a time", function()
    for _ = 1, tasks.TASKS_MAX do run((waiter())) end
    assert.truthy(run(print)()[2]:find("too many", 1, true))
  end)
end)
