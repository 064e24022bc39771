-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"

local sys = require "sotto.sys"

local A, B = ("A"):rep(40), ("B"):rep(40)
local NOW = os.time() * 1000

describe("a message's line", function()
  local clock = os.date "%H:%M"

  it("says where others find this core, and where that is nobody but this machine", function()
    assert.are.equal("Others find you at 127.0.0.1:4788 or 192.0.2.7:4788",
      format.whereabouts { "127.0.0.1:4788", "192.0.2.7:4788" })
    assert.are.equal("Only this machine finds you, at 127.0.0.1:4788 or [::1]:4788",
      format.whereabouts { "127.0.0.1:4788", "[::1]:4788" })
    assert.are.equal("Others find you at [2001:db8::1]:4788", format.whereabouts { "[2001:db8::1]:4788" })
  end)

  it("has time, name and text, and for an own one how far it has come", function()
    assert.are.equal(clock .. " bob: hi", format.message({ time = NOW, text = "hi", state = "received" }, "bob"))
    for state, mark in pairs { queued = "…", sent = "✓", delivered = "✓✓", confirmed = "✓✓✓", failed = "failed" } do
      local line = format.message({ time = NOW, text = "hi", state = state }, "you")
      assert.are.equal(clock .. " you: hi  " .. mark, line)
    end
    assert.truthy(format.message({ time = NOW, text = "hi", state = "new" }, "you"):find("new", 1, true))
  end)

  it("indents further lines, so that none can look like another message", function()
    local line = format.message({ time = NOW, text = "a\n12:00 eve: b\n\tc", state = "received" }, "日本")
    assert.are.equal(clock .. " 日本: a\n            12:00 eve: b\n                c", line)
  end)

  it("is painted part by part", function()
    local view = format.view({ time = NOW, text = "a\nb", state = "queued" }, "you")
    assert.are.same({ clock, "you", true, "a\nb", "…", "waiting", "own" },
      { view.time, view.who, view.own, view.text, view.mark, view.mark_part, view.who_style })
    view.paint = function(part, text) return text == "" and "" or ("<%s:%s>"):format(part, text) end
    view.place = "carol"
    assert.are.equal(("<elsewhere:[carol] ><time:%s> <own:you>: <own_text:a\n%sb>  <waiting:…>"):format(clock, (" "):rep(19)),
      format.line(view))
    local percent = format.view({ time = NOW, text = "100%\n%1", state = "received" }, "b%1b")
    assert.are.equal(clock .. " b%1b: 100%\n            %1", format.line(percent))
  end)

  it("is harmless", function()
    local line = format.message({ time = NOW, text = "\27[2J\r\u{202e}x\x80", state = "received" }, "bob")
    assert.are.equal(clock .. " bob: <U+001B>[2J<U+000D><U+202E>x<80>", line)
  end)
end)

describe("a peer's line", function()
  it("says who, whether verified, and where", function()
    local peer = {
      name = "日本", fingerprint = B, online = true, verified = true, proven = true, addresses = { "192.0.2.7:4788" },
    }
    assert.are.equal("日本" .. (" "):rep(16) .. "  BBBBBBBBBBBBBBBB  online, verified  192.0.2.7:4788", format.peer(peer))
    peer.verified = false
    assert.truthy(format.peer(peer):find("not verified yet", 1, true))
    peer.proven, peer.online, peer.addresses = false, false, {}
    assert.truthy(format.peer(peer):find("away, key not checked yet  no address", 1, true))
  end)
end)

describe("a discussion's line", function()
  local discussion

  before_each(function()
    discussion = {
      id = ("0123456789abcdef"):rep(2), state = "open", unread = 0,
      members = { { fingerprint = A, name = "alice", you = true }, { fingerprint = B, name = "bob", you = false } },
    }
  end)

  it("has its first digits, its people, its state and what is new", function()
    assert.are.equal("01234567  bob                   open", format.discussion(discussion))
    discussion.unread = 3
    assert.truthy(format.discussion(discussion):find("open [3 new]", 1, true))
    discussion.members[2].name = ("x"):rep(32)
    assert.truthy(format.discussion(discussion):find(("x"):rep(32) .. "  open", 1, true))
  end)

  it("says since when, where and why nobody can be reached", function()
    discussion.state, discussion.suspended = "suspended", NOW
    assert.truthy(format.state(discussion):find("cannot be reached since %d%d:%d%d; messages wait"))
    assert.are.equal("", format.why(discussion))
    local member = discussion.members[2]
    for problem, text in pairs {
      refused = "nothing listens at 192.0.2.7:1", timeout = "192.0.2.7:1 does not answer", unreachable = "no way leads to 192.0.2.7:1",
      no_address = "no address of bob is known; /probe HOST:PORT finds one", lost = "the connection to 192.0.2.7:1 broke off",
    } do
      member.problem, member.tried = problem, "192.0.2.7:1"
      assert.are.equal(text, format.why(discussion))
    end
    member.name, member.tried, member.problem = "%1$s", "%2$s\27", "refused"
    assert.are.equal("nothing listens at %2$s<U+001B>", format.why(discussion))
  end)

  it("says why it ended", function()
    discussion.state, discussion.reason = "refused", "failed"
    assert.truthy(format.state(discussion):find("not opened: the passwords differ", 1, true))
    discussion.reason = "\27new"
    assert.truthy(format.state(discussion):find("<U+001B>new", 1, true))
    discussion.reason = nil
    assert.are.equal("not opened", format.state(discussion))
    assert.is_nil(format.reason(discussion))
  end)

  it("has words for every reason of the engine's", function()
    local source = assert(io.open "engine/discussion/lifecycle.c"):read "a"
    local list = source:match "reason_names%[[%w_]+%] = (%b{})"
    local count = 0
    for reason in list:gmatch '"([%l_]+)"' do
      discussion.reason = reason
      assert.are_not.equal(reason, format.reason(discussion))
      count = count + 1
    end
    assert.truthy(count > 10)
  end)
end)

describe("what is said where no try is left", function()
  it("P2.2 names the wait, rounded up", function()
    for wait, text in pairs { [0] = "1 min", [1] = "1 min", [600000] = "10 min", [5400000] = "90 min",
      [6000000] = "2 h", [86400000] = "24 h" } do
      local said = format.no_guess({ next_guess = sys.now_ms() + wait }, "bob")
      assert.are.equal("no try of a password is left with bob; the next one comes in " .. text, said)
    end
  end)
end)
