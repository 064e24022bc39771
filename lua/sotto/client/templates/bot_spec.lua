-- The specs of NAME: `sotto test NAME.lua`. ada is a person with a real core of her own.
describe("NAME", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("says hello", function()
    assert.equal("Hello, ada!", ada:asks "Hello there")
  end)

  it("adds numbers, and says what is wrong with others", function()
    assert.equal("5", ada:asks "!add 2 3")
    assert.matches("takes a number", ada:asks "!add 2 three")
  end)

  it("is silent otherwise", function()
    ada:says "nothing for a bot"
    ada:hears_nothing()
  end)
end)
