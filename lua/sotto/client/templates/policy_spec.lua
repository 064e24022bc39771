-- The specs of NAME: `sotto test NAME.lua`.
describe("NAME", function()
  local ADA = ("A1"):rep(20)

  it("takes fingerprints for its list, and nothing else", function()
    assert.equal("done", command("allow", ADA))
    assert.equal("A fingerprint has 40 digits.", command("allow", "ada"))
    assert.equal("done", command("forbid", ADA))
  end)

  it("has a policy", function() assert.equal(true, world.script.admission) end)
end)
