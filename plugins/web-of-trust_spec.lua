-- SPDX-License-Identifier: GPL-3.0-or-later
-- What gpg says of real signatures is a scenario's: here nobody has signed anything.
describe("web-of-trust", function()
  local INTRODUCER = ("A1"):rep(20)

  it("has no opinion of those whose key no introducer has signed", function()
    local ada = person "ada"
    assert.equal("ask", world:explain(ada).answer)
    command("trust", INTRODUCER)
    assert.equal("ask", world:explain(ada).answer)
    -- nobody introduces themselves
    command("trust", ada.fingerprint)
    assert.equal("ask", world:explain(ada).answer)
  end)

  it("keeps its introducers", function()
    assert.equal("There are none.", command "introducers")
    assert.equal("A fingerprint has 40 digits.", command("trust", "ada"))
    local said = command("trust", "a1a1", INTRODUCER:sub(5):lower(), "the", "key", "office")
    assert.equal("An introducer: " .. INTRODUCER, said)
    world:reload()
    assert.equal(INTRODUCER .. " the key office", command "introducers")
    assert.equal("None of yours is that.", command("distrust", ("0"):rep(40)))
    assert.equal("no introducer any more", command("distrust", INTRODUCER))
    assert.equal("There are none.", command "introducers")
  end)
end)
