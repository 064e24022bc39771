-- SPDX-License-Identifier: GPL-3.0-or-later
local page = require "support.page"

describe("a page with transcripts", function()
  local function matches(item, screen) return page.collapse(screen):find(page.pattern(item)) ~= nil end

  it("takes for the same what differs from time to time", function()
    assert.is_true(matches("12:31 bob: at 10.0.0.2:4788, in 0.4 seconds", "09:05 bob: at 10.77.0.3:40001, in 12.0 seconds"))
    assert.is_true(matches("/go 1a2b3c4d shows", "/go ffee0011\n  shows"))
    assert.is_true(matches("both sides: a b c d e f g h i j k l", "both sides: m n o p q r\ns t u v w x"))
  end)

  it("takes nothing else for the same", function()
    assert.is_false(matches("12:31 bob: hello", "12:31 bob: hallo"))
    assert.is_false(matches("17 checks, and all is well.", "17 checks, and 1 is broken."))
    assert.is_false(matches("100% (sure).", "100% (sure)!"))
    assert.is_false(matches("both sides: a b c d e f g h i j k l", "both sides: m n o"))
  end)

  it("knows what is typed, what is asked, and what is only seen again", function()
    local steps = page.read(table.concat({
      "Words.", "```text", "$ not run", "```", "```text Ada", "$ make chat", "Your name, as others will see it [x]: Ada",
      "Passphrase (Enter: none):", "Hello", "Ada@lua> /who", "12:00 you: hi  ✓✓", "12:00 you: hi  ✓✓", "Ada@lua>", "```",
    }, "\n"))
    local typed = {}
    for i, step in ipairs(steps) do typed[i] = step.type or step.ask or step.prompt end
    assert.are.same({ "make chat", "Ada", "Passphrase (Enter: none):", "/who", "hi", "Ada@lua>" }, typed)
    assert.are.same({ "Hello" }, steps[4].items)
    assert.are.equal(2, #steps[6].items)
  end)

  it("joins lines that were broken, and no others", function()
    local long = ("word "):rep(15) .. "end."
    local steps = page.read("```text Ada\n" .. long .. "\nand more\nshort\nlines\n```")
    assert.are.equal(3, #steps[1].items)
    assert.truthy(steps[1].items[1]:find("and more", 1, true))
  end)
end)
