-- SPDX-License-Identifier: GPL-3.0-or-later
describe("remind", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("says things when they are due", function()
    assert.matches("^Number 1, at %d%d:%d%d%.", ada:asks "!remind 10m the tea")
    assert.matches("^Number 2, at ", ada:asks "!remind 5m the water")
    assert.matches("^2: .* the water\n?", (ada:asks("!reminders"):gsub("^.-\n", "")))
    advance "4m"
    ada:hears_nothing()
    advance "1m"
    assert.equal("ada: the water", ada:hears())
    advance "5m"
    assert.equal("ada: the tea", ada:hears())
    assert.equal("None.", ada:asks "!reminders")
  end)

  it("keeps them over a reload, and forgets what it is told to", function()
    ada:asks "!remind 1h one"
    ada:asks "!remind 1h two"
    world:reload()
    assert.equal("Forgotten.", ada:asks "!unremind 1")
    assert.equal("You have none of that number.", ada:asks "!unremind 1")
    advance "1h"
    assert.equal("ada: two", ada:hears())
    ada:hears_nothing()
  end)

  it("keeps the one's from the other", function()
    ada:asks "!remind 1h mine"
    local bob = person "bob"
    assert.equal("None.", bob:asks "!reminders")
    assert.equal("You have none of that number.", bob:asks "!unremind 1")
  end)

  it("says what it takes", function()
    assert.matches("'soon' is no when: it takes a time", ada:asks "!remind soon tea")
    assert.matches("What is missing", ada:asks "!remind 10m")
    assert.matches("write it there", command("remind", "1m", "tea"))
  end)
end)
