-- SPDX-License-Identifier: GPL-3.0-or-later
local json = require "sotto.json"
local report = require "sotto.client.report"

local function name_of(fingerprint) return "name of " .. fingerprint end

describe("report", function()
  it("gives a list's elements a line each", function()
    local peer = { name = "bob", fingerprint = ("B"):rep(40), addresses = { "192.0.2.7:4788" } }
    local text = report.text({ peer, peer }, "peer[]", name_of)
    assert.truthy(text:find "^bob .*\nbob [^\n]*$")
    local message = { sender = "F", text = "hi\nthere", time = os.time() * 1000, state = "received" }
    assert.truthy(report.text({ message }, "message[]", name_of):find("name of F: hi\n", 1, true))
    assert.are.equal("none", report.text({}, "peer[]", name_of))
  end)

  it("gives an object names and values, in order", function()
    assert.are.equal("a     1\nlong  x\n      y\nz     true",
      report.text({ z = true, a = 1, long = { "x", "y" } }, "object", name_of))
    assert.truthy(report.text({ listen = { tcp = "a", udp = "b" } }, "info", name_of)
      :find('listen  { tcp = "a", udp = "b" }', 1, true))
  end)

  it("knows every kind of which the table has lists", function()
    for name, method in pairs(require("sotto.core.api").methods) do
      if method.returns:find("[]", 1, true) then
        assert.are.equal("none", report.text({}, method.returns, name_of), name)
      end
    end
  end)

  it("shows scripts, and what they have said", function()
    local one = {
      name = "echo", state = "running", needs = { "messages", "store" }, help = "says back", reason = json.null,
      commands = { { name = "add", args = "<a>", help = "adds" } }, health = { { status = "warn", text = "tired\27" } },
    }
    assert.are.equal("echo             running  messages, store\n    says back\n    add <a>  adds\n    warn: tired<U+001B>",
      report.text({ one }, "script[]", name_of))
    local lines = { { time = 0, level = "info", text = "a\27" }, { time = 0, level = "error", text = "b" } }
    local text = report.text({ name = "echo", lines = lines }, "log", name_of)
    assert.truthy(text:find "%d%d:%d%d a<U%+001B>\n[%d -]+%d%d:%d%d error: b$", text)
    assert.are.equal("nothing yet", report.text({ name = "echo", lines = {} }, "log", name_of))
  end)

  it("shows members by name", function()
    local members = {
      { fingerprint = ("A"):rep(40), name = "alice", you = true, present = true, verified = false },
      { fingerprint = ("B"):rep(40), name = "\27", you = false, present = false, verified = true },
    }
    assert.are.equal("members  AAAAAAAAAAAAAAAA  alice  you, present\n         BBBBBBBBBBBBBBBB  <U+001B>  verified",
      report.text({ members = members }, "discussion", name_of))
  end)

  it("makes foreign text harmless", function()
    assert.are.equal("name  a<U+001B>[2J<U+000A>", report.text({ name = "a\27[2J\n" }, "peer", name_of))
    assert.are.equal("list  <U+202E>", report.text({ list = { "\u{202e}" } }, "object", name_of))
  end)

  it("has nothing to say of nothing", function()
    assert.is_nil(report.text({}, "nothing", name_of))
  end)
end)
