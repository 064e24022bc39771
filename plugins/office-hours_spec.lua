-- SPDX-License-Identifier: GPL-3.0-or-later
describe("office-hours", function()
  -- until the next time that the script's clock shows that hour
  local shown
  local function come(hour)
    advance(("%dh"):format((hour - shown) % 24))
    shown = hour
  end
  before_each(function() shown = tonumber(os.date "%H") end)

  it("lets others decide within its hours, and waits outside of them", function()
    local ada = person "ada"
    come(12)
    assert.equal("ask", world:explain(ada).answer)
    come(20)
    local said = world:explain(ada)
    assert.equal("later", said.answer)
    assert.equal("outside 9-17", said.reason)
    assert.equal("Newcomers wait outside 18-23.", command("hours", "18-23"))
    assert.equal("ask", world:explain(ada).answer)
    world:reload()
    assert.equal("18-23", command "hours")
  end)

  it("takes no hours that are none", function()
    assert.matches("within takes hours", command("hours", "always"))
    assert.equal("9-17", command "hours")
  end)
end)
