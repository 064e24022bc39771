-- SPDX-License-Identifier: GPL-3.0-or-later
describe("poll", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("asks, counts and ends", function()
    local asked = ada:asks "!poll Where to? | the sea | the hills"
    assert.equal("ada asks: Where to?\n1. the sea\n2. the hills\n!vote NUMBER", asked)
    assert.equal("ada: the sea", ada:asks "!vote 1")
    assert.equal("ada: the hills", ada:asks "!vote 2")
    you:call("messages.send", { discussion = ada.discussion, text = "!vote 2" })
    assert.equal("!vote 2", ada:hears())
    assert.equal("you: the hills", ada:hears())
    world:reload()
    assert.equal("Where to? (2 votes)\n1. the sea - 0\n2. the hills - 2: ada, you", ada:asks "!tally")
    assert.matches("^It is over", ada:asks "!endpoll")
    assert.matches("There is no poll", ada:asks "!tally")
  end)

  it("says what is wrong", function()
    assert.matches("There is no poll", ada:asks "!vote 1")
    assert.matches("2 to 20 answers", ada:asks "!poll Where to? | one")
    ada:asks "!poll Tea?"
    assert.matches("answers 1 to 2", ada:asks "!vote 3")
    assert.matches("one already", ada:asks "!poll Again?")
  end)

  it("is ended by who has asked, or the owner", function()
    you:call("messages.send", { discussion = ada.discussion, text = "!poll Tea?" })
    ada:hears()
    ada:hears()
    assert.equal("Whoever has asked ends it.", ada:asks "!endpoll")
    you:call("messages.send", { discussion = ada.discussion, text = "!endpoll" })
    ada:hears()
    assert.matches("^It is over", ada:hears())
  end)
end)
