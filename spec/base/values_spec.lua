-- SPDX-License-Identifier: GPL-3.0-or-later
-- err, hash, random, secret, clock: too small for files of their own.
local base = require "support.base"

describe("err", function()
  it("has a name for every code, and no name twice", function()
    local seen = {}
    for code = 0, base.ERR_COUNT - 1 do
      local name = base.err_name(code)
      assert.truthy(name:match("^[a-z_]+$"))
      assert.is_nil(seen[name])
      seen[name] = true
    end
    assert.equal("ok", base.err_name(0))
    assert.equal("not_found", base.err_name(1))
    assert.equal("internal", base.err_name(base.ERR_COUNT))
    assert.equal("internal", base.err_name(-1))
  end)

  it("sets code and text, and cuts at 255 bytes", function()
    assert.same({ "not_found", "no such peer" }, { base.err_set(1, "no such peer") })
    assert.equal(255, #select(2, base.err_set(1, ("x"):rep(1000))))
  end)

  it("translates errno: what is missing is not_found, the rest io", function()
    assert.same({ "not_found", "here: No such file or directory" }, { base.err_set(0, "here", base.ENOENT) })
    assert.same({ "io", "here: Broken pipe" }, { base.err_set(0, "here", base.EPIPE) })
    local name, text = base.err_set(0, ("x"):rep(1000), base.EPIPE)
    assert.same({ "io", 255 }, { name, #text })
  end)
end)

describe("hash", function()
  it("is BLAKE2b-256", function()
    assert.equal("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8", (base.hex(base.hash(""))))
    assert.equal("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319", (base.hex(base.hash("abc"))))
  end)

  it("depends on the key", function()
    local seen = {}
    for _, key in ipairs { ("k"):rep(16), ("k"):rep(17), ("k"):rep(64), ("l"):rep(16) } do
      local h = base.hash("abc", key)
      assert.equal(32, #h)
      assert.is_nil(seen[h])
      seen[h] = true
    end
  end)

  it("compares", function()
    assert.is_true(base.hashes_equal("a", "a"))
    assert.is_false(base.hashes_equal("a", "b"))
  end)
end)

describe("random", function()
  it("from a seed is the same each time, and goes on", function()
    local a, b, c = base.seeded(7), base.seeded(7), base.seeded(8)
    local first, second = base.fill(a, 40), base.fill(a, 40)
    assert.not_equal(first, second)
    assert.equal(first, base.fill(b, 40))
    assert.equal(second, base.fill(b, 40))
    assert.not_equal(first, base.fill(c, 40))
  end)

  it("of the system is not the same each time", function()
    assert.not_equal(base.fill(nil, 16), base.fill(nil, 16))
    assert.equal("", base.fill(nil, 0))
  end)

  it("stays below its bound and reaches every value about equally often", function()
    local source, counts = base.seeded(1), {}
    for _ = 1, 6000 do
      local n = base.below(source, 6)
      counts[n] = (counts[n] or 0) + 1
    end
    for n = 0, 5 do
      assert.is_true(counts[n] > 850 and counts[n] < 1150, n .. ": " .. tostring(counts[n]))
      counts[n] = nil
    end
    assert.is_nil(next(counts))
    for _ = 1, 50 do assert.equal(0, base.below(source, 1)) end
    local high = 0
    for _ = 1, 100 do
      local n = base.below(source, 0xffffffff)
      assert.is_true(n >= 0 and n < 0xffffffff)
      if n >= 0x80000000 then high = high + 1 end
    end
    assert.is_true(high > 20 and high < 80)
  end)
end)

describe("secret", function()
  it("keeps bytes, also none, and compares them", function()
    assert.same({ "pass\0word", true }, { base.secret("pass\0word", "pass\0word") })
    assert.same({ "pass", false }, { base.secret("pass", "Pass") })
    assert.same({ "pass", false }, { base.secret("pass", "password") })
    assert.same({ "", true }, { base.secret("", "") })
  end)
end)

describe("clock", function()
  it("P0.6 tells milliseconds since 1970, and is what was injected", function()
    local system, fixed = base.clock(1234567890123)
    assert.equal(1234567890123, fixed)
    assert.is_true(math.abs(system - os.time() * 1000) < 5000)
  end)
end)
