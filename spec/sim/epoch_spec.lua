-- SPDX-License-Identifier: GPL-3.0-or-later
-- Discussions of many in their simulator (spec/sim/epoch): a part of what `make sim` runs.
local system = require "support.system"

local SIM = (os.getenv "SOTTO_SPEC_BUILD" or "build") .. "/sim"
local ROUNDS = tonumber(os.getenv "SOTTO_SPEC_ROUNDS") or 30

local function run(arguments)
  local output, status = system.shell(SIM .. " " .. arguments)
  return output, status, output:match "([^\n]*)\n$"
end

local function clean(arguments)
  local output, status, last = run(arguments)
  assert.are.equal(0, status, output)
  assert.truthy(last:find(" 0 violations", 1, true), output)
  return output, function(what) return tonumber(last:match("(%d+) " .. what)) end
end

describe("ordering and messages, simulated", function()
  for members = 2, 9 do
    it(("S1–S9, L3, L4: %d members, of which some lie, vanish or crash"):format(members), function()
      local output, count = clean(("--members %d --seed 1 --runs %d"):format(members, ROUNDS))
      assert.is_true(count "commits" > ROUNDS / 10, output)
      assert.is_true(count "accepted" > ROUNDS, output)
      assert.is_true(members > 4 or count "confirmed" > 0, output)
    end)
  end

  it("L1, L2: with all there and consenting it takes 6 message delays; of two proposals one is asked again, and decided", function()
    local _, count = clean "--calm --seed 1 --runs 40"
    assert.is_true(count "commits" >= 40)
  end)

  local _, _, usage = run "--nothing 2>&1"
  local lies = {}
  for lie in usage:match "played:(.*)":gmatch "%S+" do lies[#lies + 1] = lie end
  assert(#lies == 18)
  for _, lie in ipairs(lies) do
    it(("stands a run in which is played: %s"):format(lie), function()
      local output = clean(("--lie %s --members 4 --seed 1 --runs 20"):format(lie))
      assert.is_true(tonumber(output:match("played " .. lie:gsub("%-", "%%-") .. ": (%d+)")) > 0, output)
    end)
  end

  it("10,000 proposals of one member are as good as four", function()
    local output, count = clean "--lie flood-of-proposals --flood 10000 --members 4 --seed 3 --runs 1"
    assert.truthy(output:find("played flood-of-proposals: 10000 times", 1, true), output)
    assert.is_true(count "accepted" > 0, output)
  end)

  it("S8: a crash at each write of a run, before it and after it", function()
    local _, count = clean "--writes --members 3 --seed 2 --runs 1"
    assert.is_true(count "schedules" > 60)
  end)

  it("S1, S8: COMMITs that come rounds later, and a restart after each", function()
    local _, count = clean(("--restarts --members 3 --seed 1 --runs %d"):format(ROUNDS))
    assert.is_true(count "commits" > ROUNDS / 10)
  end)

  it("is the same from the same seed", function()
    local first = run "--members 5 --seed 7 --runs 1 --trace"
    assert.are.equal(first, (run "--members 5 --seed 7 --runs 1 --trace"))
  end)

  it("has mutants that still fit what they break (`make mutants` runs them)", function()
    for path in system.shell("ls spec/sim/epoch/mutants/*.patch"):gmatch "%S+" do
      local patch = system.read(path)
      local before = patch:match("@@ [^\n]*(\n.*)"):gsub("\n%+[^\n]*", ""):gsub("\n[ -]", "\n")
      assert.truthy(system.read(patch:match "%+%+%+ b/(%S+)"):find(before, 1, true), path)
    end
  end)

  it("refuses arguments that are none", function()
    for _, arguments in ipairs { "--members 1", "--members 10", "--runs x", "--nothing", "--lie truth" } do
      assert.are.equal(2, select(2, run(arguments)))
    end
  end)
end)
