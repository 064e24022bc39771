-- SPDX-License-Identifier: GPL-3.0-or-later
local times = require "sotto.script.times"

describe("times of scripts", function()
  it("have units; without one they are seconds", function()
    for text, ms in pairs { ["500ms"] = 500, ["5s"] = 5000, ["10m"] = 600000, ["2h"] = 7200000, ["1d"] = 86400000,
      ["1.5s"] = 1500, [" 3 s "] = 3000, ["7"] = 7000 } do
      assert.are.equal(ms, times.parse(text), text)
    end
    assert.are.equal(2500, times.parse(2.5))
    assert.are.equal(0, times.parse(0))
  end)

  it("are refused where they are none, with what was given", function()
    for _, value in ipairs { "", "s", "5 weeks", "-1s", "0x10s", "1e3s", "5s5s", "400d", -1, 1 / 0, 0 / 0, 1e30 } do
      local ms, problem = times.parse(value)
      assert.is_nil(ms, tostring(value))
      assert.truthy(problem:find(tostring(value), 1, true) or problem:find("nan", 1, true), problem)
    end
    assert.is_nil(times.parse(nil))
    assert.is_nil(times.parse {})
  end)
end)
