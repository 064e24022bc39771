local fixture = require "store.fixture"

describe("messages", function()
  local f, s
  local d, me, you = fixture.id(1), fixture.fingerprint(0), fixture.fingerprint(1)
  before_each(function()
    f = fixture.new(2)
    s = f.s
    assert(s:identity_create(fixture.identity(), fixture.bytes(64)))
  end)
  after_each(function() f.done() end)

  local function list(t, discussion) return assert(s:message_list(discussion or d, t)) end
  local function ids(...)
    local t = {}
    for i, n in ipairs { ... } do t[i] = fixture.id(n) end
    return t
  end
  local function insert(first, last, t)
    assert(s:begin())
    for n = first, last do assert(s:message_insert(fixture.message(n, t))) end
    assert(s:commit())
  end

  it("P3.7 keeps every field over a restart", function()
    local queued = fixture.message(1, { text = "h\0llo \u{1F600}" })
    local received = fixture.message(2,
      { sender = you, state = "received", epoch = 3, sequence = 1 << 53, index = 999 })
    assert(s:message_insert(queued))
    assert(s:message_insert(received))
    s = f.reopen()
    assert.same(queued, s:message_get(fixture.id(1)))
    assert.same(received, s:message_get(fixture.id(2)))
    assert.same({ queued, received }, list { limit = 10 })
  end)

  it("P3.7 takes an id, and a place in a payload, once", function()
    local at = { state = "received", sender = you, epoch = 0, sequence = 1, index = 0 }
    assert(s:message_insert(fixture.message(1, at)))
    assert.equal("wrong_state", select(2, s:message_insert(fixture.message(1, { discussion = fixture.id(2) }))))
    assert.equal("wrong_state", select(2, s:message_insert(fixture.message(2, at))))
    at.index = 1
    assert(s:message_insert(fixture.message(2, at)))
    at.sender, at.index = me, 0
    assert(s:message_insert(fixture.message(3, at)))
    at.discussion = fixture.id(2)
    assert(s:message_insert(fixture.message(4, at)))
  end)

  it("takes texts of 1 to 65,536 bytes", function()
    assert.equal("bad_params", select(2, s:message_insert(fixture.message(1, { text = "" }))))
    assert.equal("too_large", select(2, s:message_insert(fixture.message(1, { text = ("x"):rep(65537) }))))
    assert(s:message_insert(fixture.message(1, { text = ("x"):rep(65536) })))
    assert(s:message_insert(fixture.message(2, { text = "x" })))
    assert.equal(65536, #s:message_get(fixture.id(1)).text)
  end)

  it("refuses malformed values", function()
    for _, t in ipairs { { id = "x" }, { id = fixture.id(1):upper() }, { sender = "A" }, { discussion = "d" },
      { state = "" }, { state = "lost" }, { state = "sent", sequence = 0, epoch = 0 } } do
      assert.equal("bad_params", select(2, s:message_insert(fixture.message(1, t))))
    end
    assert.equal("not_found", select(2, s:message_insert(fixture.message(1, { discussion = fixture.id(3) }))))
    assert.same({}, list { limit = 1 })
  end)

  it("P3.10 has no place while held, and has one once it was sent", function()
    local place = { epoch = 0, sequence = 1, index = 0 }
    for _, state in ipairs { "sent", "delivered", "confirmed", "received", "void" } do
      assert.equal("bad_params", select(2, s:message_insert(fixture.message(1, { state = state }))))
    end
    local held = fixture.message(1, { state = "held", epoch = 0, sequence = 1 })
    assert.equal("bad_params", select(2, s:message_insert(held)))
    assert(s:message_insert(fixture.message(1)))
    assert.equal("wrong_state", select(2, s:message_set_state(fixture.id(1), "sent")))
    assert(s:message_place(fixture.id(1), "queued", place))
    assert.equal("wrong_state", select(2, s:message_set_state(fixture.id(1), "held")))
    assert.equal("bad_params", select(2, s:message_place(fixture.id(1), "held", place)))
    assert.equal("bad_params", select(2, s:message_place(fixture.id(1), "sent", nil)))
    assert(s:message_set_state(fixture.id(1), "sent"))
    local m = s:message_get(fixture.id(1))
    assert.same({ "sent", 0, 1, 0 }, { m.state, m.epoch, m.sequence, m.index })
    -- P5.3: beyond the cut, under the same id
    assert(s:message_place(fixture.id(1), "held", nil))
    m = s:message_get(fixture.id(1))
    assert.equal("held", m.state)
    assert.is_nil(m.sequence)
    assert(s:message_set_state(fixture.id(1), "failed"))
    assert.equal("not_found", select(2, s:message_set_state(fixture.id(2), "failed")))
    assert.equal("not_found", select(2, s:message_place(fixture.id(2), "held", nil)))
    assert.equal("bad_params", select(2, s:message_set_state(fixture.id(1), "lost")))
  end)

  describe("listing", function()
    before_each(function()
      insert(1, 10)
      insert(51, 55, { discussion = fixture.id(2) })
      insert(11, 12)
    end)

    it("gives the newest, oldest first", function()
      assert.same(ids(10, 11, 12), fixture.ids(list { limit = 3 }))
      assert.same(ids(12), fixture.ids(list { limit = 1 }))
      assert.equal(12, #list { limit = 1000 })
      assert.same(ids(51, 52, 53, 54, 55), fixture.ids(list({ limit = 12 }, fixture.id(2))))
    end)

    it("goes on after, and back before, a message", function()
      assert.same(ids(9, 10, 11), fixture.ids(list { after = fixture.id(8), limit = 3 }))
      assert.same(ids(12), fixture.ids(list { after = fixture.id(11), limit = 3 }))
      assert.same({}, list { after = fixture.id(12), limit = 3 })
      assert.same(ids(5, 6, 7), fixture.ids(list { before = fixture.id(8), limit = 3 }))
      assert.same(ids(1, 2), fixture.ids(list { before = fixture.id(3), limit = 3 }))
      assert.same({}, list { before = fixture.id(1), limit = 3 })
      assert.same(ids(4, 5), fixture.ids(list { after = fixture.id(3), before = fixture.id(6), limit = 1000 }))
      assert.same(ids(4), fixture.ids(list { after = fixture.id(3), before = fixture.id(6), limit = 1 }))
      assert.same({}, list { after = fixture.id(6), before = fixture.id(3), limit = 5 })
    end)

    it("walks the whole of it in pages, both ways", function()
      local seen = {}
      local page = list { before = fixture.id(1), limit = 5 }
      assert.same({}, page)
      page = list { after = fixture.id(1), limit = 4 }
      while #page > 0 do
        for _, m in ipairs(page) do seen[#seen + 1] = m.id end
        page = list { after = page[#page].id, limit = 4 }
      end
      assert.same(ids(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), seen)
      seen = {}
      page = list { limit = 5 }
      while #page > 0 do
        for i = #page, 1, -1 do table.insert(seen, 1, page[i].id) end
        page = list { before = page[1].id, limit = 5 }
      end
      assert.same(ids(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), seen)
    end)

    it("refuses limits and bounds that are none", function()
      for _, limit in ipairs { 0, 1001, -1 } do
        assert.equal("bad_params", select(2, s:message_list(d, { limit = limit })))
      end
      assert.equal("not_found", select(2, s:message_list(d, { after = fixture.id(99), limit = 1 })))
      assert.equal("not_found", select(2, s:message_list(d, { before = fixture.id(51), limit = 1 })))
      assert.equal("bad_params", select(2, s:message_list(d, { before = "x", limit = 1 })))
      assert.equal("not_found", select(2, s:message_list(fixture.id(3), { limit = 1 })))
    end)

    it("ends when the visitor has enough", function()
      local seen = {}
      assert(s:message_list(d, { limit = 10 }, function(m)
        seen[#seen + 1] = m.id
        return #seen < 2
      end))
      assert.same(ids(3, 4), seen)
    end)

    it("keeps its order when a message is placed later, deleted or held again", function()
      assert(s:message_place(fixture.id(2), "sent", { epoch = 0, sequence = 9, index = 0 }))
      assert(s:message_delete(fixture.id(3)))
      assert.equal("not_found", select(2, s:message_delete(fixture.id(3))))
      assert.same(ids(1, 2, 4), { table.unpack(fixture.ids(list { limit = 1000 }), 1, 3) })
    end)
  end)

  it("P3.9 lists the queued and the held without a place, in order and bounded", function()
    insert(1, 5)
    insert(6, 8, { state = "held" })
    insert(9, 9, { discussion = fixture.id(2) })
    insert(10, 10)
    assert(s:message_place(fixture.id(1), "queued", { epoch = 0, sequence = 1, index = 0 }))
    assert(s:message_set_state(fixture.id(2), "failed"))
    assert.same(ids(3, 4, 5, 10), fixture.ids(s:message_each_waiting(d, "queued", 1000)))
    assert.same(ids(3, 4), fixture.ids(s:message_each_waiting(d, "queued", 2)))
    assert.same(ids(6, 7, 8), fixture.ids(s:message_each_waiting(d, "held", 10)))
    assert(s:message_set_state(fixture.id(7), "queued"))
    assert.same(ids(3, 4, 5, 7, 10), fixture.ids(s:message_each_waiting(d, "queued", 10)))
    assert.equal("bad_params", select(2, s:message_each_waiting(d, "sent", 10)))
    assert.equal("bad_params", select(2, s:message_each_waiting(d, "queued", 0)))
  end)

  it("P3.7 sets and lists the messages of a range of payloads", function()
    for sequence = 1, 4 do
      for index = 0, 2 do
        local n = sequence * 10 + index
        assert(s:message_insert(fixture.message(n,
          { state = "sent", epoch = 0, sequence = sequence, index = 2 - index })))
      end
    end
    assert(s:message_insert(fixture.message(1, { state = "received", sender = you, epoch = 0, sequence = 2 })))
    assert(s:message_insert(fixture.message(2, { state = "sent", epoch = 1, sequence = 2 })))
    assert(s:message_insert(fixture.message(3,
      { state = "sent", epoch = 0, sequence = 2, discussion = fixture.id(2) })))
    assert(s:message_set_states(d, 0, me, 2, 3, "delivered"))
    local function state(n) return s:message_get(fixture.id(n)).state end
    for n, want in pairs { [10] = "sent", [12] = "sent", [20] = "delivered", [22] = "delivered", [30] = "delivered",
      [32] = "delivered", [40] = "sent", [1] = "received", [2] = "sent", [3] = "sent" } do
      assert.equal(want, state(n))
    end
    assert.same(ids(22, 21, 20, 32, 31), fixture.ids(s:message_each_placed(d, 0, me, 2, 3, 5)))
    assert.same(ids(1), fixture.ids(s:message_each_placed(d, 0, you, 0, 1 << 53, 5)))
    assert(s:message_set_states(d, 0, me, 9, 9, "confirmed"))
    assert.equal("bad_params", select(2, s:message_set_states(d, 0, me, 3, 2, "confirmed")))
    assert.equal("bad_params", select(2, s:message_set_states(d, 0, me, 1, 2, "held")))
    assert.equal("bad_params", select(2, s:message_each_placed(d, 0, me, 1, (1 << 53) + 1, 5)))
  end)

  describe("reading", function()
    it("counts what others wrote after the marker", function()
      assert.equal(0, s:message_unread(d))
      for n = 1, 6 do
        assert(s:message_insert(fixture.message(n, n % 2 == 0 and {} or
          { sender = you, state = "received", epoch = 0, sequence = n })))
      end
      assert.equal(3, s:message_unread(d))
      assert(s:message_set_read(d, fixture.id(3)))
      assert.equal(1, s:message_unread(d))
      assert(s:message_set_read(d, fixture.id(1)))
      assert.equal(1, s:message_unread(d))
      assert.equal(fixture.id(3), s:discussion_get(d).read_marker)
      assert(s:message_set_read(d, fixture.id(6)))
      s = f.reopen()
      assert.equal(0, s:message_unread(d))
      assert.equal(0, s:message_unread(fixture.id(2)))
    end)

    it("falls back to the message before where the marked one was deleted", function()
      insert(1, 3)
      assert(s:message_set_read(d, fixture.id(3)))
      assert(s:message_delete(fixture.id(3)))
      assert.equal(fixture.id(2), s:discussion_get(d).read_marker)
      -- and a new one is not taken for read
      assert(s:message_insert(fixture.message(4, { sender = you, state = "received", epoch = 0, sequence = 1 })))
      assert.equal(1, s:message_unread(d))
    end)

    it("refuses what is no message of that discussion", function()
      insert(1, 1)
      assert.equal("not_found", select(2, s:message_set_read(fixture.id(2), fixture.id(1))))
      assert.equal("not_found", select(2, s:message_set_read(d, fixture.id(9))))
      assert.equal("not_found", select(2, s:message_unread(fixture.id(9))))
    end)
  end)
end)
