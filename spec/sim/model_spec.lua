-- SPDX-License-Identifier: GPL-3.0-or-later
-- The ordering alone in all of its states (spec/sim/model): two rounds of what `make model` does with three.
local system = require "support.system"

local MODEL = (os.getenv "SOTTO_SPEC_BUILD" or "build") .. "/model"

describe("ordering, all states", function()
  local output, status = system.shell(MODEL .. " 2")

  it("S1, L3: 2 to 4 members, with the liar in each place", function()
    assert.are.equal(0, status, output)
    for _, run in ipairs { "n = 2, 2 rounds, nobody", "n = 3, 2 rounds, nobody", "n = 4, 2 rounds, nobody", "n = 4, 2 rounds, A lies",
      "n = 4, 2 rounds, B lies", "n = 4, 2 rounds, C lies", "n = 4, 2 rounds, D lies" } do
      assert.truthy(output:find(run .. "[^:]* states: no violation"), run .. "\n" .. output)
    end
  end)

  it("P5.1 three with a liar can be forked, and so can four with a lesser quorum, without a lock or without the promise", function()
    for _, run in ipairs { "f is 0 here %(P5%.1%)", "mutant, q %- 1 decide", "mutant, no lock", "mutant, no promise" } do
      assert.truthy(output:find(run .. ":[^:]* states: S1"), run .. "\n" .. output)
    end
    assert.truthy(output:find "mutant, q %+ 1 decide:[^:]* states: L3", output)
  end)

  it("refuses a number of rounds that is none", function()
    for _, rounds in ipairs { "1", "4", "x" } do assert.are.equal(2, select(2, system.shell(MODEL .. " " .. rounds))) end
  end)
end)
