-- SPDX-License-Identifier: GPL-3.0-or-later
describe("closed", function()
  it("refuses everybody, with its owner's reason", function()
    local ada = person "ada"
    assert.same({ answer = "refuse", script = "closed", reason = "nobody is taken in any more" }, world:explain(ada))
    assert.equal("A text of at most 200 bytes.", command("because", ("x"):rep(201)))
    assert.equal("Whoever proposes somebody will read: We are complete.", command("because", "We", "are complete."))
    world:reload()
    assert.equal("We are complete.", world:explain(ada).reason)
  end)
end)
