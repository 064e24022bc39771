local outbox = require "support.outbox"
local transcript = require "support.transcript"
local world = require "support.messages_world"
local wire = require "support.wire"
local decode = world.payload.decode

local ME, BOB, CAROL = 1, 2, 3

describe("outbox", function()
  local o, roster, disk, log, sealing, fails, others, number

  -- A machine on what the disk has.
  local function restore(t)
    local config = {
      own = world.fingerprint(ME), roster = roster, roster_hash = world.roster_hash, transcript = others,
      built = #disk.own, head = #disk.own > 0 and disk.own[#disk.own].hash or nil, acknowledged = disk.acked,
      closing = disk.closing, queued = {},
    }
    for _, row in ipairs(disk.rows) do
      if not row.sequence then table.insert(config.queued, row) end
    end
    for k, v in pairs(t or {}) do config[k] = v end
    o, log, sealing = outbox.new(config), {}, nil
  end

  local function new(n, t)
    roster = world.roster(n or 3)
    others = transcript.new { own = world.fingerprint(ME), roster = roster, roster_hash = world.roster_hash,
      heads = t and t.heads }
    disk = { own = {}, rows = {}, by_id = {}, acked = {} }
    fails, number = {}, 0
    restore()
  end

  local step
  local disk_does = {}

  function disk_does.commit(a)
    if fails.commit then return { type = "committed", code = fails.commit } end
    for _, p in ipairs(a.payloads) do
      assert.equal(#disk.own + 1, p.sequence)
      disk.own[p.sequence] = { hash = p.hash, payload = p.bytes }
    end
    for _, r in ipairs(a.rows) do
      local row = disk.by_id[r.id]
      assert.equal(r.fresh, row == nil)
      if not row then
        row = { id = r.id, nonce = r.nonce, time = r.time, text = r.text }
        disk.by_id[r.id] = row
        table.insert(disk.rows, row)
      end
      row.sequence, row.index = r.sequence, r.index
    end
    disk.closing = disk.closing or a.closes
    return { type = "committed" }
  end

  function disk_does.store_sealed(a)
    if fails.store then return { type = "stored", code = fails.store } end
    disk.own[a.sequence].message = a.message
    return { type = "stored" }
  end

  function disk_does.store_ack(a)
    if fails.ack then return { type = "ack_stored", code = fails.ack } end
    disk.acked[a.member] = a.sequence
    return { type = "ack_stored" }
  end

  function disk_does.load(a)
    if fails.load then return { type = "loaded", code = fails.load } end
    local rows = {}
    for s = a.after + 1, math.min(#disk.own, a.after + a.count) do
      rows[#rows + 1] = { sequence = s, payload = disk.own[s].payload, message = disk.own[s].message }
    end
    return { type = "loaded", rows = rows }
  end

  -- The disk answers at once, as in the shell; seals wait for sealed().
  function step(event)
    event.now = event.now or 1000
    for _, a in ipairs(o:step(event)) do
      log[#log + 1] = a
      if a.type == "seal" then sealing = a end
      local answer = disk_does[a.type] and not fails.silent and disk_does[a.type](a)
      if answer then step(answer) end
    end
  end

  -- the types of the actions since the last look, and the actions
  local function took()
    local names = {}
    for i, a in ipairs(log) do names[i] = a.type end
    local all = log
    log = {}
    return table.concat(names, ", "), all
  end

  local function find(type)
    local found = {}
    for _, a in ipairs(log) do
      if a.type == type then found[#found + 1] = a end
    end
    log = {}
    return found
  end

  local function submit(count, text, ticket)
    local list = {}
    for i = 1, count or 1 do
      number = number + 1
      list[i] = world.message(ME, number, text)
    end
    step { type = "submit", ticket = ticket or number, messages = list }
    return list
  end

  local function sealed(code)
    local a = assert(sealing, "nothing is being sealed")
    sealing = nil
    step { type = "sealed", code = code, message = not code and world.seal(roster, ME, a.payload) or nil }
    return a
  end
  local function seal_all() while sealing do sealed() end end

  -- so many payloads of one message
  local function build(count)
    for _ = 1, count do
      submit()
      seal_all()
    end
    log = {}
  end

  local function link(member, sequence)
    step { type = "link_up", member = member, sequence = sequence,
      hash = sequence and sequence > 0 and disk.own[sequence] and disk.own[sequence].hash or nil }
  end
  local function ack(member, sequence) step { type = "ack", member = member, sequence = sequence } end

  -- "member:sequence …" of all that was transmitted since the last look
  local function transmitted()
    local list = {}
    for i, a in ipairs(find "transmit") do list[i] = a.member .. ":" .. a.sequence end
    return table.concat(list, " ")
  end

  before_each(function() new() end)

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
      assert.same({ 1, c.payloads[1].hash }, { o:head() })
    end)

    it("P3.3 the payload says whose it is, where it belongs, and what was seen", function()
      new(4, { heads = { [BOB] = { sequence = 7, hash = wire.hash "bob's" } } })
      submit(2, "hello")
      local first = disk.own[1].payload
      local p = decode(first)
      assert.same({ world.discussion, 0, world.roster_hash, world.fingerprint(ME), 1, world.roster_hash, 1000 },
        { p.discussion, p.epoch, p.roster_hash, p.sender, p.sequence, p.previous, p.time_ms })
      assert.same({ { fingerprint = world.fingerprint(BOB), sequence = 7, hash = wire.hash "bob's" } }, p.seen)
      assert.same({ "hello", world.message(ME, 2).nonce, 2 },
        { p.items[2].text, p.items[2].nonce, p.items[2].time_ms })
      seal_all()
      submit()
      p = decode(disk.own[2].payload)
      assert.same({ 2, wire.hash(first) }, { p.sequence, p.previous })
    end)

    it("P3.9 gathers while a seal is under way, and the next payload carries them all", function()
      submit()
      took()
      local second, third = submit(), submit(2)
      assert.equal("commit, accepted, commit, accepted", took())
      assert.equal(3, o:counters().queued)
      assert.is_nil(disk.by_id[second[1].id].sequence)
      sealed()
      local names, all = took()
      assert.equal("store_sealed, commit, seal", names)
      assert.same({ 3, false, 2 }, { #all[2].rows, all[2].rows[1].fresh, all[2].rows[1].sequence })
      assert.same({ second[1].id, third[1].id, third[2].id },
        { all[2].rows[1].id, all[2].rows[2].id, all[2].rows[3].id })
      assert.equal(3, #decode(disk.own[2].payload).items)
      assert.equal(0, o:counters().queued)
    end)

    it("P3.3 a payload holds at most 1000 messages", function()
      submit()
      submit(700)
      submit(700)
      sealed()
      assert.equal(1000, #decode(disk.own[2].payload).items)
      assert.equal(400, o:counters().queued)
      sealed()
      assert.equal(400, #decode(disk.own[3].payload).items)
      assert.same({ 3, 399 }, { disk.rows[1401].sequence, disk.rows[1401].index })
      submit()
      assert.equal(3, #disk.own)
    end)

    it("P0.4 a payload stays below what a frame takes", function()
      local big = ("x"):rep(65536)
      submit(40, big)
      local count, seen = 0, 0
      for _ = 1, 4 do
        local p = disk.own[#disk.own].payload
        assert.is_true(#p <= 1024 * 1024 - 16 * 1024)
        count = math.max(count, #decode(p).items)
        seen = seen + #decode(p).items
        if sealing then sealed() end
        if seen == 40 then break end
      end
      assert.same({ 15, 40 }, { count, seen })
    end)

    it("P3.3 also of texts that grow in JSON", function()
      submit(20, ("\1"):rep(65536))
      while sealing do
        assert.is_true(#sealing.payload <= 1024 * 1024 - 16 * 1024)
        sealed()
      end
      assert.equal(0, o:counters().queued)
      assert.equal(10, #disk.own)
    end)
  end)

  describe("taking messages", function()
    it("answers when they are on disk, and not before", function()
      fails.silent = true
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
      fails.commit = "io"
      submit(1, nil, 5)
      local names, all = took()
      assert.equal("commit, rejected", names)
      assert.same({ 5, "io", 0, 0 }, { all[2].ticket, all[2].code, o:counters().queued, (o:head()) })
      fails.commit = nil
      local list = submit()
      assert.equal("commit, accepted, seal", took())
      assert.equal(list[1].nonce, decode(disk.own[1].payload).items[1].nonce)
    end)

    it("keeps what was queued when a later commit fails", function()
      submit()
      submit(2)
      fails.commit = "io"
      submit(3)
      took()
      assert.equal(2, o:counters().queued)
      sealed()
      local names, all = took()
      assert.equal("store_sealed, commit, retry_in", names)
      assert.equal(100, all[3].ms)
      submit() -- the disk is asked for each one that is submitted
      assert.equal("commit, rejected", took())
      fails.commit = nil
      step { type = "retry" }
      assert.equal("commit, seal", took())
      assert.equal(2, #decode(disk.own[2].payload).items)
    end)

    it("is busy beyond 10000 messages, 8 MiB, or 256 submits", function()
      submit()
      for _ = 1, 10 do submit(1000) end
      took()
      submit()
      local names, all = took()
      assert.same({ "rejected", "busy", 10000 }, { names, all[1].code, o:counters().queued })
      new()
      submit()
      for _ = 1, 128 do submit(1, ("x"):rep(65536)) end
      took()
      submit()
      assert.equal("rejected", took())
      assert.equal(128, o:counters().queued)
      new()
      fails.silent = true
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
      local bytes = sealing.payload
      for i, ms in ipairs { 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000 } do
        took()
        sealed(({ "timeout", "locked", "busy", "io" })[i % 4 + 1])
        local names, all = took()
        assert.same({ "retry_in", ms }, { names, all[1].ms })
        submit() -- gathers meanwhile
        assert.equal("commit, accepted", took())
        step { type = "retry" }
        assert.equal(bytes, sealing.payload)
      end
      sealed()
      assert.equal(11, #decode(disk.own[2].payload).items)
    end)

    it("P3.10 seals again from the same bytes, after a crash", function()
      submit()
      local bytes = disk.own[1].payload
      restore()
      step { type = "start" }
      assert.equal("", took()) -- nobody is there to have it
      link(BOB, 0)
      assert.equal("load, seal", took())
      assert.equal(bytes, sealing.payload)
      sealed()
      assert.equal("transmit, store_sealed", took())
      link(CAROL, 0)
      local names, all = took()
      assert.equal("load, transmit", names)
      assert.equal(disk.own[1].message, select(4, wire.sealed_decode(all[2].frame)))
    end)

    it("P3.7 goes on with what was queued before a crash, in its order", function()
      submit()
      submit(1, "queued")
      restore()
      step { type = "start" }
      assert.equal("commit, seal", took())
      assert.equal("queued", decode(disk.own[2].payload).items[1].text)
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
      assert.is_nil(sealing)
      assert.equal(1, o:counters().sealed)
    end)

    it("seals anew what the disk did not take, once it is needed", function()
      fails.store = "io"
      submit()
      sealed()
      assert.equal("commit, accepted, seal, store_sealed, retry_in", took())
      link(BOB, 0)
      assert.equal("2:1", transmitted()) -- it is still here
      fails.store = nil
      step { type = "retry" }
      assert.equal("store_sealed", took())
      assert.equal(0, o:counters().kept)
    end)
  end)

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
      assert.equal(0, o:counters().kept)
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
      assert.equal(3, disk.acked[BOB])
      link(BOB, 1)
      assert.equal("2:2 2:3", transmitted())
      assert.equal(3, disk.acked[BOB])
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
      assert.same({ 0, 0 }, { o:counters().kept, o:counters().kept_bytes })
    end)

    it("keeps at most 64 for who is there and does not acknowledge; the rest comes from disk", function()
      link(BOB, 0)
      for _ = 1, 200 do
        submit()
        seal_all()
        assert.is_true(o:counters().kept <= 64)
      end
      assert.equal(64, o:counters().kept)
      assert.equal("2:1 2:2 2:3 2:4 2:5 2:6 2:7 2:8", transmitted())
      local loaded = o:counters().loaded
      for s = 1, 200 do
        ack(BOB, s)
        local expected = s + 8 <= 200 and "2:" .. s + 8 or ""
        assert.equal(expected, transmitted())
      end
      assert.is_true(o:counters().loaded > loaded)
      assert.equal(0, o:counters().kept)
    end)

    it("keeps at most 16 MiB", function()
      link(BOB, 0)
      for _ = 1, 40 do
        submit(14, ("x"):rep(65536))
        seal_all()
        assert.is_true(o:counters().kept_bytes <= 17 << 20)
      end
      assert.is_true(o:counters().kept < 20)
      transmitted()
      for s = 1, 40 do ack(BOB, s) end
      assert.equal(0, o:counters().kept_bytes)
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
        assert.is_true(o:counters().kept <= 64)
      end
      ack(BOB, 8)
      assert.equal("2:9 2:10 2:11 2:12 2:13 2:14 2:15 2:16", transmitted())
    end)

    it("P3.7 sends all of it to who speaks of another epoch", function()
      build(2)
      step { type = "link_up", member = BOB, epoch = 1, sequence = 1, hash = wire.hash "x" }
      assert.equal("2:1 2:2", transmitted())
      assert.is_nil(disk.acked[BOB])
    end)

    it("does not take what it did not ask the disk for", function()
      build(3)
      fails.silent = true
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
      assert.equal(0, o:counters().kept)
    end)

    it("tries again after a failing disk", function()
      build(3)
      fails.load = "io"
      link(BOB, 0)
      local names, all = took()
      assert.same({ "load, retry_in", 100 }, { names, all[2].ms })
      fails.load = nil
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
      new(2)
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
      assert.equal(2, disk.acked[BOB])
    end)

    it("of what was never built, or of another epoch, are none", function()
      build(1)
      link(BOB, 0)
      took()
      ack(BOB, 2)
      step { type = "ack", member = BOB, sequence = 1, epoch = 1 }
      assert.equal("", took())
      assert.same({ nil, 2 }, { disk.acked[BOB], o:counters().bad_records })
    end)

    it("are stored once the disk takes them, with all that came meanwhile", function()
      build(3)
      link(BOB, 0)
      link(CAROL, 0)
      took()
      fails.ack = "io"
      ack(BOB, 1)
      ack(BOB, 2)
      ack(CAROL, 3)
      assert.equal("store_ack, retry_in", took())
      assert.is_true(o:owes(BOB))
      fails.ack = nil
      step { type = "retry" }
      local _, all = took()
      assert.same({ BOB, 2, 1, 2 }, { all[1].member, all[1].sequence, all[1].first_sent, all[1].last_sent })
      assert.same({ CAROL, 3, 3, 3, 1, 2 }, { all[2].member, all[2].sequence, all[2].first_sent, all[2].last_sent,
        all[2].first_delivered, all[2].last_delivered })
    end)

    it("say who is still owed something", function()
      build(2)
      assert.same({ false, true, true }, { o:owes(ME), o:owes(BOB), o:owes(CAROL) })
      link(BOB, 2)
      assert.same({ false, true }, { o:owes(BOB), o:owes(CAROL) })
    end)
  end)

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
      assert.same({ 2, disk.own[2].payload }, { sealing.sequence, sealing.payload })
      sealed()
      local names, all = took()
      assert.equal("transmit, transmit, store_sealed", names)
      assert.same({ 2, 3, list[3].frame }, { all[1].sequence, all[2].sequence, all[2].frame })
      assert.are_not.equal(list[2].frame, all[1].frame)
      assert.equal(disk.own[2].message, select(4, wire.sealed_decode(all[1].frame)))
      assert.equal(1, o:counters().resealed)
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
      assert.equal(2, sealing.sequence)
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
      assert.equal(8, o:counters().bad_records)
      step { type = "congested", member = BOB }
      link(BOB, 4)
      submit()
      step { type = "congested", member = BOB }
      seal_all()
      took()
      cannot_open(BOB, 5) -- it was not sent yet
      step { type = "writable", member = BOB }
      assert.equal("2:5", transmitted())
      assert.is_nil(sealing)
    end)

    it("gets another seal than the one that is still kept for others", function()
      link(BOB, 0)
      link(CAROL, 0)
      step { type = "congested", member = CAROL }
      build(1)
      assert.equal(1, o:counters().kept)
      cannot_open(BOB, 1)
      assert.equal("load, seal", took())
      sealed()
      step { type = "writable", member = CAROL }
      assert.equal("2:1 3:1", transmitted())
    end)

    it("P3.10 the disk gets the new seal where the old one was just being written", function()
      link(BOB, 0)
      submit()
      fails.silent = true
      sealed()
      cannot_open(BOB, 1)
      step { type = "loaded", rows = { { sequence = 1, payload = disk.own[1].payload } } }
      sealed()
      took()
      step { type = "stored" } -- the old one
      local names, all = took()
      assert.equal("store_sealed", names)
      assert.truthy(all[1].message)
      step { type = "stored" }
      assert.equal(0, o:counters().kept)
    end)

    it("and can after all: then nothing is sealed anew", function()
      build(2)
      link(BOB, 0)
      fails.load = "io"
      cannot_open(BOB, 1)
      ack(BOB, 1)
      fails.load = nil
      step { type = "retry" }
      link(CAROL, 0)
      assert.is_nil(sealing)
      fails.load = "io"
      cannot_open(BOB, 2)
      link(BOB, 2)
      fails.load = nil
      step { type = "retry" }
      link(CAROL, 0)
      assert.is_nil(sealing)
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
      assert.is_nil(sealing)
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
      assert.equal(disk.own[1].message, select(4, wire.sealed_decode(list[1].frame)))
      assert.is_nil(sealing)
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
      fails.silent = true
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
      fails.silent = true
      submit(1, nil, 1)
      submit(1, nil, 2)
      step { type = "link_up", member = BOB, sequence = 3, hash = wire.hash "x" }
      took()
      step { type = "committed" }
      local names, all = took()
      assert.same({ "accepted, rejected", 1, 2 }, { names, all[1].ticket, all[2].ticket })
    end)
  end)

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
      assert.same({ { type = 1 } }, decode(disk.own[2].payload).items)
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
      local items = decode(disk.own[4].payload).items
      assert.same({ 6, 1, 0 }, { #items, items[6].type, items[5].type })
      for s = 1, 4 do
        assert.is_nil((took():find "key_may_die"))
        assert.equal(s, sealing.sequence)
        sealed()
      end
      assert.truthy(took():find "key_may_die")
      assert.equal(0, o:counters().kept)
    end)

    it("P3.3 CLOSE has a payload of its own where the last one is full", function()
      submit()
      submit(1000)
      step { type = "close" }
      assert.equal(3, #disk.own)
      assert.same({ 1000, 1 }, { #decode(disk.own[2].payload).items, #decode(disk.own[3].payload).items })
    end)

    it("P3.8 the key lives until the disk has every seal", function()
      fails.store = "io"
      build(2)
      step { type = "close" }
      seal_all()
      assert.is_nil((took():find "key_may_die"))
      fails.store = nil
      step { type = "retry" }
      seal_all()
      assert.truthy(took():find "key_may_die")
      for s = 1, 3 do assert.truthy(disk.own[s].message) end
    end)

    it("P3.8 or until everyone has what is not sealed", function()
      new(2)
      fails.store = "io"
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
      assert.equal(2, sealing.sequence)
      seal_all()
      assert.truthy(took():find "key_may_die")
      assert.equal("close", disk.own[3].payload:match '"t":"(close)"')
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
      fails.commit = "io"
      took()
      step { type = "close" }
      assert.equal("commit, retry_in", took())
      submit()
      assert.equal("rejected", took())
      fails.commit = nil
      step { type = "retry" }
      assert.equal("commit, closed", took())
    end)

    it("waits for a commit that is under way, and takes along what comes with it", function()
      fails.silent = true
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
      assert.is_nil(sealing)
    end)

    it("P3.8 is delivered once the disk knows it, and the member shows it on its link", function()
      fails.ack = "io"
      build(1)
      step { type = "close" }
      seal_all()
      link(BOB, 0)
      took()
      ack(BOB, 2)
      step { type = "link_up", member = BOB, sequence = 2, hash = disk.own[2].hash }
      assert.is_nil((took():find "closed_delivered"))
      fails.ack = nil
      step { type = "retry" }
      assert.equal("store_ack, closed_delivered", took())
      link(BOB, 1) -- its disk was rolled back
      assert.equal("load, transmit", took())
      ack(BOB, 2)
      assert.equal("closed_delivered", took())
    end)

    it("P3.8 the key dies at once, though someone waits for a fresh seal", function()
      for _, failing in ipairs { "load", "seal" } do
        new()
        link(BOB, 0)
        link(CAROL, 0)
        step { type = "congested", member = CAROL }
        build(1)
        step { type = "close" }
        took()
        fails.load = failing == "load" and "io" or nil
        step { type = "cannot_open", member = BOB, sequence = 1 }
        sealed()
        if sealing then sealed "timeout" end
        local names, all = took()
        assert.truthy(names:find "undeliverable, key_may_die$")
        assert.same({ BOB, 1 }, { all[#all - 1].member, all[#all - 1].sequence })
        fails.load = nil
        step { type = "retry" }
        assert.is_nil(sealing)
        step { type = "writable", member = CAROL } -- who gets it as it was sealed
        assert.equal("3:1 3:2", transmitted())
        assert.equal(0, o:counters().kept)
      end
    end)

    it("P3.8 the key does not wait for who cannot open", function()
      build(1)
      link(BOB, 0)
      step { type = "close" }
      step { type = "cannot_open", member = BOB, sequence = 1 }
      took()
      sealed()
      while sealing do sealed() end
      assert.truthy(took():find "key_may_die")
      assert.is_nil(sealing)
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
      assert.same({ 0, 0 }, { o:counters().queued, o:counters().kept })
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
      fails.ack = "io"
      ack(BOB, 2)
      step { type = "abandon" }
      local names, all = took()
      assert.equal("store_ack, retry_in, failed, key_may_die", names)
      assert.same({ 3, 3 }, { all[3].first, all[3].last })
      fails.ack = nil
      step { type = "retry" }
      names, all = took()
      assert.same({ "store_ack", 2, 1, 2 }, { names, all[1].sequence, all[1].first_sent, all[1].last_sent })
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
