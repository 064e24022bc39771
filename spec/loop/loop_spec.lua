-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "support.loop"

describe("loop", function()
  local handles
  before_each(function() handles = {} end)
  after_each(function()
    for _, h in ipairs(handles) do h:free() end
  end)

  local function after(ms, f)
    handles[#handles + 1] = loop.after(ms, f)
    return handles[#handles]
  end
  local function defer(f)
    handles[#handles + 1] = loop.defer(f)
    return handles[#handles]
  end

  describe("timer", function()
    it("fires once, not before its time, and never from inside start", function()
      local begun, fired = loop.now(), 0
      local t = after(20, function() fired = fired + 1 end)
      assert.equal(0, fired)
      assert.is_true(t:running())
      assert.is_true(loop.wait(function() return fired > 0 end))
      assert.is_true(loop.now() - begun >= 19)
      assert.is_false(t:running())
      local later = false
      after(30, function() later = true end)
      assert.is_true(loop.wait(function() return later end))
      assert.equal(1, fired)
    end)

    it("fires with 0 ms and with a negative time, on a later turn", function()
      local fired = 0
      after(0, function() fired = fired + 1 end)
      after(-5, function() fired = fired + 1 end)
      assert.equal(0, fired)
      assert.is_true(loop.wait(function() return fired == 2 end))
    end)

    it("is silent after cancel, and cancel is harmless twice", function()
      local fired, other = false, false
      local t = after(1, function() fired = true end)
      t:cancel()
      t:cancel()
      assert.is_false(t:running())
      after(10, function() other = true end)
      assert.is_true(loop.wait(function() return other end))
      assert.is_false(fired)
    end)

    it("begins anew when it is started while running", function()
      local at
      local t = after(10000, function() at = loop.now() end)
      t:start(1)
      assert.is_true(loop.wait(function() return at end, 5))
    end)

    it("may be started again and cancelled inside its own callback", function()
      local count, t = 0, nil
      t = after(1, function()
        count = count + 1
        t:start(1)
        if count == 3 then t:cancel() end
      end)
      local over = false
      assert.is_true(loop.wait(function() return count == 3 end))
      after(10, function() over = true end)
      assert.is_true(loop.wait(function() return over end))
      assert.equal(3, count)
    end)

    it("counts from now, not from the beginning of a long turn", function()
      local begun, fired
      after(0, function()
        local from = loop.now()
        while loop.now() - from < 40 do end -- a turn that takes long
        begun = loop.now()
        after(30, function() fired = loop.now() end)
      end)
      assert.is_true(loop.wait(function() return fired end))
      assert.is_true(fired - begun >= 29)
    end)
  end)

  describe("deferred", function()
    it("runs in order, before the loop sleeps, never from inside loop_defer", function()
      local order = {}
      defer(function() order[#order + 1] = "a" end)
      defer(function() order[#order + 1] = "b" end)
      assert.same({}, order)
      loop.turn()
      assert.same({ "a", "b" }, order)
      loop.turn()
      assert.same({ "a", "b" }, order)
    end)

    it("runs in the same go what is deferred meanwhile", function()
      local order = {}
      defer(function()
        order[#order + 1] = 1
        defer(function() order[#order + 1] = 2 end)
      end)
      loop.turn()
      assert.same({ 1, 2 }, order)
    end)

    it("is queued once, however often it is deferred", function()
      local count = 0
      local d = defer(function() count = count + 1 end)
      d:again()
      d:again()
      loop.turn()
      assert.equal(1, count)
      d:again()
      loop.turn()
      assert.equal(2, count)
    end)

    it("can be cancelled from the front, the middle and the end", function()
      for index = 1, 3 do
        local seen, list = "", {}
        for i = 1, 3 do
          list[i] = defer(function() seen = seen .. i end)
        end
        list[index]:cancel()
        list[index]:cancel()
        defer(function() seen = seen .. "." end)
        loop.turn()
        assert.equal((("123"):gsub(tostring(index), "")) .. ".", seen)
      end
    end)

    it("can be cancelled by one that runs before it", function()
      local seen, second = false, nil
      defer(function() second:cancel() end)
      second = defer(function() seen = true end)
      loop.turn()
      assert.is_false(seen)
    end)

    it("does not let a cycle starve timers", function()
      local count, d, fired = 0, nil, false
      d = defer(function()
        count = count + 1
        if not fired then d:again() end
      end)
      after(1, function() fired = true end)
      assert.is_true(loop.wait(function() return fired end, 10))
      assert.is_true(count >= 10000)
    end)

    it("keeps loop_run going, which returns when nothing is left", function()
      local seen = 0
      defer(function()
        after(1, function()
          defer(function() seen = seen + 1 end)
        end)
      end)
      loop.run()
      assert.equal(1, seen)
    end)

    it("lets loop_run be stopped while something is waited for", function()
      after(60000, function() end)
      defer(function() loop.stop() end)
      loop.run()
    end)
  end)
end)
