-- SPDX-License-Identifier: GPL-3.0-or-later
local assertions = require "sotto.testing.assertions"
local suite = require "sotto.testing.suite"

describe("a suite of a script's specs", function()
  it("collects them with what comes before and after, outer first and inner first", function()
    local own, log = suite.new(), {}
    local words = own:words()
    local function note(word) return function() log[#log + 1] = word end end
    words.describe("a", function()
      words.before_each(note "before a")
      words.after_each(note "after a")
      words.it("one", note "one")
      words.describe("b", function()
        words.before_each(note "before b")
        words.after_each(note "after b")
        words.it("two", note "two")
      end)
    end)
    words.it("three", note "three")
    local names = {}
    for i, spec in ipairs(own.specs) do
      names[i] = spec.name
      assert.is_nil(suite.run_one(spec))
    end
    assert.are.same({ "a one", "a b two", "three" }, names)
    assert.are.same({
      "before a", "one", "after a", "before a", "before b", "two", "after b", "after a", "three",
    }, log)
  end)

  it("tells the first problem, and runs what comes after all the same", function()
    local own, cleared = suite.new(), false
    local words = own:words()
    words.describe("a", function()
      words.after_each(function() cleared = true end)
      words.it("one", function() error "oh no" end)
      words.it("two", function() error { any = "thing" } end)
    end)
    assert.truthy(suite.run_one(own.specs[1]):find "suite_spec.lua:%d+: oh no")
    assert.is_true(cleared)
    assert.is_string(suite.run_one(own.specs[2]))
  end)

  it("refuses what is no declaration", function()
    local words = suite.new():words()
    assert.has_error(function() words.it("x") end)
    assert.has_error(function() words.describe(1, function() end) end)
    assert.has_error(function() words.before_each(function() end) end)
  end)
end)

describe("its assertions", function()
  local function fails(pattern, f, ...)
    local ok, problem = pcall(f, ...)
    assert.is_false(ok)
    assert.truthy(problem:find(pattern), problem)
  end

  it("hold, or say what was expected", function()
    local own = assertions.library()
    own.equal(1, 1)
    own.same({ a = { 1, 2 } }, { a = { 1, 2 } })
    own.matches("^a", "abc")
    own.truthy(0)
    own.falsy(nil)
    own.fails(function() error "no" end, "no")
    assert.are.equal(5, (own(5, "x")))
    fails('expected "a", got "b"', own.equal, "a", "b")
    fails("more: expected 1, got nil", own.equal, 1, nil, "more")
    fails("expected", own.same, { 1 }, { 1, 2 })
    fails("expected", own.same, { 1, 2 }, { 1 })
    fails("what matches", own.matches, "x", "abc")
    fails("what matches", own.matches, "x", nil)
    fails("expected something", own.truthy, false)
    fails("expected nil or false", own.falsy, 1)
    fails("there was none", own.fails, function() end)
    fails("that matches", own.fails, function() error "no" end, "yes")
  end)
end)
