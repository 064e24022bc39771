-- SPDX-License-Identifier: GPL-3.0-or-later
describe("karma", function()
  local ada
  before_each(function() ada = person "ada" end)

  local function says(text)
    ada:says(text)
    return ada:hears()
  end

  it("counts, and keeps its counts", function()
    assert.equal("tea: 1", says "tea++")
    assert.equal("tea: 2", says "Tea++ for the pot")
    assert.equal("mondays: -1", says "mondays--")
    world:reload()
    assert.equal("tea: 2\nmondays: -1", says "!karma")
    assert.equal("nothing: 0", says "!karma nothing")
  end)

  it("lets nobody praise themselves", function()
    assert.equal("Nobody praises themselves here.", says "ada++")
    assert.equal("Nothing has any yet: tea++", says "!karma")
  end)

  it("keeps discussions apart, and hears no other signs", function()
    assert.equal("tea: 1", says "tea++")
    local bob = person "bob"
    bob:says "!karma tea"
    assert.equal("tea: 0", bob:hears())
    bob:says "a - b + c"
    bob:hears_nothing()
  end)
end)
