-- SPDX-License-Identifier: GPL-3.0-or-later
describe("dice", function()
  local ada
  before_each(function() ada = person "ada" end)

  it("rolls within what the dice have", function()
    for _ = 1, 20 do
      local sum, first, second = ada:asks("!roll 2d6+1"):match "^ada rolls 2d6%+1: (%d+) %((%d) (%d)%)$"
      assert.equal(tonumber(sum), first + second + 1)
      assert.truthy(tonumber(first) >= 1 and tonumber(first) <= 6)
    end
    assert.matches("^ada rolls d6: [1-6]$", ada:asks "!roll")
    assert.matches("^ada rolls 100d2: 1%d%d$", ada:asks "!roll 100d2")
  end)

  it("knows what no dice are", function()
    for _, text in ipairs { "0d6", "d1", "101d6", "d", "x", "2d6+", "d9999999" } do
      assert.matches("are no dice", ada:asks("!roll " .. text))
      advance "10s"
    end
  end)

  it("throws coins and picks", function()
    assert.matches("^ada: [ht][ea][ai][dl]s$", ada:asks "!coin")
    assert.equal("tea", ada:asks "!pick tea | tea")
    assert.matches("Between what", ada:asks "!pick tea")
  end)
end)
