-- SPDX-License-Identifier: GPL-3.0-or-later
local api = require "sotto.core.api"
local grants = require "sotto.core.scripts.grants"

describe("grants", function()
  it("know capabilities", function()
    assert.is_nil(grants.check { "messages", "store", "timers" })
    for _, need in ipairs { "nope", "messages:x", "", ":" } do assert.is_string(grants.check { "messages", need }, need) end
  end)

  it("say what is missing, in words", function()
    assert.are.same({ "store" }, grants.missing({ "messages", "store" }, { "messages", "timers" }))
    assert.truthy(grants.describe("store"):find("keep data", 1, true))
  end)

  it("allow the methods of a capability, and no others; scripts and events never", function()
    local given = grants.new { "messages" }
    for name, method in pairs(api.methods) do
      local expected = method.capability == "base" or method.noun == "messages" or
        name == "discussions.list" or name == "discussions.show" or name == "peers.show"
      if method.noun == "scripts" or method.noun == "events" then expected = false end
      assert.are.equal(expected, given:allows(method), name)
    end
    for name, method in pairs(api.methods) do
      if method.noun == "scripts" or method.noun == "events" then
        assert.is_false(grants.new { "messages", "system", "identity" }:allows(method), name)
      end
    end
  end)

  it("let events through by what they are about", function()
    local given = grants.new { "messages" }
    assert.is_true(given:hears "message.received")
    assert.is_true(given:hears "discussion.opened")
    assert.is_false(given:hears "peer.seen")
    assert.is_false(given:hears "passphrase.needed")
    assert.is_false(given:hears "script.log")
    assert.is_false(grants.new({}):hears "message.received")
  end)

  it("may be narrowed to some discussions", function()
    local given = grants.new({ "messages" }, { "aa" })
    assert.is_true(given:covers "aa")
    assert.is_false(given:covers "bb")
    assert.is_false(given:covers(nil))
    assert.is_true(grants.new({ "messages" }):covers "bb")
  end)
end)
