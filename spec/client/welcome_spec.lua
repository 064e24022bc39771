-- SPDX-License-Identifier: GPL-3.0-or-later
-- What of the first screen is no conversation; the rest is spec/scenario/first_run_spec.lua's.
local welcome = require "sotto.client.welcome"

describe("welcome", function()
  it("says nothing of a core of its own version", function()
    assert.is_nil(welcome.compare_versions({ version = "0.1.0" }, "0.1.0", "sotto"))
  end)

  it("says of another one how to end it, whatever it calls itself", function()
    local text = welcome.compare_versions({ version = "0.0.9\27[2J" }, "0.1.0", "sotto --home /x")
    assert.truthy(text:find("0.0.9<U+001B>", 1, true))
    assert.truthy(text:find("'sotto --home /x stop'", 1, true))
  end)
end)
