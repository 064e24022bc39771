-- A new key on its way: told by the outbox, taken by the transcript (P4.2).
local inbox = require "support.transcript_case"
local outbox = require "support.outbox_case"
local world = require "support.messages_world"
local decode = world.payload.decode

local ME, BOB, CAROL = 1, 2, 3
local TEXT, REKEY = 0, 2
local NEW = ("certificate"):rep(30)

describe("rekeying", function()
  describe("the outbox", function()
    before_each(function() outbox.new() end)

    local function tell(certificate) outbox.step { type = "rekey", certificate = certificate or NEW } end

    it("P4.2 tells a new key in a payload of its own, where nothing else is to be said", function()
      tell()
      local names, all = outbox.took()
      assert.equal("commit, seal", names)
      assert.same({ 0, 1, NEW, false }, { #all[1].rows, #all[1].payloads, all[1].rekey, all[1].closes })
      local p = decode(outbox.disk.own[1].payload)
      assert.same({ 1, REKEY, NEW }, { #p.items, p.items[1].type, p.items[1].certificate })
      assert.is_false(outbox.o:is_rekeying())
      outbox.sealed()
      outbox.submit()
      assert.equal(1, #decode(outbox.disk.own[2].payload).items) -- told once
    end)

    it("P4.2 P3.9 gathers it like everything else while a seal is under way, before the messages", function()
      outbox.submit()
      local list = outbox.submit(2)
      tell()
      assert.is_true(outbox.o:is_rekeying())
      outbox.took()
      outbox.sealed()
      local _, all = outbox.took()
      assert.same({ NEW, 2 }, { all[2].rekey, all[2].payloads[1].sequence })
      local p = decode(outbox.disk.own[2].payload)
      assert.same({ REKEY, TEXT, TEXT }, { p.items[1].type, p.items[2].type, p.items[3].type })
      -- a message's place is that of its item
      assert.same({ 1, 2 }, { outbox.disk.by_id[list[1].id].index, outbox.disk.by_id[list[2].id].index })
      assert.equal(list[1].text, p.items[2].text)
    end)

    it("P4.2 a payload with it holds 1000 items all the same, and no second one", function()
      outbox.submit()
      outbox.submit(1000)
      tell()
      outbox.sealed()
      assert.equal(1000, #decode(outbox.disk.own[2].payload).items)
      assert.equal(1, outbox.o:counters().queued)
      outbox.sealed()
      assert.same({ 1, TEXT }, { #decode(outbox.disk.own[3].payload).items, decode(outbox.disk.own[3].payload).items[1].type })
    end)

    it("P4.2 the newest counts where two wait", function()
      outbox.submit()
      tell "first"
      tell "second"
      outbox.sealed()
      local p = decode(outbox.disk.own[2].payload)
      assert.same({ 1, "second" }, { #p.items, p.items[1].certificate })
    end)

    it("P4.2 tries again as long as the disk fails, and tells it once", function()
      outbox.fails.commit = "io"
      tell()
      assert.equal("commit, retry_in", (outbox.took()))
      assert.is_true(outbox.o:is_rekeying())
      outbox.submit()
      assert.equal("commit, rejected", (outbox.took()))
      outbox.fails.commit = nil
      outbox.step { type = "retry" }
      local _, all = outbox.took()
      assert.same({ "commit", NEW }, { all[1].type, all[1].rekey })
      assert.equal(1, #outbox.disk.own)
      assert.is_false(outbox.o:is_rekeying())
    end)

    it("§5 tells none in an epoch that is about to end", function()
      outbox.step { type = "freeze" }
      outbox.took()
      tell()
      assert.equal("", (outbox.took()))
      assert.equal(0, #outbox.disk.own)
    end)

    it("P4.2 what a member could not open, also sealed anew, it gets once more when it has a new key", function()
      outbox.build(1)
      outbox.link(BOB, 0)
      local function refuse() outbox.step { type = "cannot_open", member = BOB, sequence = 1 } end
      for _ = 1, 3 do
        refuse()
        outbox.seal_all()
      end
      outbox.took()
      refuse()
      assert.equal("undeliverable", (outbox.took()))
      outbox.step { type = "key_learned", member = BOB }
      assert.equal("2:1", outbox.transmitted())
      refuse()
      assert.is_table(outbox.sealing)
      outbox.seal_all()
      assert.equal("2:1", outbox.transmitted())
    end)

    it("P3.8 tells none with or after CLOSE", function()
      outbox.submit()
      tell()
      outbox.step { type = "close" }
      outbox.seal_all()
      for _, row in ipairs(outbox.disk.own) do
        for _, item in ipairs(decode(row.payload).items) do assert.not_equal(REKEY, item.type) end
      end
      local count = #outbox.disk.own
      tell()
      outbox.seal_all()
      assert.equal(count, #outbox.disk.own)
    end)
  end)

  describe("the transcript", function()
    local function new()
      inbox.new()
      inbox.t = require "support.transcript".new {
        own = world.fingerprint(ME), roster = inbox.roster, roster_hash = world.roster_hash,
        keys = { { ME, 0, 10 }, { BOB, 0, 20 }, { CAROL, 0, 30 } },
      }
    end
    before_each(function() new() end)

    local function rekey(t)
      local p = { items = { { type = REKEY, certificate = NEW }, inbox.item "a" } }
      for k, v in pairs(t or {}) do p[k] = v end
      return inbox.payload(p)
    end

    local function opened(recipients)
      local a = table.remove(inbox.opens, 1)
      local bytes = world.open(inbox.roster, ME, a.sender, a.message)
      return inbox.step { type = "opened", ticket = a.ticket, payload = bytes, session_key = "9:K", recipients = recipients }
    end

    local function rekeyed(a, code, key) return inbox.step { type = "rekeyed", ticket = a.ticket, code = code, key = key or 21 } end

    it("P4.2 has the key imported first, and commits it with its payload", function()
      inbox.receive(rekey())
      local a = opened()
      assert.equal("open, rekey", (inbox.took()))
      assert.same({ BOB, NEW }, { a[1].sender, a[1].certificate })
      local c = rekeyed(a[1])[1]
      assert.same({ "commit", NEW, 21, 1 }, { c.type, c.rekey, c.key, #c.messages })
      assert.equal(1, c.messages[1].index)
      inbox.took()
      inbox.committed()
      assert.equal("deliver, ack", (inbox.took()))
      assert.equal(1, (inbox.t:head(BOB)))
    end)

    it("P4.2 has seen nothing of it before that", function()
      inbox.receive(rekey())
      local a = opened()
      assert.same({}, inbox.t:seen())
      rekeyed(a[1])
      assert.same({}, inbox.t:seen())
      inbox.committed()
      assert.equal(1, #inbox.t:seen())
    end)

    it("P3.4 imports nothing of a payload that cannot be accepted", function()
      inbox.receive(rekey { discussion = ("0"):rep(32) })
      opened()
      assert.equal("open, drop other_discussion", (inbox.took()))
    end)

    it("P3.7 applies what comes meanwhile afterwards, in its order", function()
      local first = rekey()
      inbox.receive(first)
      inbox.receive(inbox.payload { sequence = 2, previous = inbox.H(first), items = { inbox.item "b" } }, { sequence = 2 })
      inbox.receive(inbox.payload { sender = world.fingerprint(CAROL), items = { inbox.item "c" } },
        { sender = CAROL, from = CAROL })
      local a = opened()
      opened()
      opened()
      inbox.took()
      rekeyed(a[1])
      inbox.committed()
      inbox.committed()
      inbox.committed()
      assert.same({ 2, 1 }, { (inbox.t:head(BOB)), (inbox.t:head(CAROL)) })
    end)

    it("P0.3 a key that is none closes the link, and its payload is not accepted", function()
      for _, code in ipairs { "bad_input", "crypto", "not_found" } do
        new()
        inbox.receive(rekey())
        inbox.took()
        local all = rekeyed(opened()[1], code)
        assert.same({ "drop", "malformed", true }, { all[1].type, all[1].reason, all[1].close_link })
        assert.equal(0, (inbox.t:head(BOB)))
      end
    end)

    it("P4.2 tries again where it was nobody's fault, also after the disk", function()
      inbox.receive(rekey())
      local a = opened()
      inbox.took()
      rekeyed(a[1], "locked")
      assert.equal("retry_in", (inbox.took()))
      local again = inbox.step { type = "retry" }[1]
      assert.equal("rekey", again.type)
      assert.not_equal(a[1].ticket, again.ticket)
      assert.same({}, rekeyed(a[1])) -- the first answer, once more: nobody waits for it
      assert.equal("commit", rekeyed(again)[1].type)
      inbox.step { type = "committed", code = "io" }
      local c = inbox.step { type = "retry" }[1] -- imported already
      assert.same({ "commit", 21 }, { c.type, c.key })
    end)

    it("P3.8 forgets it at the end of the discussion", function()
      inbox.receive(rekey())
      local a = opened()
      inbox.step { type = "end" }
      inbox.took()
      assert.same({}, rekeyed(a[1]))
      assert.equal(0, (inbox.t:head(BOB)))
    end)

    it("P3.1 what is sealed to a key that its sender saw replaced is to be sealed anew", function()
      assert.is_true(inbox.t:add_key(ME, 4, 11))
      local seen = { { fingerprint = world.fingerprint(ME), sequence = 4, hash = world.roster_hash } }
      inbox.receive(inbox.payload { seen = seen })
      opened { 10, 30 }
      assert.equal("open, drop old_key, cannot_open", (inbox.took()))
      inbox.receive(inbox.payload { seen = seen })
      opened { 11, 30 }
      assert.equal("open, commit", (inbox.took()))
    end)

    it("P3.1 one that its sender had not seen replaced is fine, as is a newer one", function()
      assert.is_true(inbox.t:add_key(ME, 4, 11))
      local seen = { { fingerprint = world.fingerprint(ME), sequence = 3, hash = world.roster_hash } }
      local first = inbox.payload { seen = seen }
      inbox.receive(first)
      opened { 10, 30 }
      assert.equal("open, commit", (inbox.took()))
      inbox.committed()
      inbox.took()
      inbox.receive(inbox.payload { seen = seen, sequence = 2, previous = inbox.H(first) }, { sequence = 2 })
      opened { 11, 30 }
      assert.equal("open, commit", (inbox.took()))
    end)

    it("P4.2 says how far each member has seen the own chain, by what is on disk", function()
      local first = inbox.payload { seen = { { fingerprint = world.fingerprint(ME), sequence = 4, hash = world.roster_hash } } }
      inbox.receive(first)
      opened()
      assert.equal(0, inbox.t:covered(BOB))
      inbox.committed()
      assert.equal(4, inbox.t:covered(BOB))
      assert.equal(0, inbox.t:covered(CAROL))
      inbox.receive(inbox.payload { sequence = 2, previous = inbox.H(first) }, { sequence = 2 })
      opened()
      inbox.committed()
      assert.equal(4, inbox.t:covered(BOB)) -- it has not forgotten
    end)
  end)
end)
