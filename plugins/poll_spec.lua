-- SPDX-License-Identifier: GPL-3.0-or-later
describe("poll", function()
  local ada
  before_each(function() ada = person "ada" end)

  local function says(text)
    ada:says(text)
    return ada:hears()
  end

  it("asks, counts and ends", function()
    local asked = says "!poll Where to? | the sea | the hills"
    assert.equal("ada asks: Where to?\n1. the sea\n2. the hills\n!vote NUMBER", asked)
    assert.equal("ada: the sea", says "!vote 1")
    assert.equal("ada: the hills", says "!vote 2")
    you:call("messages.send", { discussion = ada.discussion, text = "!vote 2" })
    assert.equal("!vote 2", ada:hears())
    assert.equal("you: the hills", ada:hears())
    world:reload()
    assert.equal("Where to? (2 votes)\n1. the sea - 0\n2. the hills - 2: ada, you", says "!tally")
    assert.matches("^It is over", says "!endpoll")
    assert.matches("There is no poll", says "!tally")
  end)

  it("says what is wrong", function()
    assert.matches("There is no poll", says "!vote 1")
    assert.matches("2 to 20 answers", says "!poll Where to? | one")
    says "!poll Tea?"
    assert.matches("answers 1 to 2", says "!vote 3")
    assert.matches("one already", says "!poll Again?")
  end)

  it("is ended by who has asked, or the owner", function()
    you:call("messages.send", { discussion = ada.discussion, text = "!poll Tea?" })
    ada:hears()
    ada:hears()
    assert.equal("Whoever has asked ends it.", says "!endpoll")
    you:call("messages.send", { discussion = ada.discussion, text = "!endpoll" })
    ada:hears()
    assert.matches("^It is over", ada:hears())
  end)
end)
