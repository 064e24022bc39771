-- SPDX-License-Identifier: GPL-3.0-or-later
-- Its caps, what the shell tells it, reading, and the rows of the store.
local case = require "support.table_case"

local HOUR, NOW, CERTIFICATION, fpr, key, record, new, addresses =
  case.HOUR, case.NOW, case.CERTIFICATION, case.fpr, case.key, case.record, case.new, case.addresses

describe("table", function()
  describe("caps", function()
    it("P1.8 100,000 strangers of few sources stay bounded and displace nobody known", function()
      local t, feed = new()
      for i = 1, 20 do
        feed(record(i), { from = "10.0.1." .. i .. ":4788" })
        if i % 2 == 0 then t:pin(fpr(i), true) else t:know(fpr(i), "manual") end
        t:proven(fpr(i), key(i), 1000, NOW)
      end
      feed(record(21), { from = "10.0.1.21:4788" }) -- an honest stranger
      for i = 1, 100000 do
        feed(record(100 + i, { sequence = i }), { from = ("6.6.6.%d:6666"):format(i % 5) })
      end
      assert.equal(21 + 5 * 32, t:count())
      for i = 1, 21 do assert.equal("person " .. i, t:get(fpr(i)).name) end
    end)

    it("P1.8 nor do they from one host with all its ports", function()
      local t, feed = new()
      feed(record(1))
      for i = 1, 20000 do feed(record(100 + i), { from = "6.6.6.6:" .. 1024 + i }) end
      assert.equal(1025, t:count())
      assert.truthy(t:get(fpr(1)))
      for i = 1, 20000 do
        feed(record(30000 + i), { from = ("[2001:db8::%x]:4788"):format(i) })
      end
      assert.equal(2049, t:count())
      assert.truthy(t:get(fpr(1)))
    end)

    it("P1.8 from everywhere, the unproven go first and one proven stranger at most", function()
      local t, feed = new { entries = 100 }
      for i = 1, 40 do
        feed(record(i), { from = "10.0.1." .. i .. ":4788" })
        t:proven(fpr(i), key(i), 1000, NOW)
      end
      for i = 41, 60 do t:know(fpr(i), "file") end
      for i = 1, 20000 do
        feed(record(1000 + i), { from = ("%d.%d.6.6:6666"):format(1 + i % 200, i // 200) })
      end
      assert.equal(100, t:count())
      for i = 1, 60 do assert.truthy(t:get(fpr(i)), "person " .. i) end
    end)

    it("evicts the longest unseen, and says whom", function()
      local t, feed = new { entries = 3 }
      for i = 1, 3 do feed(record(i), { now = NOW + i, from = "10.0.1." .. i .. ":4788" }) end
      feed(record(1, { sequence = 2 }), { now = NOW + 10 })
      local o = feed(record(4), { now = NOW + 11, from = "10.0.1.4:4788" })
      assert.equal(fpr(2), o.evicted)
      assert.is_true(o.evicted_online)
      assert.equal("taken", o.verdict)
      assert.equal(3, t:count())
      t:know(fpr(5), "manual") -- room for a friend too
      assert.is_nil(t:get(fpr(3)))
    end)

    it("P1.8 whoever becomes known is no longer evicted", function()
      local t, feed = new { entries = 3, per_source = 2, per_host = 2 }
      feed(record(1))
      feed(record(2))
      t:know(fpr(1), "manual")
      t:pin(fpr(2), true)
      for i = 3, 50 do feed(record(i)) end
      for i = 51, 99 do feed(record(i), { from = ("10.0.1.%d:4788"):format(i) }) end
      assert.equal(3, t:count())
      assert.truthy(t:get(fpr(1)))
      assert.truthy(t:get(fpr(2)))
    end)

    it("where all strangers are proven, the longest unseen makes room", function()
      local t, feed = new { entries = 2 }
      for i = 1, 2 do
        feed(record(i))
        t:proven(fpr(i), key(i), 1000, NOW)
      end
      feed(record(1, { sequence = 2 }))
      assert.equal(fpr(2), feed(record(3)).evicted)
      assert.equal(fpr(3), feed(record(4)).evicted)
      assert.truthy(t:get(fpr(1)))
    end)

    it("refuses strangers, and more friends, where all are known", function()
      local t, feed = new { entries = 2 }
      assert.is_true(t:know(fpr(1), "file"))
      assert.is_true(t:pin(fpr(2), true))
      assert.equal("full", feed(record(3)).verdict)
      local _, code = t:know(fpr(3), "file")
      assert.equal("too_large", code)
      _, code = t:pin(fpr(3), true)
      assert.equal("too_large", code)
      assert.equal("beside", feed(record(2)).verdict)
    end)

    it("P1.8 naming a known peer, or sending its record on, makes nobody known", function()
      local t, feed = new()
      assert.is_false(feed(record(1)).known)
      t:know(fpr(1), "manual")
      assert.is_false(feed(record(1, { sequence = 2 })).known)
      t:proven(fpr(1), key(1), 1000, NOW)
      assert.is_true(feed(record(1, { sequence = 3 })).known)
      assert.is_false(feed(record(1, { sequence = 3 }), { from = "6.6.6.6:6666" }).known)
      assert.is_false(feed(record(1, { sequence = 2 }), { from = "6.6.6.6:6666" }).known)
      assert.is_false(feed(record(1, { sequence = 9, key = key(66), since = 5000 }), { from = "6.6.6.6:6666" }).known)
      feed(record(2))
      t:proven(fpr(2), key(2), 1000, NOW)
      assert.is_false(feed(record(2, { sequence = 2 })).known)
    end)

    it("P1.8 proven strangers are no longer counted to their source", function()
      local t, feed = new { per_source = 2 }
      for i = 1, 10 do
        feed(record(i))
        t:proven(fpr(i), key(i), 1000, NOW)
      end
      assert.equal(10, t:count())
      for i = 11, 20 do feed(record(i)) end
      assert.equal(12, t:count())
    end)

    it("keeps its books when strangers come and go", function()
      local t, feed = new { entries = 50, per_source = 4, per_host = 9 }
      local seed = 7
      local function random(n)
        seed = (seed * 1103515245 + 12345) % 2147483648
        return seed // 65536 % n
      end
      for i = 1, 20000 do
        local n, what = 1 + random(80), random(10)
        local now = NOW + i * 100
        if what < 6 then
          feed(record(n, { sequence = i, issued = now, expires = now + 1000 + random(20000) }),
            { from = ("10.0.0.%d:%d"):format(random(4), 4000 + random(5)), now = now })
        elseif what == 6 then t:proven(fpr(n), key(n), 1000, now)
        elseif what == 7 then t:disproven(fpr(n), key(n), CERTIFICATION)
        elseif what == 8 then t:forget(fpr(n))
        elseif random(20) == 0 then t:know(fpr(n), "manual")
        else t:sweep(now) end
        assert.is_true(t:count() <= 50)
      end
      for i = 1, 80 do t:forget(fpr(i)) end
      assert.equal(0, t:count())
      for i = 1, 9 do feed(record(i, { issued = NOW }), { from = "10.0.0.1:" .. 4000 + i }) end
      assert.equal(9, t:count()) -- nobody is counted that is gone
    end)
  end)

  describe("what the shell knows", function()
    it("a link makes online, and its end does not at once make offline", function()
      local t = new()
      t:know(fpr(1), "manual")
      assert.is_true(t:linked(fpr(1), true, NOW))
      assert.is_true(t:get(fpr(1)).online)
      assert.is_false(t:linked(fpr(1), true, NOW))
      assert.same({}, t:sweep(NOW + HOUR))
      assert.equal(NOW + HOUR, t:get(fpr(1)).last_seen)
      assert.is_true(t:linked(fpr(1), false, NOW + HOUR)) -- nothing was heard but the link
      assert.is_false(t:get(fpr(1)).online)
      assert.is_false(t:linked(fpr(2), true, NOW))
    end)

    it("with a live record the peer stays online for a while after the link", function()
      local t, feed = new()
      feed(record(1))
      t:linked(fpr(1), true, NOW)
      t:sweep(NOW + 200000)
      assert.is_false(t:linked(fpr(1), false, NOW + 200000))
      assert.same({}, t:sweep(NOW + 299999))
      assert.same({ fpr(1) }, t:sweep(NOW + 300000))
    end)

    it("a stranger with a link is not swept away under it", function()
      local t, feed = new()
      feed(record(1))
      t:linked(fpr(1), true, NOW)
      t:sweep(NOW + 2 * HOUR)
      assert.truthy(t:get(fpr(1)))
      t:linked(fpr(1), false, NOW + 2 * HOUR)
      t:sweep(NOW + 2 * HOUR)
      assert.is_nil(t:get(fpr(1)))
    end)

    it("orders addresses by what worked", function()
      local t, feed = new()
      feed(record(1, { endpoints = { "10.0.0.2:4788", "10.0.0.3:4788" } }))
      assert.is_true(t:confirm(fpr(1), "10.0.0.3:4788", NOW))
      assert.equal("10.0.0.3:4788! 10.0.0.1:4788 10.0.0.2:4788", addresses(t, 1))
      assert.is_true(t:fail(fpr(1), "10.0.0.3:4788"))
      assert.equal("10.0.0.1:4788 10.0.0.2:4788 10.0.0.3:4788", addresses(t, 1))
      assert.is_false(t:confirm(fpr(2), "10.0.0.3:4788", NOW))
    end)

    it("forgets", function()
      local t, feed = new()
      feed(record(1))
      t:pin(fpr(1), true)
      assert.is_true(t:forget(fpr(1)))
      assert.equal(0, t:count())
      local _, code = t:forget(fpr(1))
      assert.equal("not_found", code)
      assert.equal("taken", feed(record(1)).verdict)
    end)

    it("refuses what is no fingerprint", function()
      local t = new()
      for _, text in ipairs { "", "bob", fpr(10):lower(), fpr(1) .. "0" } do
        local _, code = t:know(text, "manual")
        assert.equal("bad_params", code)
      end
      assert.equal(0, t:count())
    end)
  end)

  describe("reading", function()
    it("gives entries in order of fingerprint", function()
      local t, feed = new()
      for _, n in ipairs { 5, 3, 9, 1, 7 } do feed(record(n)) end
      local order = {}
      for i = 1, t:count() do order[i] = t:at(i).fingerprint end
      assert.same({ fpr(1), fpr(3), fpr(5), fpr(7), fpr(9) }, order)
    end)

    it("P1.9 finds by fingerprint, prefix and name", function()
      local t, feed = new()
      local a, b = "AAAAAAAA" .. ("1"):rep(32), "BBBBBBBB" .. ("2"):rep(32)
      feed(record(1, { fingerprint = a, name = "Ann" }))
      feed(record(2, { fingerprint = b, name = "Bob" }))
      assert.equal(a, t:find("aaaaaaaa").fingerprint)
      assert.equal(b, t:find("BOB").fingerprint)
      feed(record(3, { name = "b\u{ad}OB" }))
      local none, code, text = t:find("bob")
      assert.is_nil(none)
      assert.equal("ambiguous", code)
      assert.truthy(text:find(b, 1, true) and text:find(fpr(3), 1, true))
    end)
  end)

  describe("rows of the store", function()
    local row = {
      fingerprint = fpr(1), name = "Ann", key = key(1), has_key = true, proven = true, known = true, since = 1000,
      sequence = 7, expires = NOW + HOUR, last_seen = NOW - 5000, source = 5, linked = true, online = true,
    }
    local function with(change)
      local r = {}
      for k, v in pairs(row) do r[k] = v end
      for k, v in pairs(change) do r[k] = v end
      return r
    end

    it("come back as they were, but offline", function()
      local t, feed = new()
      assert.is_true(t:load(row))
      local p = t:get(fpr(1))
      assert.is_true(p.proven and p.known)
      assert.is_false(p.online or p.linked)
      assert.equal("manual", p.source)
      assert.same({}, t:sweep(NOW))
      local o = feed(record(1, { sequence = 6 }))
      assert.equal("older", o.verdict)
      assert.is_false(o.seen or t:get(fpr(1)).online)
      o = feed(record(1, { sequence = 8 }))
      assert.equal("taken", o.verdict)
      assert.is_true(o.seen)
      assert.is_false(o.wants_proof)
    end)

    it("an unproven key does not come back", function()
      local t, feed = new()
      t:load(with { proven = false })
      assert.is_false(t:get(fpr(1)).has_key)
      assert.equal("taken", feed(record(1, { sequence = 1 })).verdict)
    end)

    it("replace what is there, and strangers stay strangers", function()
      local t = new()
      t:load(row)
      t:load(with { name = "Ann again", known = false })
      assert.equal(1, t:count())
      assert.equal("Ann again", t:get(fpr(1)).name)
      t:sweep(NOW + HOUR)
      assert.equal(0, t:count())
    end)

    it("refuses rows that are of no use", function()
      local t = new()
      for _, change in ipairs {
        { known = false, proven = false }, { fingerprint = "x" }, { name = ("n"):rep(33) }, { source = 6 },
        { source = -1 }, { address_count = 9 }, { has_key = false },
      } do
        local _, code = t:load(with(change))
        assert.equal("bad_params", code)
      end
      assert.is_true(t:load(with { known = false, pinned = true }))
      assert.is_true(t:get(fpr(1)).known)
    end)
  end)
end)
