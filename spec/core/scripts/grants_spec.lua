-- SPDX-License-Identifier: GPL-3.0-or-later
local api = require "sotto.core.api"
local grants = require "sotto.core.scripts.grants"
local http = require "sotto.core.scripts.http"

describe("grants", function()
  it("know capabilities", function()
    assert.is_nil(grants.check { "messages", "store", "timers" })
    assert.is_nil(grants.check {
      "http", "http:private", "http:example.org", "http:example.org:8080", "http:[::1]:80", "files:/tmp/x", "files:~/notes",
      "command:notify-send", "command:/usr/bin/env",
    })
    for _, need in ipairs {
      "nope", "messages:x", "", ":", "files", "files:", "files:x", "files:/a/../b", "files:/a/..", "files:/a\nb", "command",
      "command:", "command:a b", "http:", "http:a b", "http:http://x", "http:x/y",
    } do assert.is_string(grants.check { "messages", need }, need) end
  end)

  it("say what is missing, in words", function()
    assert.are.same({ "store" }, grants.missing({ "messages", "store" }, { "messages", "timers" }))
    assert.truthy(grants.describe("store"):find("keep data", 1, true))
    assert.are.equal("files:/tmp/x: read and change /tmp/x and what is in it", grants.describe "files:/tmp/x")
    assert.truthy(grants.describe("command:ls"):find("run the program ls", 1, true))
    assert.truthy(grants.describe("http"):find("nothing from this machine", 1, true))
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

  it("make the rule for pages: every public host, or some, and the own network where that was granted", function()
    assert.is_nil(http.rule { "messages" })
    assert.is_nil(http.rule { "http:private" })
    assert.are.same({ private = false }, http.rule { "http" })
    assert.are.same({ private = true }, http.rule { "http", "http:private" })
    assert.are.same({ private = false, hosts = { "example.org:80" } }, http.rule { "http:Example.org:80" })
    assert.are.same({ private = false }, http.rule { "http", "http:example.org" })
  end)

  it("may be narrowed to some discussions", function()
    local given = grants.new({ "messages" }, { "aa" })
    assert.is_true(given:covers "aa")
    assert.is_false(given:covers "bb")
    assert.is_false(given:covers(nil))
    assert.is_true(grants.new({ "messages" }):covers "bb")
  end)
end)
