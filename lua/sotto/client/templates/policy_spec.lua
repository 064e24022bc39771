-- The specs of NAME: `sotto test NAME.lua`.
describe("NAME", function()
  local ADA = ("A1"):rep(20)

  it("takes fingerprints for its list, and nothing else", function()
    assert.equal("done", command("allow", ADA))
    assert.equal("A fingerprint has 40 digits.", command("allow", "ada"))
    assert.equal("done", command("forbid", ADA))
  end)

  it("lets in who is on the list, by day; about others the person is asked", function()
    local ada = person "ada"
    assert.equal("ask", world:explain(ada).answer)
    command("allow", ada.fingerprint)
    -- until it is noon
    advance(("%dh"):format((36 - tonumber(os.date "%H")) % 24))
    assert.equal("consent", world:explain(ada).answer)
    advance "12h"
    assert.equal("later", world:explain(ada).answer)
  end)
end)
