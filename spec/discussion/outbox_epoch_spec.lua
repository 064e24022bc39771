-- SPDX-License-Identifier: GPL-3.0-or-later
-- An epoch's end as the outbox sees it: nothing new is built, what is built is sealed, and what was held comes back.
local case = require "support.outbox_case"
local world = require "support.messages_world"
local decode = world.payload.decode

local BOB, CAROL = 2, 3
local restore, took, submit, sealed, seal_all, build, link, ack, transmitted, step =
  case.restore, case.took, case.submit, case.sealed, case.seal_all, case.build, case.link, case.ack, case.transmitted,
  case.step

describe("outbox", function()
  before_each(function() case.new() end)

  describe("when the epoch is about to end", function()
    it("§5.4 says at once that it is drained where nothing is on its way", function()
      step { type = "freeze" }
      assert.equal("drained", took())
      step { type = "freeze" }
      step { type = "retry" }
      assert.equal("", took())
    end)

    it("§5.4 P5.3 takes what is submitted, and builds no payload of it", function()
      step { type = "freeze" }
      took()
      local list = submit(2)
      local names, all = took()
      assert.equal("commit, accepted", names)
      assert.same({ 0, 2, true }, { #all[1].payloads, #all[1].rows, all[1].rows[1].fresh })
      assert.is_nil(case.disk.by_id[list[1].id].sequence)
      step { type = "retry" }
      assert.equal("", took())
      assert.same({ 0, 2 }, { (case.o:head()), case.o:counters().queued })
    end)

    it("§5.4 is drained once the seal under way is on disk, and not before", function()
      submit()
      submit() -- gathers, and is not built any more
      step { type = "freeze" }
      assert.is_nil((took():find "drained"))
      sealed()
      assert.equal("store_sealed, drained", took())
      assert.same({ 1, 1 }, { (case.o:head()), case.o:counters().queued })
    end)

    it("§5.4 waits for a commit that holds a payload", function()
      case.fails.silent = true
      submit()
      step { type = "freeze" }
      assert.equal("commit", took())
      case.fails.silent = nil
      step { type = "committed" }
      assert.equal("accepted, seal", took())
    end)

    it("§5.4 waits as long as gpg or the disk fails", function()
      submit()
      step { type = "freeze" }
      sealed "timeout"
      assert.is_nil((took():find "drained"))
      step { type = "retry" }
      case.fails.store = "io"
      sealed()
      assert.is_nil((took():find "drained"))
      case.fails.store = nil
      step { type = "retry" }
      assert.equal("store_sealed, drained", took())
    end)

    it("§5.4 after a restart looks through all that is built, also what nobody asks for", function()
      case.fails.store = "io"
      build(3)
      case.fails.store = nil
      restore { frozen = true }
      step { type = "start" }
      assert.equal("load, seal", took())
      seal_all()
      assert.truthy(took():find "drained$")
      for s = 1, 3 do assert.truthy(case.disk.own[s].message) end
    end)

    it("P3.7 goes on delivering what is built, and seals it anew where somebody cannot open it", function()
      build(2)
      step { type = "freeze" }
      link(BOB, 0)
      assert.equal("2:1 2:2", transmitted())
      step { type = "cannot_open", member = BOB, sequence = 1 }
      assert.equal(1, case.sealing.sequence)
      sealed()
      assert.equal("2:1 2:2", transmitted())
      ack(BOB, 2)
      ack(CAROL, 2)
      local _, all = took()
      assert.equal(2, all[#all].last_delivered)
    end)

    it("P3.8 a close is a close, also then", function()
      case.new(2)
      submit()
      step { type = "freeze" }
      submit()
      step { type = "close" }
      seal_all()
      assert.same({ "text", "close" },
        { case.disk.own[2].payload:match '"t":"(text)"', case.disk.own[2].payload:match '"t":"(close)"' })
    end)
  end)

  describe("of an epoch that has ended", function()
    it("P5.6 delivers what a member lacks, and builds nothing", function()
      build(3)
      restore { frozen = true, built = 2, head = case.disk.own[2].hash, queued = {} }
      step { type = "start" }
      step { type = "link_up", member = BOB }
      assert.equal("2:1 2:2", transmitted())
      ack(BOB, 3)
      assert.equal(1, case.o:counters().bad_records)
      ack(BOB, 2)
      assert.is_false(case.o:owes(BOB))
      assert.is_true(case.o:owes(CAROL))
    end)
  end)

  describe("with held messages", function()
    it("P5.3 puts what is released into a payload in the commit that makes it queued", function()
      local list = case.hold(2)
      case.release(list, 7)
      local names, all = took()
      assert.equal("commit, accepted, seal", names)
      assert.same({ 7, false, true, 1, 1 },
        { all[2].ticket, all[1].rows[2].fresh, all[1].rows[2].released, all[1].rows[2].sequence, all[1].rows[2].index })
      assert.equal(list[1].nonce, decode(case.disk.own[1].payload).items[1].nonce)
    end)

    it("P5.3 lets it wait with what is submitted, in order", function()
      submit()
      local held = case.hold(2)
      local fresh = submit()
      case.release(held, 9)
      local last = submit()
      took()
      sealed()
      local _, all = took()
      assert.same({ fresh[1].id, held[1].id, held[2].id, last[1].id },
        { all[2].rows[1].id, all[2].rows[2].id, all[2].rows[3].id, all[2].rows[4].id })
    end)

    it("P5.3 leaves it held where the disk takes nothing", function()
      local held = case.hold(1)
      case.fails.commit = "io"
      case.release(held, 9)
      local names, all = took()
      assert.same({ "commit, rejected", 9, "io" }, { names, all[2].ticket, all[2].code })
      assert.is_true(case.disk.by_id[held[1].id].held)
      case.fails.commit = nil
      case.release(held, 10)
      assert.equal("commit, accepted, seal", took())
    end)

    it("P5.3 takes more of them than one submit may have, up to what can be queued", function()
      case.release(case.hold(1500), 1)
      assert.truthy(took():find "accepted")
      case.release(case.hold(10001), 2)
      local _, all = took()
      assert.same({ "rejected", "too_large" }, { all[1].type, all[1].code })
    end)

    it("P5.3 released while the epoch changes again, it waits without a place", function()
      step { type = "freeze" }
      took()
      local held = case.hold(1)
      case.release(held, 1)
      assert.equal("commit, accepted", took())
      assert.is_nil(case.disk.by_id[held[1].id].held)
      assert.is_nil(case.disk.by_id[held[1].id].sequence)
    end)
  end)
end)
