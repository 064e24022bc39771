local transcript = require "support.transcript"
local world = require "support.messages_world"
local wire = require "support.wire"
local encode = world.payload.encode

local ME, BOB, CAROL = 1, 2, 3
local H = wire.hash

local function item(nonce, text)
  return { type = 0, nonce = (nonce .. ("-"):rep(16)):sub(1, 16), time_ms = 5, text = text or "text of " .. nonce }
end
local CLOSE = { type = 1 }

-- Bytes of a payload; of Bob's first one, unless said otherwise.
local function payload(t)
  local p = {
    discussion = world.discussion, epoch = 0, roster_hash = world.roster_hash, sender = world.fingerprint(BOB),
    sequence = 1, previous = world.roster_hash, seen = {}, time_ms = 1, items = { item "a" },
  }
  for k, v in pairs(t or {}) do p[k] = v end
  return assert(encode(p))
end

-- Payloads 1 to n of a member, each with the hash of the one before.
local function chain(n, sender)
  local list, previous = {}, world.roster_hash
  for i = 1, n do
    list[i] = payload { sequence = i, previous = previous, sender = world.fingerprint(sender or BOB),
      items = { item(("%d of %d"):format(i, sender or BOB)) } }
    previous = H(list[i])
  end
  return list
end

describe("transcript", function()
  local t, roster, log, opens

  local function new(options)
    options = options or {}
    roster = world.roster(options.n or 3, options.discussion)
    t = transcript.new {
      own = world.fingerprint(ME), roster = roster, roster_hash = world.roster_hash, heads = options.heads,
      closed = options.closed,
    }
    log, opens = {}, {}
  end

  local function step(event)
    local actions = t:step(event)
    for _, a in ipairs(actions) do
      log[#log + 1] = a
      if a.type == "open" then opens[#opens + 1] = a end
    end
    return actions
  end

  -- the types of the actions since the last look
  local function took()
    local names = {}
    for i, a in ipairs(log) do names[i] = a.type .. (a.reason and " " .. a.reason or "") end
    local all = log
    log = {}
    return table.concat(names, ", "), all
  end

  local function receive(bytes, o)
    o = o or {}
    local frame = wire.sealed_encode(world.fingerprint(o.sender or BOB), o.epoch or 0, o.sequence or 1,
      o.message or world.seal(o.roster or roster, o.signer or o.sender or BOB, bytes))
    return step { type = "received", member = o.from or BOB, frame = frame }
  end

  -- gpg's answer to an OPEN
  local function opened(a, code)
    local bytes, why = world.open(roster, ME, a.sender, a.message)
    return step { type = "opened", ticket = a.ticket, code = code or why, payload = not code and bytes or nil,
      session_key = "9:K" }
  end
  local function open_all() while #opens > 0 do opened(table.remove(opens, 1)) end end
  local function committed(skipped) return step { type = "committed", skipped = skipped } end

  -- all the way
  local function accept(bytes, o)
    receive(bytes, o)
    open_all()
    committed()
    return took()
  end

  local function dropped(reason) return t:counters().dropped[reason] or 0 end

  before_each(function() new() end)

  describe("accepting", function()
    it("P3.4 P3.7 opens, commits, delivers and acknowledges, in that order", function()
      local bytes = payload { items = { item("a", "hello"), item "b" } }
      local a = receive(bytes)
      assert.equal("open", took())
      assert.equal(BOB, a[1].sender)
      a = opened(opens[1])
      assert.equal("commit", took())
      local c = a[1]
      assert.same({ BOB, 1, H(bytes), bytes, "9:K", opens[1].message, false },
        { c.sender, c.sequence, c.hash, c.payload, c.session_key, c.message, c.closes })
      local id = wire.message_id(world.discussion, world.fingerprint(BOB), item("a").nonce)
      assert.same({ id = id, index = 0, time = 5, text = "hello" }, c.messages[1])
      assert.equal(1, c.messages[2].index)
      assert.equal(0, (t:head(BOB))) -- not on disk yet
      a = committed()
      assert.equal("deliver, ack", took())
      assert.same(c.messages, a[1].messages)
      assert.same({ BOB, BOB, 1 }, { a[2].member, a[2].sender, a[2].sequence })
      assert.same({ 1, H(bytes) }, { t:head(BOB) })
    end)

    it("P3.4 takes each member's payloads in sequence", function()
      for i, bytes in ipairs(chain(3)) do
        assert.equal("open, commit, deliver, ack", accept(bytes, { sequence = i }))
      end
      for i, bytes in ipairs(chain(2, CAROL)) do
        assert.equal("open, commit, deliver, ack", accept(bytes, { sequence = i, sender = CAROL, from = CAROL }))
      end
      assert.equal(3, (t:head(BOB)))
      assert.equal(2, (t:head(CAROL)))
      assert.equal(5, t:counters().accepted)
    end)

    it("P3.3 says what it has seen, only what is on disk, and nothing of itself", function()
      assert.same({}, t:seen())
      local list = chain(2)
      accept(list[1])
      receive(list[2], { sequence = 2 })
      open_all()
      assert.same({ { fingerprint = world.fingerprint(BOB), sequence = 1, hash = H(list[1]) } }, t:seen())
      committed()
      assert.same({ { fingerprint = world.fingerprint(BOB), sequence = 2, hash = H(list[2]) } }, t:seen())
    end)

    it("goes on after a restart from what is on disk", function()
      local list = chain(3)
      new { heads = { [BOB] = { sequence = 2, hash = H(list[2]) }, [ME] = { sequence = 9, hash = H "own" } } }
      assert.equal("drop duplicate, ack", accept(list[2], { sequence = 2 }))
      assert.equal("open, commit, deliver, ack", accept(list[3], { sequence = 3 }))
      assert.equal(1, #t:seen())
    end)

    it("keeps a payload without messages, and delivers nothing", function()
      assert.equal("open, commit, ack", accept(payload { items = {} }))
      assert.equal(1, (t:head(BOB)))
    end)

    it("P3.8 takes nothing that follows a CLOSE", function()
      receive(payload { items = { item "a", CLOSE, item "b" } })
      open_all()
      local _, all = took()
      assert.same({ true, 1 }, { all[2].closes, #all[2].messages })
      committed()
      assert.equal("deliver, ack, closed_by", took())
      local list = chain(2)
      assert.equal("drop after_close", accept(list[2], { sequence = 2 }))
      new()
      receive(payload { items = { CLOSE } })
      receive(list[2], { sequence = 2 }) -- on its way already
      open_all()
      committed()
      assert.equal("open, open, commit, ack, closed_by, drop after_close", took())
      new { heads = { [BOB] = { sequence = 1, hash = H(list[1]) } }, closed = { [BOB] = true } }
      assert.equal("drop after_close", accept(list[2], { sequence = 2 }))
    end)

    it("keeps the bytes of items of a later version, and shows none", function()
      local bytes = payload { items = { item "a", item "b" } }
      bytes = bytes:gsub('"t":"text"', '"t":"dance"', 1)
      local _, all = accept(bytes)
      assert.same({ bytes, 1, 1 }, { all[2].payload, #all[2].messages, all[2].messages[1].index })
    end)
  end)

  describe("refusing", function()
    it("P3.4 a replay is dropped before gpg sees it, and acknowledged again", function()
      local list = chain(2)
      accept(list[1])
      accept(list[2], { sequence = 2 })
      receive(list[1])
      local names, all = took()
      assert.equal("drop duplicate, ack", names)
      assert.equal(2, all[2].sequence) -- all there is
      assert.equal(2, (t:head(BOB)))
    end)

    it("P3.4 a replay under a fresh header is opened, and dropped all the same", function()
      local list = chain(1)
      accept(list[1])
      assert.equal("open, drop duplicate, ack", accept(list[1], { sequence = 2 }))
      assert.equal(1, (t:head(BOB)))
    end)

    it("P3.4 reordered: a payload before its turn is dropped, whatever its header says", function()
      local list = chain(3)
      assert.equal("drop gap", accept(list[2], { sequence = 2 }))
      assert.equal("open, drop gap", accept(list[2], { sequence = 1 }))
      accept(list[1])
      assert.equal("open, drop gap", accept(list[3], { sequence = 2 }))
      assert.equal(3, dropped "gap")
      assert.equal("open, commit, deliver, ack", accept(list[2], { sequence = 2 }))
    end)

    it("P3.4 reflected: an own payload that comes back is dropped", function()
      local own = payload { sender = world.fingerprint(ME) }
      assert.equal("drop reflected", accept(own, { sender = ME }))
      -- under another's header: signed by me, and not by whom the header names
      receive(own, { sender = BOB, message = world.seal(roster, ME, own) })
      open_all()
      assert.truthy(took():find "not_opened")
      -- even signed by another, it says that it is mine
      assert.equal("open, drop reflected", accept(own))
    end)

    it("P3.4 spliced: a payload of another discussion is dropped", function()
      assert.equal("open, drop other_discussion", accept(payload { discussion = ("e"):rep(32) }))
      assert.equal("open, drop other_roster", accept(payload { roster_hash = H "another roster" }))
      assert.equal("open, drop other_epoch", accept(payload { epoch = 1 }))
      assert.equal("drop other_epoch", accept(payload { epoch = 1 }, { epoch = 1 }))
      assert.equal(0, (t:head(BOB)))
    end)

    it("P3.4 forwarded: what was said to others and is passed on to a third person is dropped", function()
      -- Bob told Carol in their own discussion; she seals it to me: his key did not sign that
      local theirs = world.roster(3, ("c"):rep(32))
      local said = payload { discussion = theirs.discussion }
      receive(said, { sender = BOB, from = CAROL, message = world.seal(theirs, CAROL, said) })
      open_all()
      assert.equal("open, drop not_opened", took())
      -- she passes on his very message: it was sealed to her and not to me, or, were I there, of that discussion
      local pair = { discussion = theirs.discussion, members = { world.fingerprint(BOB), world.fingerprint(CAROL) } }
      receive(said, { sender = BOB, from = CAROL, message = world.seal(pair, 1, said) })
      open_all()
      assert.equal("open, drop not_opened", took())
      receive(said, { sender = BOB, from = CAROL, message = world.seal(theirs, BOB, said) })
      open_all()
      assert.equal("open, drop other_discussion", took())
    end)

    it("P3.4 one member's words under another's name are dropped", function()
      receive(payload(), { sender = CAROL, from = CAROL })
      open_all()
      assert.equal("open, drop other_sender", took())
      assert.equal(0, (t:head(BOB)))
      assert.equal(0, (t:head(CAROL)))
    end)

    it("P3.4 a sender that is no member, and a header that is none", function()
      assert.equal("drop no_member", accept(payload(), { sender = 9, message = "x" }))
      local a = step { type = "received", member = BOB, frame = ("x"):rep(32) }
      assert.same({ "drop malformed_frame", true }, { took(), a[1].close_link })
    end)

    it("P3.4 a payload whose `previous` is not what is here is dropped", function()
      assert.equal("open, drop broken_chain", accept(payload { previous = H "else" }))
      accept(payload())
      assert.equal("open, drop broken_chain", accept(payload { sequence = 2, previous = world.roster_hash },
        { sequence = 2 }))
    end)

    it("P0.3 signed bytes that are no payload end the link", function()
      for _, bytes in ipairs { "", "{}", "not JSON", payload():gsub('"payload"', '"roster"'),
        payload():sub(1, -2) } do
        receive(bytes)
        open_all()
        local names, all = took()
        assert.equal("open, drop malformed", names)
        assert.is_true(all[2].close_link)
      end
    end)

    it("P3.4 what gpg does not open is answered 'cannot open', a bounded number of times a link", function()
      for i = 1, 6 do
        receive(payload())
        opened(table.remove(opens), ({ "crypto", "bad_input", "not_found", "too_large" })[i % 4 + 1])
        assert.equal(i <= 4 and "open, drop not_opened, cannot_open" or "open, drop not_opened", took())
      end
      step { type = "link_up", member = BOB }
      receive(payload())
      opened(table.remove(opens), "crypto")
      local names, all = took()
      assert.equal("open, drop not_opened, cannot_open", names)
      assert.same({ BOB, BOB, 1 }, { all[3].member, all[3].sender, all[3].sequence })
    end)

    it("P3.10 only its author is asked to seal anew", function()
      receive(payload(), { from = CAROL })
      opened(table.remove(opens), "not_found")
      assert.equal("open, drop not_opened", took())
    end)

    it("P5.7 two payloads of one sequence are a proof, kept with signature and bytes", function()
      local list = chain(2)
      accept(list[1])
      accept(list[2], { sequence = 2 })
      local other = payload { items = { item "something else" } }
      receive(other, { sequence = 3 })
      open_all()
      local names, all = took()
      assert.equal("open, equivocation, drop equivocated", names)
      assert.same({ BOB, 1, H(other), other, "9:K" },
        { all[2].sender, all[2].sequence, all[2].hash, all[2].payload, all[2].session_key })
      assert.truthy(all[2].message:find "^SEALED")
      assert.equal(2, (t:head(BOB)))
    end)

    it("a nonce that was used before costs that message, not the chain", function()
      receive(payload { items = { item("a", "one"), item("a", "two"), item "b", item "b", item "c" } })
      open_all()
      local _, all = took()
      assert.same({ 0, 2, 4 }, { all[2].messages[1].index, all[2].messages[2].index, all[2].messages[3].index })
      assert.equal("one", all[2].messages[1].text)
      committed { false, true, false } -- the store had the second one already
      _, all = took()
      assert.same({ 2, "text of c" }, { #all[1].messages, all[1].messages[2].text })
      assert.equal(3, dropped "repeated_item")
      assert.equal(1, (t:head(BOB)))
    end)

    it("finds repeated nonces among a thousand", function()
      local items = {}
      for i = 1, 999 do items[i] = item(("%04d"):format(i), "x") end
      items[1000] = item("0500", "y")
      receive(payload { items = items })
      open_all()
      local _, all = took()
      assert.equal(999, #all[2].messages)
      assert.equal(1, dropped "repeated_item")
    end)
  end)

  describe("working on several at a time", function()
    it("opens four, in the order of arrival, and applies them in that order", function()
      local list = chain(6)
      for i = 1, 6 do receive(list[i], { sequence = i }) end
      assert.equal("open, open, open, open", took())
      opened(opens[3])
      opened(opens[2])
      assert.equal("open, open", took()) -- their places are taken
      local a = opened(opens[1])
      for i = 1, 3 do
        assert.same({ "commit", i }, { a[#a].type, a[#a].sequence })
        a = committed()
      end
      assert.equal("ack", a[#a].type)
      assert.equal(3, (t:head(BOB)))
      for i = 6, 4, -1 do opened(opens[i]) end
      for _ = 4, 6 do committed() end
      assert.equal(6, (t:head(BOB)))
    end)

    it("has one commit under way", function()
      local list, hers = chain(1), chain(1, CAROL)
      receive(list[1])
      receive(hers[1], { sender = CAROL, from = CAROL })
      opened(opens[1])
      opened(opens[2])
      assert.equal("open, open, commit", took())
      committed()
      assert.equal("deliver, ack, commit", took())
    end)

    it("no link waits for another link's gpg", function()
      receive(chain(1)[1])
      receive(chain(1, CAROL)[1], { sender = CAROL, from = CAROL })
      opened(opens[2])
      assert.equal("open, open, commit", took())
    end)

    it("P3.7 what follows a refused payload is dropped with it, and taken when it comes again", function()
      local list = chain(3)
      for i = 1, 3 do receive(list[i], { sequence = i }) end
      took()
      opened(opens[1], "crypto")
      assert.equal("drop not_opened, drop gap, drop gap, cannot_open", took())
      opened(opens[2]) -- too late
      opened(opens[3])
      assert.equal("", took())
      assert.equal(0, t:counters().held)
      opens = {}
      for i = 1, 3 do receive(list[i], { sequence = i }) end
      open_all()
      for _ = 1, 3 do committed() end
      assert.equal(3, (t:head(BOB)))
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
      opened(opens[2])
      assert.equal("open, open, commit", took())
      committed()
      opened(opens[1])
      local names, all = took()
      assert.equal("deliver, ack, drop duplicate, ack", names)
      assert.same({ BOB, CAROL }, { all[2].member, all[4].member })
    end)

    it("ignores results that nobody waits for", function()
      step { type = "opened", ticket = 0, payload = "x" }
      step { type = "opened", ticket = 77, payload = "x" }
      committed()
      receive(payload())
      opened(opens[1])
      opened(opens[1])
      assert.equal("open, commit", took())
    end)
  end)

  describe("failing", function()
    it("opens again after what is nobody's fault, later and later", function()
      receive(payload())
      local expected = { 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000 }
      for i, ms in ipairs(expected) do
        local codes = { "locked", "timeout", "busy", "io", "canceled", "internal" }
        local a = opened(table.remove(opens), codes[i % #codes + 1])
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
      for i = 1, 4 do opened(opens[i], "locked") end
      assert.equal("retry_in", took())
      opens = {}
      step { type = "retry" }
      assert.equal("open, open, open, open", took())
    end)

    it("P3.7 acknowledges nothing that the disk did not take, and commits again", function()
      receive(payload())
      open_all()
      took()
      step { type = "committed", code = "io" }
      assert.equal("retry_in", took())
      assert.equal(0, (t:head(BOB)))
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
      opened(table.remove(opens), "locked")
      step { type = "retry" } -- by the unlocking, not the timer
      open_all()
      committed()
      step { type = "retry" }
      assert.equal(1, (t:head(BOB)))
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
      assert.equal(16, t:counters().held)
      local resumed
      for _ = 1, 16 do
        opened(table.remove(opens, 1))
        committed()
        local _, all = took()
        for _, a in ipairs(all) do
          if a.type == "resume" then resumed = t:counters().held end
        end
      end
      assert.equal(4, resumed)
      assert.equal(16, (t:head(BOB)))
      assert.equal(0, t:counters().held_bytes)
    end)

    it("drops more than twice that", function()
      local list = chain(18)
      for i = 1, 18 do receive(list[i], { sequence = i }) end
      local names = took()
      assert.equal(16, t:counters().held)
      assert.truthy(names:find "drop overflow, drop gap$")
    end)

    it("counts bytes, too", function()
      local big = ("x"):rep(1100000)
      receive(nil, { message = big })
      receive(nil, { message = big, sequence = 2 })
      assert.equal("open, open, pause", took():gsub("open, pause, open", "open, open, pause"))
      receive(nil, { message = big, sequence = 3 })
      assert.equal(3, t:counters().held)
      receive(nil, { message = big, sequence = 4 })
      assert.equal(1, dropped "overflow")
    end)

    it("counts the bytes of all links together", function()
      new { n = 20 }
      local big = ("x"):rep(1000000)
      for i = 2, 17 do receive(nil, { message = big, sender = i, from = i }) end
      assert.is_nil(took():find "pause") -- 16 MB: the next one is one too many
      receive(nil, { message = big, sender = 19, from = 19 })
      assert.equal("pause", took())
      while #opens > 0 do opened(table.remove(opens), "crypto") end
      assert.truthy(took():find "resume")
      assert.equal(0, t:counters().held_bytes)
    end)

    it("a new link is read from, or paused at once where the old one's frames still wait", function()
      local list = chain(10)
      for i = 1, 8 do receive(list[i], { sequence = i }) end
      took()
      step { type = "link_down", member = BOB }
      step { type = "link_up", member = BOB }
      assert.equal("pause", took())
      new()
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
      opened(opens[1])
      step { type = "end" }
      took()
      committed()
      opened(opens[2])
      assert.equal("drop after_close", accept(list[2], { sequence = 2 }))
      assert.equal(0, t:counters().held)
      assert.equal(1, (t:head(BOB)))
    end)

    it("P3.8 still acknowledges what it has, so that who has closed learns of it", function()
      accept(payload { items = { CLOSE } })
      step { type = "end" }
      receive(payload { items = { CLOSE } })
      local names, all = took()
      assert.equal("drop duplicate, ack", names)
      assert.equal(1, all[2].sequence)
    end)
  end)
end)
