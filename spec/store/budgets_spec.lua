local fixture = require "store.fixture"
local tools = require "support.store_tools"

describe("budgets", function()
  local f, s
  local who = fixture.fingerprint(1)
  before_each(function()
    f = fixture.new()
    s = f.s
  end)
  after_each(function() f.done() end)

  it("P2.2 has none for a peer that was never guessed at", function()
    assert.equal("not_found", select(2, s:budget_get(who)))
  end)

  it("P2.2 survives a restart, and works while locked", function()
    s:lock()
    local b = { guesses = 2, refills = 1, next_refill = 123456789012 }
    assert(s:budget_put(who, b))
    assert.same(b, f.reopen():budget_get(who))
    b.guesses = 0
    assert(f.s:budget_put(who, b))
    assert.same(b, f.s:budget_get(who))
    assert(f.s:budget_put(who, nil))
    assert.equal("not_found", select(2, f.s:budget_get(who)))
    assert(f.s:budget_put(who, nil))
  end)

  it("P2.2 survives that the peer is forgotten", function()
    assert(s:peer_put { fingerprint = who, name = "bob", record_signature = ("\0"):rep(64), source = "file" })
    assert(s:budget_put(who, { guesses = 0, refills = 0, next_refill = 5 }))
    assert(s:peer_delete(who))
    assert.equal(0, s:budget_get(who).guesses)
  end)

  it("P2.2 is on disk when put returns: kill -9 right after it", function()
    f.close()
    local pid, fd = tools.fork(function(report)
      local child = assert(f.open())
      assert(child:budget_put(who, { guesses = 1, refills = 0, next_refill = 7 }))
      report("x")
      while true do os.execute("sleep 1") end
    end)
    assert.equal("x", tools.read(fd, 1))
    tools.kill(pid)
    assert.equal(-9, tools.wait(pid))
    tools.close(fd)
    assert.equal(1, f.reopen():budget_get(who).guesses)
  end)

  it("refuses what is no fingerprint, and a 20,001st row", function()
    for _, bad in ipairs { "", who:lower(), who:sub(2), who .. "0", who:sub(2) .. "G" } do
      assert.equal("bad_params", select(2, s:budget_put(bad, { guesses = 1 })))
      assert.equal("bad_params", select(2, s:budget_get(bad)))
    end
    f.close()
    f.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
      .. "INSERT INTO budgets SELECT printf('%040X', i), 1, 0, 0 FROM n")
    s = f.reopen()
    assert.equal("too_large", select(2, s:budget_put(who, { guesses = 1 })))
    assert(s:budget_put(("%040X"):format(20000), { guesses = 0 }))
    assert(s:budget_put(("%040X"):format(20000), nil))
    assert(s:budget_put(who, { guesses = 1 }))
  end)
end)
