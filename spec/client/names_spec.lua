-- SPDX-License-Identifier: GPL-3.0-or-later
local names = require "sotto.client.names"

local A, B, C = ("A"):rep(40), ("B"):rep(40), ("C"):rep(40)

describe("names", function()
  it("are made harmless", function()
    assert.are.equal("ev<U+202E>il", names.person { name = "ev\u{202e}il", fingerprint = A })
    assert.are.equal("", names.safe(nil))
  end)

  it("are digits where there is none", function()
    assert.are.equal("AAAAAAAA", names.person { name = "", fingerprint = A })
    assert.are.equal("AAAAAAAA", names.person { name = "  ", fingerprint = A })
    assert.are.equal("AAAAAAAA", names.person { fingerprint = A })
  end)

  it("that look like nothing are digits, too", function()
    for _, name in ipairs { "\u{3164}", "\u{fe0f}", "\u{200b} ", "\u{2003}" } do
      assert.are.equal("AAAAAAAA", names.person { name = name, fingerprint = A })
    end
  end)

  it("that look like our own words have digits beside them", function()
    for _, name in ipairs { "you", "YOU", " you", "ｙｏｕ", "y\u{fe0f}ou", "sotto" } do
      assert.truthy(names.person({ name = name, fingerprint = A }):find(" (AAAAAAAA)", 1, true), name)
    end
    assert.are.equal("your", names.person { name = "your", fingerprint = A })
  end)

  it("that look like somebody else's have digits, unless that one is not verified and this one is", function()
    local bob = { name = "bob", fingerprint = A, verified = true }
    local others = { [A] = bob, [B] = { name = "ＢＯＢ", fingerprint = B, verified = false } }
    assert.are.equal("bob", names.person(bob, others))
    assert.are.equal("ＢＯＢ (BBBBBBBB)", names.person(others[B], others))
    others[B].verified = true
    assert.are.equal("bob (AAAAAAAA)", names.person(bob, others))
    assert.are.equal("bob", names.person(bob, { [A] = bob, [C] = { name = "carol", fingerprint = C } }))
    local discussion = { id = "x", members = { { name = "bob", fingerprint = C }, { name = "alice", fingerprint = A, you = true } } }
    assert.are.equal("bob (CCCCCCCC)", names.discussion(discussion, others))
    assert.are.equal("bob (CCCCCCCC)", names.sender(discussion, C, others))
    assert.are.equal("bob", names.discussion(discussion))
  end)

  it("of a discussion are those of the others", function()
    local discussion = {
      id = "0123456789abcdef",
      members = {
        { fingerprint = A, name = "alice", you = true }, { fingerprint = B, name = "bob" },
        { fingerprint = C, name = "\27c" },
      },
    }
    assert.are.equal("bob, <U+001B>c", names.discussion(discussion))
    assert.are.equal("you", names.sender(discussion, A))
    assert.are.equal("bob", names.sender(discussion, B))
    assert.are.equal("DDDDDDDD", names.sender(discussion, ("D"):rep(40)))
    assert.are.equal("01234567", names.discussion { id = discussion.id, members = {} })
  end)

  it("groups a fingerprint", function()
    assert.are.equal("0123 4567 89AB CDEF", names.grouped "0123456789ABCDEF")
  end)

  it("gives the clock today, and the date else", function()
    local noon = os.time { year = 2026, month = 5, day = 4, hour = 12 }
    assert.are.equal("11:59", names.time((noon - 60) * 1000 + 999, noon))
    assert.are.equal("2026-05-03 12:00", names.time((noon - 86400) * 1000, noon))
    assert.are.equal("2026-05-05 00:00", names.time((noon + 43200) * 1000, noon))
    assert.are.equal(os.date "%H:%M", names.time(os.time() * 1000))
  end)
end)
