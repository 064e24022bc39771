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
