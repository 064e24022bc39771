-- SPDX-License-Identifier: GPL-3.0-or-later
describe("away", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("answers each person once an hour, and tells who has written", function()
    ada:says "are you there?"
    ada:hears_nothing()
    assert.matches("^Away", command("away", "at lunch"))
    ada:says "hello?"
    assert.matches("^I am away since %d%d:%d%d: at lunch%.", ada:hears())
    ada:says "hello?!"
    ada:hears_nothing()
    advance "1h"
    ada:says "still?"
    assert.matches("^I am away", ada:hears())
    assert.equal("Welcome back. Meanwhile there wrote:\n  ada", command "back")
    ada:says "hello"
    ada:hears_nothing()
    assert.equal("You were not away.", command "back")
  end)

  it("takes its owner's word in a discussion, and nobody else's", function()
    ada:says "!away"
    assert.equal("Not for you: !away", ada:hears())
    you:call("messages.send", { discussion = ada.discussion, text = "!away now" })
    assert.equal("!away now", ada:hears())
    assert.matches("^Away", ada:hears())
    world:reload()
    ada:says "x"
    assert.matches(": now", ada:hears())
  end)
end)
