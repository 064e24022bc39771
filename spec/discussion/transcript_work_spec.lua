-- SPDX-License-Identifier: GPL-3.0-or-later
-- How it works on what has come: several at a time, failures, limits, the end.
local case = require "support.transcript_case"

local BOB, CAROL = 2, 3
local payload, chain, step, took, receive, opened, open_all, committed, accept, dropped =
  case.payload, case.chain, case.step, case.took, case.receive, case.opened, case.open_all, case.committed,
  case.accept, case.dropped

describe("transcript", function()
  before_each(function() case.new() end)

  describe("working on several at a time", function()
    it("opens four, in the order of arrival, and applies them in that order", function()
      local list = chain(6)
      for i = 1, 6 do receive(list[i], { sequence = i }) end
      assert.equal("open, open, open, open", took())
      opened(case.opens[3])
      opened(case.opens[2])
      assert.equal("open, open", took()) -- their places are taken
      local a = opened(case.opens[1])
      for i = 1, 3 do
        assert.same({ "commit", i }, { a[#a].type, a[#a].sequence })
        a = committed()
      end
      assert.equal("ack", a[#a].type)
      assert.equal(3, (case.t:head(BOB)))
      for i = 6, 4, -1 do opened(case.opens[i]) end
      for _ = 4, 6 do committed() end
      assert.equal(6, (case.t:head(BOB)))
    end)

    it("has one commit under way", function()
      local list, hers = chain(1), chain(1, CAROL)
      receive(list[1])
      receive(hers[1], { sender = CAROL, from = CAROL })
      opened(case.opens[1])
      opened(case.opens[2])
      assert.equal("open, open, commit", took())
      committed()
      assert.equal("deliver, ack, commit", took())
    end)

    it("no link waits for another link's gpg", function()
      receive(chain(1)[1])
      receive(chain(1, CAROL)[1], { sender = CAROL, from = CAROL })
      opened(case.opens[2])
      assert.equal("open, open, commit", took())
    end)

    it("P3.7 what follows a refused payload is dropped with it, and taken when it comes again", function()
      local list = chain(3)
      for i = 1, 3 do receive(list[i], { sequence = i }) end
      took()
      opened(case.opens[1], "crypto")
      assert.equal("drop not_opened, drop gap, drop gap, cannot_open", took())
      opened(case.opens[2]) -- too late
      opened(case.opens[3])
      assert.equal("", took())
      assert.equal(0, case.t:counters().held)
      case.opens = {}
      for i = 1, 3 do receive(list[i], { sequence = i }) end
      open_all()
      for _ = 1, 3 do committed() end
      assert.equal(3, (case.t:head(BOB)))
    end)

    it("does not open twice what is held already", function()
      local list = chain(2)
      receive(list[1])
      receive(list[1])
      assert.equal("open, drop duplicate", took()) -- and no ack: it is not on disk
      open_all()
      committed()
      assert.equal("commit, deliver, ack", took())
    end)

    it("takes a payload from whoever passes it on, and answers that link", function()
      receive(chain(1)[1], { from = CAROL })
      receive(chain(1)[1], { from = BOB })
      opened(case.opens[2])
      assert.equal("open, open, commit", took())
      committed()
      opened(case.opens[1])
      local names, all = took()
      assert.equal("deliver, ack, drop duplicate, ack", names)
      assert.same({ BOB, CAROL }, { all[2].member, all[4].member })
    end)

    it("ignores results that nobody waits for", function()
      step { type = "opened", ticket = 0, payload = "x" }
      step { type = "opened", ticket = 77, payload = "x" }
      committed()
      receive(payload())
      opened(case.opens[1])
      opened(case.opens[1])
      assert.equal("open, commit", took())
    end)
  end)

  describe("failing", function()
    it("opens again after what is nobody's fault, later and later", function()
      receive(payload())
      local expected = { 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000 }
      for i, ms in ipairs(expected) do
        local codes = { "locked", "timeout", "busy", "io", "canceled", "internal" }
        local a = opened(table.remove(case.opens), codes[i % #codes + 1])
        assert.same({ "retry_in", ms }, { a[1].type, a[1].ms })
        step { type = "retry" }
      end
      took()
      open_all()
      assert.equal("commit", took())
      assert.equal(0, dropped "not_opened")
    end)

    it("asks for one retry, however much fails", function()
      local list = chain(4)
      for i = 1, 4 do receive(list[i], { sequence = i }) end
      took()
      for i = 1, 4 do opened(case.opens[i], "locked") end
      assert.equal("retry_in", took())
      case.opens = {}
      step { type = "retry" }
      assert.equal("open, open, open, open", took())
    end)

    it("P3.7 acknowledges nothing that the disk did not take, and commits again", function()
      receive(payload())
      open_all()
      took()
      step { type = "committed", code = "io" }
      assert.equal("retry_in", took())
      assert.equal(0, (case.t:head(BOB)))
      receive(chain(2)[2], { sequence = 2 })
      assert.equal("open", took())
      step { type = "retry" }
      local names, all = took()
      assert.equal("commit", names)
      assert.equal(1, all[1].sequence)
      committed()
      assert.equal("deliver, ack", took())
    end)

    it("P4.4 goes on where it was once it is unlocked", function()
      receive(payload())
      opened(table.remove(case.opens), "locked")
      step { type = "retry" } -- by the unlocking, not the timer
      open_all()
      committed()
      step { type = "retry" }
      assert.equal(1, (case.t:head(BOB)))
    end)
  end)

  describe("limits", function()
    it("pauses a link at 8 frames and resumes it at 4", function()
      local list = chain(20)
      for i = 1, 7 do receive(list[i], { sequence = i }) end
      assert.is_nil(took():find "pause")
      receive(list[8], { sequence = 8 })
      assert.equal("pause", took())
      for i = 9, 16 do receive(list[i], { sequence = i }) end
      assert.equal("", took()) -- what had been read already
      assert.equal(16, case.t:counters().held)
      local resumed
      for _ = 1, 16 do
        opened(table.remove(case.opens, 1))
        committed()
        local _, all = took()
        for _, a in ipairs(all) do
          if a.type == "resume" then resumed = case.t:counters().held end
        end
      end
      assert.equal(4, resumed)
      assert.equal(16, (case.t:head(BOB)))
      assert.equal(0, case.t:counters().held_bytes)
    end)

    it("drops more than twice that", function()
      local list = chain(18)
      for i = 1, 18 do receive(list[i], { sequence = i }) end
      local names = took()
      assert.equal(16, case.t:counters().held)
      assert.truthy(names:find "drop overflow, drop gap$")
    end)

    it("counts bytes, too", function()
      local big = ("x"):rep(1100000)
      receive(nil, { message = big })
      receive(nil, { message = big, sequence = 2 })
      assert.equal("open, open, pause", took():gsub("open, pause, open", "open, open, pause"))
      receive(nil, { message = big, sequence = 3 })
      assert.equal(3, case.t:counters().held)
      receive(nil, { message = big, sequence = 4 })
      assert.equal(1, dropped "overflow")
    end)

    it("counts the bytes of all links together", function()
      case.new { n = 20 }
      local big = ("x"):rep(1000000)
      for i = 2, 17 do receive(nil, { message = big, sender = i, from = i }) end
      assert.is_nil(took():find "pause") -- 16 MB: the next one is one too many
      receive(nil, { message = big, sender = 19, from = 19 })
      assert.equal("pause", took())
      while #case.opens > 0 do opened(table.remove(case.opens), "crypto") end
      assert.truthy(took():find "resume")
      assert.equal(0, case.t:counters().held_bytes)
    end)

    it("a new link is read from, or paused at once where the old one's frames still wait", function()
      local list = chain(10)
      for i = 1, 8 do receive(list[i], { sequence = i }) end
      took()
      step { type = "link_down", member = BOB }
      step { type = "link_up", member = BOB }
      assert.equal("pause", took())
      case.new()
      step { type = "link_up", member = BOB }
      assert.equal("", took())
    end)
  end)

  describe("ending", function()
    it("lets go of all that is held, and takes nothing more", function()
      local list = chain(3)
      accept(list[1])
      receive(list[2], { sequence = 2 })
      receive(list[3], { sequence = 3 })
      took()
      step { type = "end" }
      -- who sent that is not left waiting for it
      local names, all = took()
      assert.equal("ack, closed", names)
      assert.same({ 1, BOB }, { all[1].sequence, all[2].member })
      opened(case.opens[1])
      opened(case.opens[2])
      assert.equal("", took())
      assert.equal("drop after_close, ack, closed", accept(list[2], { sequence = 2 }))
      assert.equal(0, case.t:counters().held)
      assert.equal(1, (case.t:head(BOB)))
    end)

    it("P3.8 first hears of a commit that is under way: what is on disk is acknowledged, and what is not is not", function()
      for _, code in ipairs { "ok", "io" } do
        case.new()
        local list = chain(2)
        receive(list[1])
        receive(list[2], { sequence = 2 })
        open_all()
        took()
        step { type = "end" }
        assert.equal("", took())
        step { type = "committed", code = code ~= "ok" and code or nil }
        local names, all = took()
        assert.equal(code == "ok" and "deliver, ack, ack, closed" or "retry_in, closed", names)
        if code == "ok" then assert.equal(1, all[3].sequence) end
        step { type = "retry" }
        assert.equal("", took())
      end
    end)

    it("P3.8 says so to who sends something, and to nobody else", function()
      step { type = "end" }
      assert.equal("", took())
      assert.equal("drop after_close, closed", accept(payload { items = { case.CLOSE } }))
    end)

    it("P3.8 still acknowledges what it has, so that who has closed learns of it", function()
      accept(payload { items = { case.CLOSE } })
      step { type = "end" }
      receive(payload { items = { case.CLOSE } })
      local names, all = took()
      assert.equal("drop duplicate, ack", names)
      assert.equal(1, all[2].sequence)
    end)
  end)
end)
