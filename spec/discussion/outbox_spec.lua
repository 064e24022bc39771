-- SPDX-License-Identifier: GPL-3.0-or-later
-- From a submit to a sealed payload.
local case = require "support.outbox_case"
local wire = require "support.wire"
local world = require "support.messages_world"
local decode = world.payload.decode

local ME, BOB, CAROL = 1, 2, 3
local restore, took, find, submit, sealed, seal_all, link, transmitted, step =
  case.restore, case.took, case.find, case.submit, case.sealed, case.seal_all, case.link, case.transmitted,
  case.step

describe("outbox", function()
  before_each(function() case.new() end)

  describe("building", function()
    it("P3.9 P3.10 an idle submit goes into a payload in the same commit, and then to be sealed", function()
      local list = submit(2)
      local names, all = took()
      assert.equal("commit, accepted, seal", names)
      local c = all[1]
      assert.same({ 1, 1, list[1].id, true, 1, 0 },
        { #c.payloads, c.payloads[1].sequence, c.rows[1].id, c.rows[1].fresh, c.rows[1].sequence, c.rows[1].index })
      assert.same({ list[2].id, true, 1, 1 }, { c.rows[2].id, c.rows[2].fresh, c.rows[2].sequence, c.rows[2].index })
      assert.equal(c.payloads[1].bytes, all[3].payload)
      assert.equal(wire.hash(c.payloads[1].bytes), c.payloads[1].hash)
      assert.same({ 1, c.payloads[1].hash }, { case.o:head() })
    end)

    it("P3.3 the payload says whose it is, where it belongs, and what was seen", function()
      case.new(4, { heads = { [BOB] = { sequence = 7, hash = wire.hash "bob's" } } })
      submit(2, "hello")
      local first = case.disk.own[1].payload
      local p = decode(first)
      assert.same({ world.discussion, 0, world.roster_hash, world.fingerprint(ME), 1, world.roster_hash, 1000 },
        { p.discussion, p.epoch, p.roster_hash, p.sender, p.sequence, p.previous, p.time_ms })
      assert.same({ { fingerprint = world.fingerprint(BOB), sequence = 7, hash = wire.hash "bob's" } }, p.seen)
      assert.same({ "hello", world.message(ME, 2).nonce, 2 },
        { p.items[2].text, p.items[2].nonce, p.items[2].time_ms })
      seal_all()
      submit()
      p = decode(case.disk.own[2].payload)
      assert.same({ 2, wire.hash(first) }, { p.sequence, p.previous })
    end)

    it("P3.9 gathers while a seal is under way, and the next payload carries them all", function()
      submit()
      took()
      local second, third = submit(), submit(2)
      assert.equal("commit, accepted, commit, accepted", took())
      assert.equal(3, case.o:counters().queued)
      assert.is_nil(case.disk.by_id[second[1].id].sequence)
      sealed()
      local names, all = took()
      assert.equal("store_sealed, commit, seal", names)
      assert.same({ 3, false, 2 }, { #all[2].rows, all[2].rows[1].fresh, all[2].rows[1].sequence })
      assert.same({ second[1].id, third[1].id, third[2].id },
        { all[2].rows[1].id, all[2].rows[2].id, all[2].rows[3].id })
      assert.equal(3, #decode(case.disk.own[2].payload).items)
      assert.equal(0, case.o:counters().queued)
    end)

    it("P3.3 a payload holds at most 1000 messages", function()
      submit()
      submit(700)
      submit(700)
      sealed()
      assert.equal(1000, #decode(case.disk.own[2].payload).items)
      assert.equal(400, case.o:counters().queued)
      sealed()
      assert.equal(400, #decode(case.disk.own[3].payload).items)
      assert.same({ 3, 399 }, { case.disk.rows[1401].sequence, case.disk.rows[1401].index })
      submit()
      assert.equal(3, #case.disk.own)
    end)

    it("P0.4 a payload stays below what a frame takes", function()
      local big = ("x"):rep(65536)
      submit(40, big)
      local count, seen = 0, 0
      for _ = 1, 4 do
        local p = case.disk.own[#case.disk.own].payload
        assert.is_true(#p <= 1024 * 1024 - 16 * 1024)
        count = math.max(count, #decode(p).items)
        seen = seen + #decode(p).items
        if case.sealing then sealed() end
        if seen == 40 then break end
      end
      assert.same({ 15, 40 }, { count, seen })
    end)

    it("P3.3 also of texts that grow in JSON", function()
      submit(20, ("\1"):rep(65536))
      while case.sealing do
        assert.is_true(#case.sealing.payload <= 1024 * 1024 - 16 * 1024)
        sealed()
      end
      assert.equal(0, case.o:counters().queued)
      assert.equal(10, #case.disk.own)
    end)
  end)

  describe("taking messages", function()
    it("answers when they are on disk, and not before", function()
      case.fails.silent = true
      submit(1, nil, 5)
      submit(1, nil, 6)
      assert.equal("commit", took())
      step { type = "committed" }
      local names, all = took()
      assert.equal("accepted, commit, seal", names)
      assert.same({ 5, 1 }, { all[1].ticket, #all[2].rows })
      assert.is_nil(all[2].rows[1].sequence)
      step { type = "committed" }
      assert.equal("accepted", took())
    end)

    it("rejects what the disk does not take, and uses its sequence for the next", function()
      case.fails.commit = "io"
      submit(1, nil, 5)
      local names, all = took()
      assert.equal("commit, rejected", names)
      assert.same({ 5, "io", 0, 0 }, { all[2].ticket, all[2].code, case.o:counters().queued, (case.o:head()) })
      case.fails.commit = nil
      local list = submit()
      assert.equal("commit, accepted, seal", took())
      assert.equal(list[1].nonce, decode(case.disk.own[1].payload).items[1].nonce)
    end)

    it("keeps what was queued when a later commit fails", function()
      submit()
      submit(2)
      case.fails.commit = "io"
      submit(3)
      took()
      assert.equal(2, case.o:counters().queued)
      sealed()
      local names, all = took()
      assert.equal("store_sealed, commit, retry_in", names)
      assert.equal(100, all[3].ms)
      submit() -- the disk is asked for each one that is submitted
      assert.equal("commit, rejected", took())
      case.fails.commit = nil
      step { type = "retry" }
      assert.equal("commit, seal", took())
      assert.equal(2, #decode(case.disk.own[2].payload).items)
    end)

    it("is busy beyond 10000 messages, 8 MiB, or 256 submits", function()
      submit()
      for _ = 1, 10 do submit(1000) end
      took()
      submit()
      local names, all = took()
      assert.same({ "rejected", "busy", 10000 }, { names, all[1].code, case.o:counters().queued })
      case.new()
      submit()
      for _ = 1, 128 do submit(1, ("x"):rep(65536)) end
      took()
      submit()
      assert.equal("rejected", took())
      assert.equal(128, case.o:counters().queued)
      case.new()
      case.fails.silent = true
      for _ = 1, 256 do submit() end
      assert.equal("commit", took())
      submit()
      assert.equal("rejected", took())
    end)

    it("takes 1 to 1000 at a time", function()
      for count, code in pairs { [0] = "bad_params", [1001] = "too_large" } do
        submit(count, nil, 9)
        local names, all = took()
        assert.same({ "rejected", code, 9 }, { names, all[1].code, all[1].ticket })
      end
      submit(1000)
      assert.equal("commit, accepted, seal", took())
    end)
  end)

  describe("sealing", function()
    it("P3.10 seals again from the same bytes, after a failure", function()
      submit()
      local bytes = case.sealing.payload
      for i, ms in ipairs { 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000 } do
        took()
        sealed(({ "timeout", "locked", "busy", "io" })[i % 4 + 1])
        local names, all = took()
        assert.same({ "retry_in", ms }, { names, all[1].ms })
        submit() -- gathers meanwhile
        assert.equal("commit, accepted", took())
        step { type = "retry" }
        assert.equal(bytes, case.sealing.payload)
      end
      sealed()
      assert.equal(11, #decode(case.disk.own[2].payload).items)
    end)

    it("P3.10 seals again from the same bytes, after a crash", function()
      submit()
      local bytes = case.disk.own[1].payload
      restore()
      step { type = "start" }
      assert.equal("", took()) -- nobody is there to have it
      link(BOB, 0)
      assert.equal("load, seal", took())
      assert.equal(bytes, case.sealing.payload)
      sealed()
      assert.equal("transmit, store_sealed", took())
      link(CAROL, 0)
      local names, all = took()
      assert.equal("load, transmit", names)
      assert.equal(case.disk.own[1].message, select(4, wire.sealed_decode(all[2].frame)))
    end)

    it("P3.7 goes on with what was queued before a crash, in its order", function()
      submit()
      submit(1, "queued")
      restore()
      step { type = "start" }
      assert.equal("commit, seal", took())
      assert.equal("queued", decode(case.disk.own[2].payload).items[1].text)
      seal_all()
      link(BOB, 0)
      seal_all()
      assert.equal("2:1 2:2", transmitted())
    end)

    it("seals once for all members and all links", function()
      submit()
      link(BOB, 0)
      link(CAROL, 0)
      sealed()
      local list = find "transmit"
      assert.same({ 2, list[1].frame }, { #list, list[2].frame })
      step { type = "link_down", member = BOB }
      link(BOB, 0)
      assert.equal(list[1].frame, find("transmit")[1].frame)
      assert.is_nil(case.sealing)
      assert.equal(1, case.o:counters().sealed)
    end)

    it("seals anew what the disk did not take, once it is needed", function()
      case.fails.store = "io"
      submit()
      sealed()
      assert.equal("commit, accepted, seal, store_sealed, retry_in", took())
      link(BOB, 0)
      assert.equal("2:1", transmitted()) -- it is still here
      case.fails.store = nil
      step { type = "retry" }
      assert.equal("store_sealed", took())
      assert.equal(0, case.o:counters().kept)
    end)
  end)
end)
