-- The specs of NAME: `sotto test NAME.lua`. ada is a person with a real core of her own.
describe("NAME", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("says hello", function()
    ada:says "Hello there"
    assert.equal("Hello, ada!", ada:hears())
  end)

  it("adds numbers, and says what is wrong with others", function()
    ada:says "!add 2 3"
    assert.equal("5", ada:hears())
    ada:says "!add 2 three"
    assert.matches("takes a number", ada:hears())
  end)

  it("is silent otherwise", function()
    ada:says "nothing for a bot"
    ada:hears_nothing()
  end)
end)
