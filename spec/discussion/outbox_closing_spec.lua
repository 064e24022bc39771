-- SPDX-License-Identifier: GPL-3.0-or-later
-- The end: CLOSE behind all that was said, and what is given up.
local case = require "support.outbox_case"
local world = require "support.messages_world"
local decode = world.payload.decode

local BOB, CAROL = 2, 3
local restore, took, submit, sealed, seal_all, build, link, ack, transmitted, step =
  case.restore, case.took, case.submit, case.sealed, case.seal_all, case.build, case.link, case.ack,
  case.transmitted, case.step

describe("outbox", function()
  before_each(function() case.new() end)

  describe("closing", function()
    it("P3.8 seals and stores CLOSE, and then the key may die", function()
      link(BOB, 0)
      link(CAROL, 0)
      submit()
      sealed()
      took()
      step { type = "close" }
      local names, all = took()
      assert.equal("commit, closed, seal", names)
      assert.same({ true, 1, 0 }, { all[1].closes, #all[1].payloads, #all[1].rows })
      assert.same({ { type = 1 } }, decode(case.disk.own[2].payload).items)
      sealed()
      assert.equal("transmit, transmit, store_sealed, key_may_die", took())
      ack(BOB, 2)
      names, all = took()
      assert.equal("store_ack, closed_delivered", names)
      assert.equal(BOB, all[2].member)
      submit()
      step { type = "close" }
      names, all = took()
      assert.same({ "rejected", "wrong_state" }, { names, all[1].code })
    end)

    it("P3.8 takes all that is queued along, CLOSE last, in one commit", function()
      submit()
      submit(1000)
      submit(1000)
      submit(5)
      took()
      step { type = "close" }
      local names, all = took()
      assert.equal("commit, closed", names)
      assert.same({ 3, 2005 }, { #all[1].payloads, #all[1].rows })
      local items = decode(case.disk.own[4].payload).items
      assert.same({ 6, 1, 0 }, { #items, items[6].type, items[5].type })
      for s = 1, 4 do
        assert.is_nil((took():find "key_may_die"))
        assert.equal(s, case.sealing.sequence)
        sealed()
      end
      assert.truthy(took():find "key_may_die")
      assert.equal(0, case.o:counters().kept)
    end)

    it("P3.3 CLOSE has a payload of its own where the last one is full", function()
      submit()
      submit(1000)
      step { type = "close" }
      assert.equal(3, #case.disk.own)
      assert.same({ 1000, 1 }, { #decode(case.disk.own[2].payload).items, #decode(case.disk.own[3].payload).items })
    end)

    it("P3.8 the key lives until the disk has every seal", function()
      case.fails.store = "io"
      build(2)
      step { type = "close" }
      seal_all()
      assert.is_nil((took():find "key_may_die"))
      case.fails.store = nil
      step { type = "retry" }
      seal_all()
      assert.truthy(took():find "key_may_die")
      for s = 1, 3 do assert.truthy(case.disk.own[s].message) end
    end)

    it("P3.8 or until everyone has what is not sealed", function()
      case.new(2)
      case.fails.store = "io"
      submit()
      link(BOB, 0)
      step { type = "close" }
      seal_all()
      took()
      ack(BOB, 2)
      assert.equal("store_ack, closed_delivered, key_may_die", took())
    end)

    it("P3.8 goes on after a crash, from before the first seal", function()
      build(1)
      submit()
      submit(3)
      step { type = "close" }
      restore()
      step { type = "start" }
      assert.equal("load, seal", took())
      assert.equal(2, case.sealing.sequence)
      seal_all()
      assert.truthy(took():find "key_may_die")
      assert.equal("close", case.disk.own[3].payload:match '"t":"(close)"')
      restore { keyless = true }
      step { type = "start" }
      assert.equal("", took())
      step { type = "link_up", member = BOB } -- a farewell: nobody says what it has
      assert.equal("2:1 2:2 2:3", transmitted())
      ack(BOB, 3)
      assert.equal("store_ack, closed_delivered", took())
      step { type = "link_up", member = BOB }
      assert.equal("closed_delivered", took())
    end)

    it("is decided once it is on disk, and tried again until then", function()
      submit()
      submit()
      case.fails.commit = "io"
      took()
      step { type = "close" }
      assert.equal("commit, retry_in", took())
      submit()
      assert.equal("rejected", took())
      case.fails.commit = nil
      step { type = "retry" }
      assert.equal("commit, closed", took())
    end)

    it("waits for a commit that is under way, and takes along what comes with it", function()
      case.fails.silent = true
      submit(1, nil, 1)
      submit(1, nil, 2)
      took()
      step { type = "close" }
      assert.equal("", took())
      step { type = "committed" }
      local _, all = took()
      assert.same({ "accepted", "commit", true, 1 }, { all[1].type, all[2].type, all[2].closes, #all[2].rows })
      step { type = "committed" }
      assert.truthy(took():find "^accepted, closed")
    end)

    it("P3.10 without a key nothing is sealed anew", function()
      build(1)
      step { type = "close" }
      seal_all()
      link(BOB, 0)
      took()
      step { type = "cannot_open", member = BOB, sequence = 1 }
      assert.equal("undeliverable", took())
      assert.is_nil(case.sealing)
    end)

    it("P3.8 is delivered once the disk knows it, and the member shows it on its link", function()
      case.fails.ack = "io"
      build(1)
      step { type = "close" }
      seal_all()
      link(BOB, 0)
      took()
      ack(BOB, 2)
      step { type = "link_up", member = BOB, sequence = 2, hash = case.disk.own[2].hash }
      assert.is_nil((took():find "closed_delivered"))
      case.fails.ack = nil
      step { type = "retry" }
      assert.equal("store_ack, closed_delivered", took())
      link(BOB, 1) -- its disk was rolled back
      assert.equal("load, transmit", took())
      ack(BOB, 2)
      assert.equal("closed_delivered", took())
    end)

    it("P3.8 the key dies at once, though someone waits for a fresh seal", function()
      for _, failing in ipairs { "load", "seal" } do
        case.new()
        link(BOB, 0)
        link(CAROL, 0)
        step { type = "congested", member = CAROL }
        build(1)
        step { type = "close" }
        took()
        case.fails.load = failing == "load" and "io" or nil
        step { type = "cannot_open", member = BOB, sequence = 1 }
        sealed()
        if case.sealing then sealed "timeout" end
        local names, all = took()
        assert.truthy(names:find "undeliverable, key_may_die$")
        assert.same({ BOB, 1 }, { all[#all - 1].member, all[#all - 1].sequence })
        case.fails.load = nil
        step { type = "retry" }
        assert.is_nil(case.sealing)
        step { type = "writable", member = CAROL } -- who gets it as it was sealed
        assert.equal("3:1 3:2", transmitted())
        assert.equal(0, case.o:counters().kept)
      end
    end)

    it("P3.8 the key does not wait for who cannot open", function()
      build(1)
      link(BOB, 0)
      step { type = "close" }
      step { type = "cannot_open", member = BOB, sequence = 1 }
      took()
      sealed()
      while case.sealing do sealed() end
      assert.truthy(took():find "key_may_die")
      assert.is_nil(case.sealing)
    end)
  end)

  describe("abandoning", function()
    it("P3.8 fails what nobody has, and lets the key die", function()
      build(3)
      link(BOB, 0)
      ack(BOB, 1)
      submit()
      submit()
      took()
      step { type = "abandon" }
      local names, all = took()
      assert.equal("failed, key_may_die", names)
      assert.same({ 2, 4 }, { all[1].first, all[1].last })
      sealed() -- too late
      ack(BOB, 4)
      link(CAROL, 0)
      step { type = "abandon" }
      step { type = "retry" }
      assert.equal("", took())
      assert.same({ 0, 0 }, { case.o:counters().queued, case.o:counters().kept })
    end)

    it("fails nothing that somebody has", function()
      build(2)
      link(BOB, 2)
      took()
      step { type = "abandon" }
      local _, all = took()
      assert.same({ 0, 0 }, { all[1].first, all[1].last })
    end)

    it("P3.7 still marks what was acknowledged, once the disk takes it", function()
      build(3)
      link(BOB, 0)
      took()
      case.fails.ack = "io"
      ack(BOB, 2)
      step { type = "abandon" }
      local names, all = took()
      assert.equal("store_ack, retry_in, failed, key_may_die", names)
      assert.same({ 3, 3 }, { all[3].first, all[3].last })
      case.fails.ack = nil
      step { type = "retry" }
      names, all = took()
      assert.same({ "store_ack", 2, 1, 2 }, { names, all[1].sequence, all[1].first_sent, all[1].last_sent })
    end)

    it("P3.7 marks what has failed again, until the disk takes it; the key dies at once", function()
      build(2)
      took()
      case.fails.failed = "io"
      step { type = "abandon" }
      assert.equal("failed, retry_in, key_may_die", took())
      assert.is_false(case.o:is_settled())
      step { type = "retry" }
      assert.equal("failed, retry_in", took())
      case.fails.failed = nil
      step { type = "retry" }
      local names, all = took()
      assert.same({ "failed", 1, 2 }, { names, all[1].first, all[1].last })
      assert.is_true(case.o:is_settled())
      step { type = "retry" }
      step { type = "failed_stored" } -- nobody asked
      assert.equal("", took())
    end)

    it("P3.7 is not settled while an acknowledgement waits for the disk", function()
      build(2)
      link(BOB, 0)
      link(CAROL, 0)
      case.fails.ack = "io"
      ack(BOB, 2)
      step { type = "abandon" }
      assert.is_false(case.o:is_settled())
      case.fails.ack = nil
      step { type = "retry" }
      assert.is_true(case.o:is_settled())
    end)

    it("ends what this side was still saying", function()
      build(1)
      step { type = "close" }
      seal_all()
      took()
      step { type = "abandon" }
      assert.equal("failed", took())
    end)
  end)
end)
