-- SPDX-License-Identifier: GPL-3.0-or-later
local tail = require "sotto.client.tail"

describe("the end of the screen", function()
  local moved, last

  before_each(function()
    moved = 0
    last = tail.new(function(text)
      if text:find "?" then return nil end
      return 1 + select(2, text:gsub("\n", ""))
    end, function() return moved end)
  end)

  it("can be put anew from a line on", function()
    last:add "before"
    last:add("mine …", "m")
    last:add "a\nb"
    assert.is_true(last:has "m")
    assert.are.same({ 3, "mine ✓\na\nb" }, { last:change("m", "mine ✓") })
    last:add "c"
    assert.are.same({ 4, "mine\n✓✓\na\nb\nc" }, { last:change("m", "mine\n✓✓") })
    assert.are.same({ 5, "x\na\nb\nc" }, { last:change("m", "x") })
  end)

  it("knows only what was added", function()
    last:add("x", "x")
    assert.is_nil(last:change("y", "y"))
    assert.is_false(last:has "y")
  end)

  it("takes the last of those with one key, and another key", function()
    last:add("one", "k")
    last:add("two", "k")
    assert.are.same({ 1, "three" }, { last:change("k", "three") })
    last:rename("k", "l")
    assert.are.same({ 1, "four" }, { last:change("l", "four") })
    last:rename("nobody", "m")
  end)

  it("gives nothing where the rows are not certain", function()
    last:add("mine", "m")
    last:add "what?"
    assert.is_nil(last:change("m", "x"))
  end)

  it("forgets all when something else has written", function()
    last:add("mine", "m")
    moved = moved + 1
    assert.is_false(last:has "m")
    assert.is_nil(last:change("m", "x"))
    last:add("again", "m")
    assert.are.same({ 1, "x" }, { last:change("m", "x") })
  end)

  it("does not grow without end", function()
    last:add("first", "first")
    for i = 1, 10000 do last:add("line", "k" .. i) end
    assert.truthy(#last.blocks <= 200)
    assert.is_false(last:has "first")
    assert.are.same({ 1, "x" }, { last:change("k10000", "x") })
    assert.are.same({ 50, "x" .. ("\nline"):rep(48) .. "\nx" }, { last:change("k9951", "x") })
  end)
end)
