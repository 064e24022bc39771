-- SPDX-License-Identifier: GPL-3.0-or-later
describe("away", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("answers each person once an hour, and tells who has written", function()
    ada:says "are you there?"
    ada:hears_nothing()
    assert.matches("^Away", command("away", "at lunch"))
    assert.matches("^I am away since %d%d:%d%d: at lunch%.", ada:asks "hello?")
    ada:says "hello?!"
    ada:hears_nothing()
    advance "1h"
    assert.matches("^I am away", ada:asks "still?")
    assert.equal("Welcome back. Meanwhile there wrote:\n  ada", command "back")
    ada:says "hello"
    ada:hears_nothing()
    assert.equal("You were not away.", command "back")
  end)

  it("takes its owner's word in a discussion, and nobody else's", function()
    assert.equal("Not for you: !away", ada:asks "!away")
    you:call("messages.send", { discussion = ada.discussion, text = "!away now" })
    assert.equal("!away now", ada:hears())
    assert.matches("^Away", ada:hears())
    world:reload()
    assert.matches(": now", ada:asks "x")
  end)
end)
