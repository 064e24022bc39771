-- SPDX-License-Identifier: GPL-3.0-or-later
-- ada is there before it is loaded; who comes later is greeted once
describe("greet", function()
  local number = 0
  local function newcomer()
    number = number + 1
    return person("guest" .. number)
  end

  it("welcomes who is new, once, with its owner's word", function()
    local guest = newcomer()
    assert.equal(("Hello, %s!"):format(guest.name), guest:hears())
    assert.matches("Whoever comes next", command("set", "Good day, %s."))
    assert.equal("Good day, %s.", command "show")
    local other = newcomer()
    assert.equal(("Good day, %s."):format(other.name), other:hears())
    guest:says "hello"
    guest:hears_nothing()
  end)

  it("keeps whom it knows over a reload", function()
    local guest = newcomer()
    guest:hears()
    world:reload()
    guest:leaves()
    guest:returns()
    guest:hears_nothing()
    assert.equal("done", command "again")
  end)
end)
