-- SPDX-License-Identifier: GPL-3.0-or-later
-- From a sealed payload to its acknowledgement by every member.
local case = require "support.outbox_case"
local wire = require "support.wire"

local ME, BOB, CAROL = 1, 2, 3
local took, submit, sealed, seal_all, build, link, ack, transmitted, step =
  case.took, case.submit, case.sealed, case.seal_all, case.build, case.link, case.ack, case.transmitted,
  case.step

describe("outbox", function()
  before_each(function() case.new() end)

  describe("transmitting", function()
    it("P3.7 sends to each member what it lacks, in order", function()
      build(5)
      link(BOB, 2)
      link(CAROL, 5)
      assert.equal("2:3 2:4 2:5", transmitted())
      submit()
      sealed()
      assert.equal("2:6 3:6", transmitted())
    end)

    it("has 8 in flight per member, and goes on as acknowledgements come", function()
      build(20)
      link(BOB, 0)
      assert.equal("2:1 2:2 2:3 2:4 2:5 2:6 2:7 2:8", transmitted())
      ack(BOB, 3)
      assert.equal("2:9 2:10 2:11", transmitted())
      ack(BOB, 2) -- an old one
      assert.equal("", transmitted())
      ack(BOB, 11)
      assert.equal("2:12 2:13 2:14 2:15 2:16 2:17 2:18 2:19", transmitted())
      ack(BOB, 20)
      assert.equal("", transmitted())
      assert.equal(0, case.o:counters().kept)
    end)

    it("P3.7 sends again from where the new link says", function()
      build(4)
      link(BOB, 0)
      ack(BOB, 1)
      transmitted()
      step { type = "link_down", member = BOB }
      submit()
      seal_all()
      assert.equal("", transmitted())
      link(BOB, 2)
      assert.equal("2:3 2:4 2:5", transmitted())
      link(BOB, 5) -- a second link in place of the first
      assert.equal("", transmitted())
    end)

    it("sends to a member that has lost its own disk what it had before", function()
      build(3)
      link(BOB, 3)
      assert.equal(3, case.disk.acked[BOB])
      link(BOB, 1)
      assert.equal("2:2 2:3", transmitted())
      assert.equal(3, case.disk.acked[BOB])
    end)

    it("waits for a congested link", function()
      link(BOB, 0)
      step { type = "congested", member = BOB }
      build(3)
      assert.equal("", transmitted())
      link(CAROL, 0)
      assert.equal("3:1 3:2 3:3", transmitted())
      step { type = "writable", member = BOB }
      assert.equal("2:1 2:2 2:3", transmitted())
    end)

    it("keeps nothing for who is not there", function()
      build(100)
      assert.same({ 0, 0 }, { case.o:counters().kept, case.o:counters().kept_bytes })
    end)

    it("keeps at most 64 for who is there and does not acknowledge; the rest comes from disk", function()
      link(BOB, 0)
      for _ = 1, 200 do
        submit()
        seal_all()
        assert.is_true(case.o:counters().kept <= 64)
      end
      assert.equal(64, case.o:counters().kept)
      assert.equal("2:1 2:2 2:3 2:4 2:5 2:6 2:7 2:8", transmitted())
      local loaded = case.o:counters().loaded
      for s = 1, 200 do
        ack(BOB, s)
        local expected = s + 8 <= 200 and "2:" .. s + 8 or ""
        assert.equal(expected, transmitted())
      end
      assert.is_true(case.o:counters().loaded > loaded)
      assert.equal(0, case.o:counters().kept)
    end)

    it("keeps at most 16 MiB", function()
      link(BOB, 0)
      for _ = 1, 40 do
        submit(14, ("x"):rep(65536))
        seal_all()
        assert.is_true(case.o:counters().kept_bytes <= 17 << 20)
      end
      assert.is_true(case.o:counters().kept < 20)
      transmitted()
      for s = 1, 40 do ack(BOB, s) end
      assert.equal(0, case.o:counters().kept_bytes)
      assert.truthy(transmitted():find "2:40$")
    end)

    it("serves one who comes back while another does not acknowledge", function()
      link(BOB, 0)
      for _ = 1, 100 do
        submit()
        seal_all()
      end
      transmitted()
      link(CAROL, 0)
      assert.equal("3:1 3:2 3:3 3:4 3:5 3:6 3:7 3:8", transmitted())
      for s = 1, 100 do
        ack(CAROL, s)
        assert.equal(s + 8 <= 100 and "3:" .. s + 8 or "", transmitted())
        assert.is_true(case.o:counters().kept <= 64)
      end
      ack(BOB, 8)
      assert.equal("2:9 2:10 2:11 2:12 2:13 2:14 2:15 2:16", transmitted())
    end)

    it("P3.7 sends all of it to who speaks of another epoch", function()
      build(2)
      step { type = "link_up", member = BOB, epoch = 1, sequence = 1, hash = wire.hash "x" }
      assert.equal("2:1 2:2", transmitted())
      assert.is_nil(case.disk.acked[BOB])
    end)

    it("does not take what it did not ask the disk for", function()
      build(3)
      case.fails.silent = true
      for _, rows in ipairs { {}, { { sequence = 2, payload = "x" } } } do
        link(BOB, 0)
        step { type = "loaded", rows = rows }
        assert.equal("load, retry_in", took())
        step { type = "retry" }
        took()
        step { type = "loaded", code = "io" }
        took()
        step { type = "link_down", member = BOB }
        step { type = "retry" }
      end
      assert.equal(0, case.o:counters().kept)
    end)

    it("tries again after a failing disk", function()
      build(3)
      case.fails.load = "io"
      link(BOB, 0)
      local names, all = took()
      assert.same({ "load, retry_in", 100 }, { names, all[2].ms })
      case.fails.load = nil
      step { type = "retry" }
      assert.equal("2:1 2:2 2:3", transmitted())
    end)
  end)

  describe("acknowledgements", function()
    it("sent is at least one, delivered is all others", function()
      build(3)
      link(BOB, 0)
      link(CAROL, 0)
      took()
      ack(BOB, 2)
      local names, all = took()
      assert.equal("store_ack", names)
      assert.same({ BOB, 2, 1, 2, 0, 0 }, { all[1].member, all[1].sequence, all[1].first_sent, all[1].last_sent,
        all[1].first_delivered, all[1].last_delivered })
      ack(CAROL, 3)
      all = select(2, took())
      assert.same({ 3, 3, 1, 2 }, { all[1].first_sent, all[1].last_sent, all[1].first_delivered,
        all[1].last_delivered })
      ack(BOB, 3)
      all = select(2, took())
      assert.same({ 0, 0, 3, 3 }, { all[1].first_sent, all[1].last_sent, all[1].first_delivered,
        all[1].last_delivered })
    end)

    it("with two members it is both at once", function()
      case.new(2)
      build(1)
      link(BOB, 0)
      took()
      ack(BOB, 1)
      local _, all = took()
      assert.same({ 1, 1, 1, 1 }, { all[1].first_sent, all[1].last_sent, all[1].first_delivered,
        all[1].last_delivered })
    end)

    it("what a new link says counts, too", function()
      build(2)
      link(BOB, 2)
      assert.equal(2, case.disk.acked[BOB])
    end)

    it("of what was never built, or of another epoch, are none", function()
      build(1)
      link(BOB, 0)
      took()
      ack(BOB, 2)
      step { type = "ack", member = BOB, sequence = 1, epoch = 1 }
      assert.equal("", took())
      assert.same({ nil, 2 }, { case.disk.acked[BOB], case.o:counters().bad_records })
    end)

    it("are stored once the disk takes them, with all that came meanwhile", function()
      build(3)
      link(BOB, 0)
      link(CAROL, 0)
      took()
      case.fails.ack = "io"
      ack(BOB, 1)
      ack(BOB, 2)
      ack(CAROL, 3)
      assert.equal("store_ack, retry_in", took())
      assert.is_true(case.o:owes(BOB))
      case.fails.ack = nil
      step { type = "retry" }
      local _, all = took()
      assert.same({ BOB, 2, 1, 2 }, { all[1].member, all[1].sequence, all[1].first_sent, all[1].last_sent })
      assert.same({ CAROL, 3, 3, 3, 1, 2 }, { all[2].member, all[2].sequence, all[2].first_sent, all[2].last_sent,
        all[2].first_delivered, all[2].last_delivered })
    end)

    it("say who is still owed something", function()
      build(2)
      assert.same({ false, true, true }, { case.o:owes(ME), case.o:owes(BOB), case.o:owes(CAROL) })
      link(BOB, 2)
      assert.same({ false, true }, { case.o:owes(BOB), case.o:owes(CAROL) })
    end)
  end)
end)
