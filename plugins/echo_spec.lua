-- SPDX-License-Identifier: GPL-3.0-or-later
describe("echo", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("says back what it hears, of any length and alphabet", function()
    for _, text in ipairs { "hello", "zwei\nZeilen: äöü 🙂", ("x"):rep(65536) } do
      assert.equal(text, ada:asks(text))
    end
  end)

  it("does not talk to itself for ever", function()
    for i = 1, 20 do
      assert.equal(tostring(i), ada:asks(tostring(i)))
    end
    ada:says "one too many"
    ada:hears_nothing()
    advance "1m"
    assert.equal("again", ada:asks "again")
  end)
end)
