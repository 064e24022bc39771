-- SPDX-License-Identifier: GPL-3.0-or-later
local terminal = require "sotto.terminal"
local wrap = require "sotto.client.wrap"

describe("wrap", function()
  it("leaves what fits", function()
    assert.are.equal("", wrap.wrap("", 40))
    assert.are.equal(("x"):rep(40), wrap.wrap(("x"):rep(40), 40))
    assert.are.equal("a  b\n\n c", wrap.wrap("a  b\n\n c", 40))
  end)

  it("breaks at spaces, each line for itself", function()
    assert.are.equal("one two three four\nfive six\nseven", wrap.wrap("one two three four five six\nseven", 20))
    assert.are.equal("aaaaaaaaaa bbbbbbbbb\ncc", wrap.wrap("aaaaaaaaaa bbbbbbbbb cc", 20))
    assert.are.equal("aaaaaaaaaa\nbbbbbbbbbb cc", wrap.wrap("aaaaaaaaaa bbbbbbbbbb cc", 20))
  end)

  it("keeps the indentation, or takes another", function()
    assert.are.equal("  one two three four\n  five", wrap.wrap("  one two three four five", 20))
    assert.are.equal("one two three four\n   five six", wrap.wrap("one two three four five six", 20, 3))
  end)

  it("leaves words that are too long whole", function()
    local word = ("x"):rep(30)
    assert.are.equal("a\n" .. word .. "\nb", wrap.wrap("a " .. word .. " b", 20))
    assert.are.equal("  " .. word, wrap.wrap("  " .. word, 20))
  end)

  it("counts columns", function()
    local text = wrap.wrap(("日本語 "):rep(20), 24)
    for line in text:gmatch "[^\n]+" do assert.truthy(terminal.width(line) <= 24) end
    assert.are.equal("日本語 日本語 日本語", text:match "^[^\n]+")
  end)

  it("takes any width", function()
    for _, columns in ipairs { 0, 1, -5, 19 } do
      assert.are.equal("one two three four\nfive", wrap.wrap("one two three four five", columns))
    end
  end)
end)
