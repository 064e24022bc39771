-- SPDX-License-Identifier: GPL-3.0-or-later
describe("vouched-by-two", function()
  local ada, bob, carl
  before_each(function() ada, bob, carl = person "ada", person "bob", person "carl" end)

  local function answer(...) return world:explain(carl, { vouched_by = { ... } }).answer end

  it("consents once two members have, and before that has no opinion", function()
    assert.equal("ask", answer())
    assert.equal("ask", answer(ada))
    assert.equal("ask", answer(ada, ada))
    assert.equal("consent", answer(ada, bob))
  end)

  it("takes another number, and no nonsense", function()
    world:load { arguments = { "1" } }
    assert.equal("consent", answer(ada))
    assert.fails(function() world:load { arguments = { "none" } } end, "a number of members")
  end)
end)
