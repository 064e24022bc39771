-- SPDX-License-Identifier: GPL-3.0-or-later
-- Payloads that cannot be opened, and a disk that was rolled back.
local case = require "support.outbox_case"
local wire = require "support.wire"

local BOB, CAROL = 2, 3
local took, find, submit, sealed, seal_all, build, link, ack, transmitted, step =
  case.took, case.find, case.submit, case.sealed, case.seal_all, case.build, case.link, case.ack,
  case.transmitted, case.step

describe("outbox", function()
  before_each(function() case.new() end)

  describe("a member that cannot open", function()
    local function cannot_open(member, sequence, epoch)
      step { type = "cannot_open", member = member, sequence = sequence, epoch = epoch }
    end

    it("P3.10 gets the same payload sealed anew, and what follows it again", function()
      build(3)
      link(BOB, 0)
      local list = find "transmit"
      ack(BOB, 1)
      took()
      cannot_open(BOB, 2)
      assert.equal("load, seal", took())
      assert.same({ 2, case.disk.own[2].payload }, { case.sealing.sequence, case.sealing.payload })
      sealed()
      local names, all = took()
      assert.equal("transmit, transmit, store_sealed", names)
      assert.same({ 2, 3, list[3].frame }, { all[1].sequence, all[2].sequence, all[2].frame })
      assert.are_not.equal(list[2].frame, all[1].frame)
      assert.equal(case.disk.own[2].message, select(4, wire.sealed_decode(all[1].frame)))
      assert.equal(1, case.o:counters().resealed)
    end)

    it("P3.10 gets it three times, and then nothing more on that link", function()
      build(2)
      link(BOB, 0)
      for _ = 1, 3 do
        took()
        cannot_open(BOB, 1)
        sealed()
        assert.equal("2:1 2:2", transmitted())
      end
      cannot_open(BOB, 1)
      local names, all = took()
      assert.equal("undeliverable", names)
      assert.same({ BOB, 1 }, { all[1].member, all[1].sequence })
      submit()
      seal_all()
      assert.equal("", transmitted())
      cannot_open(BOB, 1)
      link(BOB, 0)
      assert.equal("2:1 2:2 2:3", transmitted())
      cannot_open(BOB, 1)
      assert.equal("undeliverable", took())
      ack(BOB, 1) -- it could, after all
      link(BOB, 1)
      transmitted()
      cannot_open(BOB, 2)
      assert.equal(2, case.sealing.sequence)
    end)

    it("P3.10 can ask only for what follows all that it has", function()
      build(4)
      link(BOB, 0)
      ack(BOB, 1)
      took()
      for _, sequence in ipairs { 0, 1, 3, 4, 5, 99 } do cannot_open(BOB, sequence) end
      cannot_open(BOB, 2, 7)
      cannot_open(CAROL, 1)
      assert.equal("", took())
      assert.equal(8, case.o:counters().bad_records)
      step { type = "congested", member = BOB }
      link(BOB, 4)
      submit()
      step { type = "congested", member = BOB }
      seal_all()
      took()
      cannot_open(BOB, 5) -- it was not sent yet
      step { type = "writable", member = BOB }
      assert.equal("2:5", transmitted())
      assert.is_nil(case.sealing)
    end)

    it("gets another seal than the one that is still kept for others", function()
      link(BOB, 0)
      link(CAROL, 0)
      step { type = "congested", member = CAROL }
      build(1)
      assert.equal(1, case.o:counters().kept)
      cannot_open(BOB, 1)
      assert.equal("load, seal", took())
      sealed()
      step { type = "writable", member = CAROL }
      assert.equal("2:1 3:1", transmitted())
    end)

    it("P3.10 the disk gets the new seal where the old one was just being written", function()
      link(BOB, 0)
      submit()
      case.fails.silent = true
      sealed()
      cannot_open(BOB, 1)
      step { type = "loaded", rows = { { sequence = 1, payload = case.disk.own[1].payload } } }
      sealed()
      took()
      step { type = "stored" } -- the old one
      local names, all = took()
      assert.equal("store_sealed", names)
      assert.truthy(all[1].message)
      step { type = "stored" }
      assert.equal(0, case.o:counters().kept)
    end)

    it("and can after all: then nothing is sealed anew", function()
      build(2)
      link(BOB, 0)
      case.fails.load = "io"
      cannot_open(BOB, 1)
      ack(BOB, 1)
      case.fails.load = nil
      step { type = "retry" }
      link(CAROL, 0)
      assert.is_nil(case.sealing)
      case.fails.load = "io"
      cannot_open(BOB, 2)
      link(BOB, 2)
      case.fails.load = nil
      step { type = "retry" }
      link(CAROL, 0)
      assert.is_nil(case.sealing)
    end)

    it("does not keep others waiting", function()
      build(1)
      link(BOB, 0)
      link(CAROL, 0)
      cannot_open(BOB, 1)
      cannot_open(CAROL, 1)
      took()
      sealed()
      assert.equal("2:1 3:1", transmitted())
      assert.is_nil(case.sealing)
    end)

    it("gets it sealed anew on its next link, where it was gone before that was done", function()
      build(1)
      link(BOB, 0)
      cannot_open(BOB, 1)
      step { type = "link_down", member = BOB }
      sealed()
      took()
      link(BOB, 0)
      local list = find "transmit"
      assert.equal(case.disk.own[1].message, select(4, wire.sealed_decode(list[1].frame)))
      assert.is_nil(case.sealing)
    end)
  end)

  describe("a lost journal", function()
    it("P5.9 is noticed where a member has more of mine than I do, and nothing is said any more", function()
      build(2)
      step { type = "link_up", member = BOB, sequence = 3, hash = wire.hash "x" }
      local names, all = took()
      assert.equal("rolled_back", names)
      assert.same({ BOB, 3 }, { all[1].member, all[1].sequence })
      submit()
      link(CAROL, 0)
      step { type = "close" }
      assert.equal("rejected", took())
      step { type = "abandon" }
      assert.equal("failed, key_may_die", took())
    end)

    it("P5.9 or has something else", function()
      build(2)
      step { type = "link_up", member = BOB, sequence = 2, hash = wire.hash "x" }
      assert.equal("rolled_back", took())
    end)

    it("P5.9 rejects what waits for the disk when that is noticed", function()
      case.fails.silent = true
      submit(1, nil, 1)
      submit(1, nil, 2)
      took()
      step { type = "link_up", member = BOB, sequence = 3, hash = wire.hash "x" }
      step { type = "abandon" }
      assert.equal("rolled_back", took())
      step { type = "committed" }
      assert.equal("accepted, rejected, failed, key_may_die", took())
    end)

    it("P5.9 also where nobody abandons it at once", function()
      case.fails.silent = true
      submit(1, nil, 1)
      submit(1, nil, 2)
      step { type = "link_up", member = BOB, sequence = 3, hash = wire.hash "x" }
      took()
      step { type = "committed" }
      local names, all = took()
      assert.same({ "accepted, rejected", 1, 2 }, { names, all[1].ticket, all[2].ticket })
    end)
  end)
end)
