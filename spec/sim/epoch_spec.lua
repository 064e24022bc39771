-- SPDX-License-Identifier: GPL-3.0-or-later
-- The ordering of discussions of many in its simulator (spec/sim/epoch): a part of what `make sim` runs.
local system = require "support.system"

local SIM = (os.getenv "SOTTO_SPEC_BUILD" or "build") .. "/sim"
local ROUNDS = tonumber(os.getenv "SOTTO_SPEC_ROUNDS") or 60

local function run(arguments)
  local output, status = system.shell(SIM .. " " .. arguments)
  return output, status, output:match "([^\n]*)\n$"
end

describe("ordering, simulated", function()
  for members = 2, 9 do
    it(("S1–S3, S5, S8, L3, L4: %d members, of which some lie, vanish or crash"):format(members), function()
      local output, status, last = run(("--members %d --seed 1 --runs %d"):format(members, ROUNDS))
      assert.are.equal(0, status, output)
      assert.truthy(last:find(" 0 violations", 1, true), output)
      assert.is_true(tonumber(last:match "(%d+) commits") > ROUNDS / 10, output)
    end)
  end

  it("is the same from the same seed", function()
    local first = run "--members 5 --seed 7 --runs 1 --trace"
    assert.are.equal(first, (run "--members 5 --seed 7 --runs 1 --trace"))
  end)

  it("refuses arguments that are none", function()
    for _, arguments in ipairs { "--members 1", "--members 10", "--runs x", "--nothing" } do
      assert.are.equal(2, select(2, run(arguments)))
    end
  end)
end)
