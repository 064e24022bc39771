-- SPDX-License-Identifier: GPL-3.0-or-later
local theme = require "sotto.client.theme"

describe("a theme", function()
  local function environment(values) return function(name) return values[name] end end

  it("knows styles by words", function()
    for style, numbers in pairs {
      [""] = "", bold = "1", ["bold red"] = "1;31", dim = "2", ["bright blue"] = "94", ["underline 208"] = "4;38;5;208",
      ["cyan reverse"] = "36;7", ["0"] = "38;5;0",
    } do
      assert.are.equal(numbers, theme.numbers(style), style)
    end
    for _, style in ipairs { "purpel", "256", "-1", "1.5", "bold bolder" } do
      local numbers, message = theme.numbers(style)
      assert.is_nil(numbers)
      assert.truthy(message:find "there is no colour")
    end
  end)

  it("has good styles for every part", function()
    assert.is_nil(theme.problem(theme.standard))
  end)

  it("says what is wrong with it", function()
    for text, given in pairs {
      ["theme.own: there is no colour 'purpel'"] = { own = "purpel" },
      ["theme.nope: there is no such part"] = { nope = "red" },
      ["theme.time must be a string"] = { time = 3 },
      ["theme.people must be a list"] = { people = {} },
      ["theme.people: there is no colour 'x'"] = { people = { "red", "x" } },
    } do
      assert.truthy(theme.problem(given):find(text, 1, true), text)
    end
    assert.is_nil(theme.problem { colour = false, own = "red" })
  end)

  it("paints each line for itself, and closes what it opens", function()
    assert.are.equal("\27[1ma\27[0m\n\27[1mb\27[0m", theme.styled("bold", "a\nb"))
    assert.are.equal("a", theme.styled("", "a"))
    assert.are.equal("", theme.styled("bold", ""))
  end)

  it("paints parts as they are set, and styles", function()
    local mine = theme.new()
    local paint = theme.painter(mine, true)
    assert.are.equal("\27[2m12:00\27[0m", paint("time", "12:00"))
    mine.time = "red"
    assert.are.equal("\27[31m12:00\27[0m", paint("time", "12:00"))
    assert.are.equal("\27[36mx\27[0m", paint("cyan", "x"))
    mine.colour = false
    assert.are.equal("x", paint("cyan", "x"))
  end)

  it("has no colours where they are not wanted, unless the person says so", function()
    assert.is_true(theme.is_wanted(environment { TERM = "xterm" }))
    assert.is_true(theme.is_wanted(environment { TERM = "xterm", NO_COLOR = "" }))
    for _, values in ipairs { { TERM = "xterm", NO_COLOR = "1" }, { TERM = "dumb" }, { TERM = "" }, {} } do
      assert.is_false(theme.is_wanted(environment(values)))
    end
    local mine = theme.new()
    assert.are.equal("x", theme.painter(mine, false)("cyan", "x"))
    mine.colour = true
    assert.are.equal("\27[36mx\27[0m", theme.painter(mine, false)("cyan", "x"))
  end)

  it("gives a person one colour, whatever the name is", function()
    local mine, seen = theme.new(), {}
    for i = 0, 200 do
      local fingerprint = ("%040X"):format(i * 7919)
      local style = theme.person(mine, fingerprint)
      assert.are.equal(style, theme.person(mine, fingerprint))
      seen[style] = (seen[style] or 0) + 1
    end
    for _, style in ipairs(mine.people) do assert.truthy((seen[style] or 0) > 5, style) end
    mine.people = { "red" }
    assert.are.equal("red", theme.person(mine, ("A"):rep(40)))
  end)
end)
