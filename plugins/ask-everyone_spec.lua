-- SPDX-License-Identifier: GPL-3.0-or-later
describe("ask-everyone", function()
  it("leaves every newcomer to the person, verified or not", function()
    local ada = person "ada"
    assert.same({ answer = "ask", script = "ask-everyone", reason = "you are asked yourself" }, world:explain(ada))
    assert.equal("ask", world:explain(ada, { vouched_by = { person "bob", ada } }).answer)
  end)
end)
