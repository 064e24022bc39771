-- SPDX-License-Identifier: GPL-3.0-or-later
describe("karma", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("counts, and keeps its counts", function()
    assert.equal("tea: 1", ada:asks "tea++")
    assert.equal("tea: 2", ada:asks "Tea++ for the pot")
    assert.equal("mondays: -1", ada:asks "mondays--")
    world:reload()
    assert.equal("tea: 2\nmondays: -1", ada:asks "!karma")
    assert.equal("nothing: 0", ada:asks "!karma nothing")
  end)

  it("lets nobody praise themselves", function()
    assert.equal("Nobody praises themselves here.", ada:asks "ada++")
    assert.equal("Nothing has any yet: tea++", ada:asks "!karma")
  end)

  it("keeps discussions apart, and hears no other signs", function()
    assert.equal("tea: 1", ada:asks "tea++")
    local bob = person "bob"
    assert.equal("tea: 0", bob:asks "!karma tea")
    bob:says "a - b + c"
    bob:hears_nothing()
  end)
end)
