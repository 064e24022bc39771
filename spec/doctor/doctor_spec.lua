-- SPDX-License-Identifier: GPL-3.0-or-later
-- How checks are run and told; what each of them finds is provoked in spec/scenario/doctor_spec.lua.
local client = require "sotto.client.doctor"
local doctor = require "sotto.doctor"
local finding = require "sotto.doctor.finding"
local gnupg = require "sotto.doctor.gnupg"
local log = require "sotto.log"
local loop = require "sotto.loop"
local sys = require "sotto.sys"
local turns = require "support.turns"

describe("doctor", function()
  local checks

  before_each(function() checks = doctor.checks end)
  after_each(function() doctor.checks = checks end)

  local function run(list, wanted)
    local found
    doctor.checks = list
    doctor.start({}, wanted or function() return true end, function(all) found = all end)
    assert.is_nil(found) -- never from inside the call
    turns.wait_for("the findings", function() return found end)
    return found
  end

  local function check(name, look) return { name = name, where = "anywhere", text = "a check", look = look } end

  it("has checks that say who can look, in files of their names", function()
    local seen = {}
    for _, one in ipairs(checks) do
      assert.truthy(one.name:find "^[a-z_]+$")
      assert.is_nil(seen[one.name])
      seen[one.name] = true
      assert.is_true(one.where == "anywhere" or one.where == "core" or one.where == "front end", one.name)
      assert.truthy(#one.text > 0)
      assert.are.equal(one, require("sotto.doctor.checks." .. one.name))
    end
    for _, file in ipairs(sys.list "lua/sotto/doctor/checks") do assert.is_true(seen[file:match "^(.*)%.lua$"], file) end
  end)

  it("runs checks side by side, and tells them in their order", function()
    local order = {}
    local function slow()
      local thread = coroutine.running()
      loop.after(20, function() assert(coroutine.resume(thread)) end)
      coroutine.yield()
      order[#order + 1] = "slow"
      return finding.ok "slow"
    end
    local found = run { check("a", slow), check("b", function()
      order[#order + 1] = "quick"
      return { finding.warn("one", "do"), finding.fail("two", "do") }
    end) }
    assert.are.same({ "quick", "slow" }, order)
    assert.are.same({ { check = "a", status = "ok", text = "slow", advice = "" },
      { check = "b", status = "warn", text = "one", advice = "do" },
      { check = "b", status = "fail", text = "two", advice = "do" } }, found)
  end)

  it("runs only what is wanted, and nothing at all", function()
    local found = run({ check("a", function() return finding.ok "a" end), check("b", error) },
      function(one) return one.name == "a" end)
    assert.are.equal(1, #found)
    assert.are.same({}, run {})
  end)

  it("shows a check that raises, or never ends, as broken itself", function()
    local directory = assert(sys.make_temporary_directory "/tmp/sotto-spec-")
    local patience = doctor.PATIENCE_MS
    finally(function()
      doctor.PATIENCE_MS = patience
      log.open(nil, "warn")
      sys.remove_tree(directory)
    end)
    assert(log.open(directory .. "/log"))
    doctor.PATIENCE_MS = 50
    local found = run { check("a", function() error "the thermometer broke" end), check("b", coroutine.yield) }
    assert.are.equal("fail", found[1].status)
    assert.truthy(found[1].text:find("thermometer", 1, true))
    assert.is_nil(found[1].text:find "\n")
    assert.are.equal("fail", found[2].status)
    assert.truthy(found[2].text:find("does not come to an end", 1, true))
    assert.truthy(sys.read_file(directory .. "/log"):find("traceback", 1, true))
  end)

  it("merges findings in the order of the checks, those of unknown ones last", function()
    local function one(name) return { check = name, status = "ok", text = name, advice = "" } end
    local merged = doctor.merge({ one "zebra", one "disk", one "core" }, { one "gpg", one "disk" })
    local names = {}
    for i, each in ipairs(merged) do names[i] = each.check end
    assert.are.same({ "core", "gpg", "disk", "disk", "zebra" }, names)
  end)

  it("tells people each finding in a line, advice in the next, and how it is on the whole", function()
    local function one(status, advice) return { check = "disk", status = status, text = "Text.", advice = advice or "" } end
    assert.are.same({ "ok    disk         Text.", "1 check, and all is well." }, client.report({ one "ok" }, true))
    assert.are.same({ "2 checks, and all is well." }, client.report({ one "ok", one "ok" }, false))
    assert.are.same({ "fail  disk         Text.", "                   Do.", "warn  disk         Text.",
      "1 thing is broken, 1 is worth a look. 1 could not be looked at." },
      (function()
        local lines = client.report({ one("fail", "Do."), one "warn", one "skip" }, true)
        table.remove(lines, 4)
        return lines
      end)())
    assert.are.equal(client.INDENT, #"fail  disk         ")
    local evil = { check = "\27[2J", status = "warn", text = "bob\27]0;x\7 is seen", advice = "\u{202e}" }
    for _, line in ipairs(client.report({ evil }, true)) do assert.is_nil(line:find "[\27\7\u{202e}]") end
  end)

  it("says sizes and spans as people do", function()
    for bytes, text in pairs { [0] = "0 bytes", [1023] = "1023 bytes", [1024] = "1.0 kB", [5 << 20] = "5.0 MB", [300 << 30] = "300 GB" } do
      assert.are.equal(text, finding.size(bytes))
    end
    for seconds, text in pairs { [0] = "0 seconds", [1] = "1 second", [59] = "59 seconds", [60] = "1 minute", [7200] = "2 hours",
      [86400] = "1 day", [864000] = "10 days" } do
      assert.are.equal(text, finding.span(seconds))
    end
    assert.are.equal("Cannot write.", finding.sentence "cannot write")
  end)

  it("compares versions by their numbers", function()
    for _, pair in ipairs { { "2.1.18", "2.2.0" }, { "2.2.9", "2.2.10" }, { "1.4", "2.2.0" }, { "2.2", "2.2.1" } } do
      assert.is_true(gnupg.is_older(pair[1], pair[2]), pair[1])
      assert.is_false(gnupg.is_older(pair[2], pair[1]), pair[2])
    end
    assert.is_false(gnupg.is_older("2.2.0", "2.2.0"))
    assert.is_false(gnupg.is_older("2.4.0-beta1", "2.2.0"))
  end)
end)

describe("the doctor's check of the clock", function()
  local clock = require "sotto.doctor.checks.clock"
  local NOW, HOUR = sys.now_ms(), 3600000

  local function look(clocks, now)
    local context = { paths = { data = "/nowhere", log = "/nowhere/log" }, now = now or NOW, facts = clocks and { clock = clocks } }
    local found = clock.look(context)
    return found.status, found.text
  end

  it("knows a clock that shows a time before the program's own", function()
    local status, text = look(nil, NOW - 40 * 365 * 24 * HOUR)
    assert.are.equal("fail", status)
    assert.truthy(text:find("before this program was installed", 1, true))
  end)

  it("believes several others, and doubts one", function()
    assert.are.equal("ok", (look { peers = 0, ahead = 0, behind = 0 }))
    assert.are.equal("ok", (look { peers = 5, ahead = 60000, behind = 0 }))
    local status, text = look { peers = 1, ahead = 2 * HOUR, behind = 0 }
    assert.are.equal("warn", status)
    assert.truthy(text:find("2 hours ahead", 1, true))
    status, text = look { peers = 3, ahead = 0, behind = 5 * HOUR }
    assert.are.equal("fail", status)
    assert.truthy(text:find("5 hours behind", 1, true))
  end)
end)

describe("the doctor's check of the version", function()
  it("finds a core that runs and is of another one", function()
    local version, found = require "sotto.doctor.checks.version", nil
    coroutine.wrap(function()
      found = version.look {
        program = require("support.person").BUILD .. "/sottod", command = "sotto", core = { state = "runs", info = { version = "0.0.1" } },
      }
    end)()
    turns.wait_for("the finding", function() return found end)
    assert.are.equal("warn", found.status)
    assert.truthy(found.text:find("0.0.1", 1, true))
    assert.truthy(found.advice:find("sotto stop", 1, true))
  end)
end)
