-- SPDX-License-Identifier: GPL-3.0-or-later
local settings = require "sotto.client.settings"

describe("settings", function()
  it("have standard values, and take good ones", function()
    local mine, others = settings.new(), settings.new()
    assert.are.equal("off", mine.bell)
    mine.bell, mine.patience = "on", "30"
    assert.are.same({ "on", 30 }, { mine.bell, mine.patience })
    mine.bell = true
    assert.are.equal("on", mine.bell)
    assert.are.same({ "off", 5 }, { others.bell, others.patience })
  end)

  it("refuse others, in words", function()
    local mine = settings.new()
    for name, value in pairs { bell = "loud", patience = 0, context = "x", elsewhere = 1, nope = 1 } do
      local ok, message = pcall(function() mine[name] = value end)
      assert.is_false(ok)
      assert.truthy(message:find(name, 1, true), message)
    end
    assert.are.equal("off", mine.bell)
    assert.is_nil(mine.nope)
  end)

  it("are described, and their standards are good", function()
    for _, setting in ipairs(settings.list) do
      assert.are.equal(setting.standard, settings.convert(setting.name, setting.standard))
      assert.is_string(setting.help)
    end
  end)
end)
