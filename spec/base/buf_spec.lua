-- SPDX-License-Identifier: GPL-3.0-or-later
local base = require "support.base"

describe("buf", function()
  it("appends up to its cap, and stays as it is where more would not fit", function()
    local b = base.buf(10)
    assert.is_true(b:append("12345"))
    assert.is_true(b:append(""))
    assert.same({ nil, "too_large", "" }, { b:append("678901") })
    assert.equal("12345", (b:whole()))
    assert.is_true(b:append("67890"))
    assert.same({ nil, "too_large", "" }, { b:append("1") })
    assert.is_true(b:append(""))
    assert.equal("1234567890", (b:whole()))
  end)

  it("grows far beyond its first allocation", function()
    for _, wipe in ipairs { false, true } do
      local b, parts = base.buf(1 << 20, wipe), {}
      for i = 1, 5000 do
        parts[i] = ("%d;"):format(i)
        b:append(parts[i])
      end
      assert.equal(table.concat(parts), (b:whole()))
    end
  end)

  it("consumes from the front", function()
    local b = base.buf(100)
    b:append("abcdef")
    b:consume(0)
    b:consume(2)
    assert.equal("cdef", (b:whole()))
    b:append("gh")
    b:consume(6)
    assert.equal("", (b:whole()))
    b:append("again")
    assert.equal("again", (b:whole()))
  end)

  it("with wipe, leaves nothing behind of what was consumed or cleared", function()
    local b = base.buf(1000, true)
    b:append("secret one, secret two")
    b:consume(11)
    local content, behind = b:whole()
    assert.equal(" secret two", content)
    assert.equal(("\0"):rep(#behind), behind)
    b:clear()
    content, behind = b:whole()
    assert.equal("", content)
    assert.is_true(#behind > 0)
    assert.equal(("\0"):rep(#behind), behind)
  end)

  it("with wipe, starts from zeros after it has grown", function()
    local b = base.buf(100000, true)
    b:append(("s"):rep(300))
    b:append("t")
    local content, behind = b:whole()
    assert.equal(("s"):rep(300) .. "t", content)
    assert.equal(("\0"):rep(#behind), behind)
  end)

  it("gives its content away as shared bytes, with its wish to be wiped", function()
    for _, wipe in ipairs { false, true } do
      local b = base.buf(100, wipe)
      b:append("\0content\255")
      assert.same({ "\0content\255", wipe }, { b:take() })
      assert.same({ "", "" }, { b:whole() })
      assert.same({ "", wipe }, { b:take() })
      b:append("more")
      assert.equal("more", (b:take()))
    end
  end)

  it("may be ended twice, and used again", function()
    local b = base.buf(10, true)
    b:append("x")
    b:fini()
    b:fini()
    assert.is_true(b:append("0123456789"))
    assert.same({ nil, "too_large", "" }, { b:append("x") })
  end)
end)
