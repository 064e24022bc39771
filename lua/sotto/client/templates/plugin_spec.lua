-- The specs of NAME: `sotto test NAME.lua`. ada is a person with a real core of her own; the plugin's clock stands
-- until advance lets time pass.
describe("NAME", function()
  it("counts what comes", function()
    local ada = person "ada"
    assert.equal("0 so far", command "count")
    ada:says "one"
    ada:says "two"
    world:settle()
    assert.equal("2 so far", command "count")
  end)

  it("tells once a day", function()
    advance "23h"
    assert.equal("", world:log())
    advance "1h"
    assert.equal("0 messages so far", world:log())
  end)

  it("keeps its count over a reload", function()
    person("ada"):says "one"
    world:settle()
    world:reload()
    assert.equal("1 so far", command "count")
  end)
end)
