local L = require "support.limits"

local function check(n, change)
  local c = {
    fingerprint = ("%040X"):format(n), key = ("%032d"):format(n), since = 1000, from = "10.0.0.1:4788",
    certification = "certification " .. n, certificate = "certificate " .. n, known = false,
  }
  for k, v in pairs(change or {}) do c[k] = v end
  return c
end

local function new(config)
  return L.prove(L.limits { unlimited = true }, config or { parallel = 1000 })
end

describe("prove", function()
  it("P1.7 checks once, and remembers the verdict", function()
    local p = new()
    assert.equal("queued", p:submit(check(1)))
    assert.equal("waiting", p:submit(check(1)))
    local c = p:next(0)
    assert.equal("certification 1", c.certification)
    assert.equal("waiting", p:submit(check(1)))
    p:done(c, "good")
    assert.equal("good", p:submit(check(1)))
    p:submit(check(2))
    p:done(p:next(0), "bad")
    assert.equal("bad", p:submit(check(2)))
    assert.same({ 0, 0 }, { p:counts() })
  end)

  it("P1.7 a verdict holds for exactly what was checked", function()
    local p = new()
    p:submit(check(1))
    p:done(p:next(0), "bad")
    for field, value in pairs {
      fingerprint = ("%040X"):format(2), key = ("%032d"):format(2), since = 1001,
      certification = "certification 2", certificate = "certificate 2",
    } do
      local other = check(1, { [field] = value, known = true })
      assert.equal("queued", p:submit(other), field)
    end
    assert.equal("queued", p:submit(check(1, { known = true, certification = "certification 1c", certificate = "" })))
  end)

  it("P1.7 a bad certificate sent on with a good certification does not spoil it", function()
    local p = new()
    p:submit(check(1, { certificate = "mallory's", from = "6.6.6.6:6666" }))
    p:done(p:next(0), "bad")
    assert.equal("queued", p:submit(check(1)))
    p:done(p:next(0), "good")
    assert.equal("good", p:submit(check(1)))
  end)

  it("a check that came to no verdict is made again", function()
    local p = new()
    p:submit(check(1))
    p:done(p:next(0), "undecided")
    assert.equal("queued", p:submit(check(1)))
  end)

  it("P1.7 known peers come first", function()
    local p = new()
    for i = 1, 5 do p:submit(check(i, { from = "6.6.6." .. i .. ":6666" })) end
    p:submit(check(9, { known = true }))
    assert.equal("certification 9", p:next(0).certification)
    assert.equal("certification 1", p:next(0).certification)
  end)

  it("P1.7 a stranger's waiting check moves up when a friend brings it", function()
    local p = new()
    for i = 1, 5 do p:submit(check(i, { from = "6.6.6." .. i .. ":6666" })) end
    assert.equal("waiting", p:submit(check(4, { known = true })))
    assert.equal("waiting", p:submit(check(4)))
    assert.equal("certification 4", p:next(0).certification)
    assert.same({ 4, 1 }, { p:counts() })
  end)

  it("P1.7 one source that floods makes nobody else wait", function()
    local p = L.prove(L.limits(), { parallel = 1000, per_source = 100 })
    for i = 1, 100 do p:submit(check(i, { from = "6.6.6.6:6666" })) end
    p:submit(check(500, { from = "10.0.0.1:4788" }))
    local honest
    for second = 0, 4 do
      for _ = 1, 10 do
        local c = p:next(second * 1000)
        if c and c.certification == "certification 500" then honest = second end
      end
    end
    assert.equal(1, honest) -- after the flooder's burst of five
  end)

  it("P1.7 five a second in all, and says when to ask again", function()
    local p = L.prove(L.limits(), { parallel = 1000 })
    for i = 1, 50 do p:submit(check(i, { from = "6.6.6." .. i .. ":6666" })) end
    for _ = 1, 5 do assert.truthy(p:next(0)) end
    local none, wait = p:next(0)
    assert.is_nil(none)
    assert.equal(200, wait)
    assert.truthy(p:next(200))
    local n = 0
    for ms = 201, 4200 do n = n + (p:next(ms) and 1 or 0) end
    assert.equal(20, n)
  end)

  it("P1.7 where only capped sources wait, says when the first is due", function()
    local p = L.prove(L.limits(), { parallel = 1000 })
    for i = 1, 6 do p:submit(check(i)) end
    for _ = 1, 5 do p:next(0) end
    local none, wait = p:next(1000)
    assert.is_nil(none)
    assert.equal(4000, wait)
    assert.truthy(p:next(5000))
    none, wait = p:next(5000)
    assert.is_nil(none)
    assert.equal(-1, wait)
  end)

  it("runs a bounded number at one time", function()
    local p = new { parallel = 2 }
    for i = 1, 3 do p:submit(check(i)) end
    local a = p:next(0)
    assert.truthy(p:next(0))
    local none, wait = p:next(0)
    assert.is_nil(none)
    assert.equal(-1, wait)
    p:done(a, "good")
    assert.equal("certification 3", p:next(0).certification)
  end)

  it("P1.7 the queue is bounded per source, per host and in all; friends have room of their own", function()
    local p = new()
    local function fill(first, count, from)
      local n = 0
      for i = first, first + count - 1 do
        n = n + (p:submit(check(i, { from = from(i) })) == "queued" and 1 or 0)
      end
      return n
    end
    assert.equal(8, fill(1, 100, function() return "6.6.6.6:6666" end))
    assert.equal(56, fill(1001, 1000, function(i) return "6.6.6.6:" .. i end))
    assert.equal(192, fill(10001, 2000, function(i) return ("7.%d.%d.1:4788"):format(i // 250, i % 250) end))
    assert.equal("full", p:submit(check(900000, { from = "10.0.0.1:4788" })))
    assert.equal("queued", p:submit(check(900000, { from = "10.0.0.1:4788", known = true })))
    for i = 100001, 101000 do p:submit(check(i, { known = true })) end
    assert.same({ 512, 0 }, { p:counts() })
    assert.equal("full", p:submit(check(99999, { known = true })))
  end)

  it("P1.7 100,000 hostile checks keep memory bounded, and good verdicts outlive bad ones", function()
    local p = new { parallel = 1, remembered = 100 }
    p:submit(check(1))
    p:done(p:next(0), "good")
    for i = 2, 100000 do
      p:submit(check(i, { from = ("6.%d.%d.6:6666"):format(i // 250 % 250, i % 250) }))
      local c = p:next(i * 10)
      if c then p:done(c, "bad") end
    end
    assert.equal("good", p:submit(check(1)))
    local queued, running = p:counts()
    assert.is_true(queued <= 256 and running == 0)
    assert.equal("bad", p:submit(check(100000)))
    assert.equal("queued", p:submit(check(2)))
  end)

  it("remembers longest what is asked for", function()
    local p = new { remembered = 10 }
    for i = 1, 30 do
      p:submit(check(i, { known = true }))
      p:done(p:next(0), "good")
      assert.equal("good", p:submit(check(1)))
    end
    assert.equal("queued", p:submit(check(2)))
    assert.equal("good", p:submit(check(30)))
  end)

  it("what is too large to be a certification and certificate is bad unseen", function()
    local p = new { size_max = 100 }
    assert.equal("queued", p:submit(check(1, { certification = ("c"):rep(60), certificate = ("d"):rep(40) })))
    assert.equal("bad", p:submit(check(2, { certification = ("c"):rep(61), certificate = ("d"):rep(40) })))
    assert.same({ 1, 0 }, { p:counts() })
  end)
end)
