-- SPDX-License-Identifier: GPL-3.0-or-later
-- Signed acknowledgements and complaints (P5.8): what goes into payloads beside messages.
local case = require "support.outbox_case"
local wire = require "support.wire"
local world = require "support.messages_world"
local decode = world.payload.decode

local BOB = 2
local restore, took, submit, sealed, seal_all, step =
  case.restore, case.took, case.submit, case.sealed, case.seal_all, case.step

describe("outbox", function()
  before_each(function() case.new(3, { heads = { [BOB] = { sequence = 7, hash = wire.hash "bob's" } } }) end)

  local function heard() step { type = "heard" } end
  local function due() step { type = "ack_due" } end

  describe("acknowledging by signature", function()
    it("P5.8 after 30 s in which nothing own was said, by a payload without messages", function()
      heard()
      local names, all = took()
      assert.same({ "ack_in", 30000 }, { names, all[1].ms })
      heard()
      assert.equal("", took())
      due()
      assert.equal("commit, seal", took())
      local p = decode(case.disk.own[1].payload)
      assert.same({ 0, 7 }, { #p.items, p.seen[1].sequence })
      sealed()
      took()
      due() -- an old one
      assert.equal("", took())
    end)

    it("P5.8 piggy-backed: what is said meanwhile acknowledges as well", function()
      heard()
      took()
      submit()
      assert.equal("commit, accepted, seal", took())
      due()
      assert.equal("", took())
      heard()
      assert.equal("ack_in", took())
    end)

    it("P5.8 what is heard after a payload was built is acknowledged by the next", function()
      case.fails.silent = true
      submit()
      local _, all = took()
      local p = all[1].payloads[1]
      case.disk.own[1] = { hash = p.hash, payload = p.bytes }
      heard()
      assert.equal("ack_in", took())
      case.fails.silent = nil
      step { type = "committed" }
      sealed()
      took()
      due()
      assert.equal("commit, seal", took())
    end)

    it("P5.8 waits for the seal under way, and goes with what has gathered by then", function()
      submit()
      heard()
      submit()
      due()
      took()
      sealed()
      local _, all = took()
      assert.equal(1, #decode(all[2].payloads[1].bytes).items)
      seal_all()
      took()
      due()
      assert.equal("", took())
    end)

    it("P5.8 again where the disk failed", function()
      heard()
      case.fails.commit = "io"
      due()
      assert.equal("ack_in, commit, retry_in", took())
      case.fails.commit = nil
      step { type = "retry" }
      assert.equal("commit, seal", took())
    end)

    it("P5.8 goes on after a restart", function()
      restore { heard = true }
      step { type = "start" }
      assert.equal("ack_in", took())
    end)

    it("P5.8 not where the epoch, or the discussion, is about to end", function()
      heard()
      took()
      step { type = "freeze" }
      due()
      assert.equal("drained", took())
      case.new(2)
      step { type = "close" }
      seal_all()
      took()
      heard()
      due()
      assert.equal("", took())
    end)
  end)

  describe("complaining", function()
    local function complain(sequence)
      step { type = "complain", member = BOB, sequence = sequence, hash = wire.hash("sealed " .. sequence) }
    end

    it("P5.8 is said at once, behind what is said with it", function()
      complain(8)
      assert.equal("commit, seal", took())
      local item = decode(case.disk.own[1].payload).items[1]
      assert.same({ 3, world.fingerprint(BOB), 8, wire.hash "sealed 8" },
        { item.type, item.about, item.sequence, item.hash })
      submit()
      complain(9)
      took()
      sealed()
      local p = decode(case.disk.own[2].payload)
      assert.same({ 0, 3 }, { p.items[1].type, p.items[2].type })
      took()
      seal_all()
      assert.is_nil((took():find "commit"))
    end)

    it("P5.8 is tried again where the disk failed, and bounded", function()
      case.fails.commit = "io"
      for i = 1, 20 do complain(i) end
      took()
      case.fails.commit = nil
      step { type = "retry" }
      assert.equal(8, #decode(case.disk.own[1].payload).items)
      seal_all()
      took()
      step { type = "retry" }
      assert.equal("", took())
    end)

    it("P5.8 waits for a payload that has room", function()
      submit()
      submit(1000)
      complain(1)
      sealed()
      assert.equal(1000, #decode(case.disk.own[2].payload).items)
      took()
      sealed()
      assert.equal(1, #decode(case.disk.own[3].payload).items)
    end)
  end)
end)
