-- SPDX-License-Identifier: GPL-3.0-or-later
describe("echo", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("says back what it hears, of any length and alphabet", function()
    for _, text in ipairs { "hello", "zwei\nZeilen: äöü 🙂", ("x"):rep(65536) } do
      ada:says(text)
      assert.equal(text, ada:hears())
    end
  end)

  it("does not talk to itself for ever", function()
    for i = 1, 20 do
      ada:says(tostring(i))
      assert.equal(tostring(i), ada:hears())
    end
    ada:says "one too many"
    ada:hears_nothing()
    advance "1m"
    ada:says "again"
    assert.equal("again", ada:hears())
  end)
end)
