-- SPDX-License-Identifier: GPL-3.0-or-later
local fixture = require "store.fixture"

describe("where an epoch ends", function()
  local f, s
  local d, me, you = fixture.id(1), fixture.fingerprint(0), fixture.fingerprint(1)
  before_each(function()
    f = fixture.new(2)
    s = f.s
    assert(s:identity_create(fixture.identity(), fixture.bytes(64)))
  end)
  after_each(function() f.done() end)

  local function insert(n, state, t)
    t = t or {}
    t.state = state
    assert(s:message_insert(fixture.message(n, t)))
  end
  local function at(sequence, t)
    t = t or {}
    t.epoch, t.sequence, t.index = t.epoch or 2, sequence, t.index or 0
    return t
  end
  local function state(n)
    local m = s:message_get(fixture.id(n))
    return m and m.state .. (m.sequence and " " .. m.epoch .. ":" .. m.sequence or "")
  end
  local function ids(...)
    local t = {}
    for i, n in ipairs { ... } do t[i] = fixture.id(n) end
    return t
  end

  it("P5.3 own messages beyond the cut are held again, under their ids and without a place", function()
    insert(1, "confirmed", at(1))
    insert(2, "delivered", at(2))
    insert(3, "sent", at(3, { index = 1 }))
    insert(4, "queued", at(3, { nonce = ("n"):rep(16) }))
    insert(5, "queued")
    insert(6, "delivered", at(9, { epoch = 1 }))
    insert(7, "delivered", at(9, { discussion = fixture.id(2) }))
    insert(8, "failed", at(4))
    assert.same(ids(2, 3, 4), s:hold_beyond(d, 2, me, 1))
    assert.same({ "confirmed 2:1", "held", "held", "held", "queued", "delivered 1:9", "delivered 2:9", "failed 2:4" },
      { state(1), state(2), state(3), state(4), state(5), state(6), state(7), state(8) })
    assert.equal(("n"):rep(16), s:message_get(fixture.id(4)).nonce) -- its id is made of it
    assert.same({}, s:hold_beyond(d, 2, me, 1))
    -- released, it has a place again, and the old one is free
    assert(s:message_place(fixture.id(2), "queued", { epoch = 3, sequence = 1, index = 0 }))
    insert(9, "queued", at(2))
  end)

  it("P5.3 what waits is held, and what has a place is not", function()
    insert(1, "queued")
    insert(2, "queued", at(1))
    insert(3, "held")
    insert(4, "queued", { discussion = fixture.id(2) })
    insert(5, "queued")
    assert.same(ids(1, 5), s:hold_waiting(d))
    assert.same({ "held", "queued 2:1", "held", "queued", "held" },
      { state(1), state(2), state(3), state(4), state(5) })
    assert.same(ids(1, 3, 5), fixture.ids(assert(s:message_each_waiting(d, "held", 10))))
  end)

  it("P5.3 others' messages beyond the cut are void, and keep their place", function()
    insert(1, "received", at(1, { sender = you }))
    insert(2, "received", at(2, { sender = you }))
    insert(3, "received", at(2, { sender = you, index = 1 }))
    insert(4, "delivered", at(2))
    assert.same(ids(2, 3), s:void_beyond(d, 2, you, 1))
    assert.same({ "received 2:1", "void 2:2", "void 2:2", "delivered 2:2" }, { state(1), state(2), state(3), state(4) })
    assert.same({}, s:void_beyond(d, 2, you, 1))
    assert.same({}, s:void_beyond(d, 2, you, 5))
  end)

  it("P5.3 a void message makes way for itself in a later epoch, and nobody else's does", function()
    insert(1, "received", at(1, { sender = you }))
    insert(2, "received", at(2, { sender = you }))
    s:void_beyond(d, 2, you, 1)
    assert.is_false(s:void_drop(fixture.id(1), you))
    assert.is_false(s:void_drop(fixture.id(2), me))
    assert.is_true(s:void_drop(fixture.id(2), you))
    insert(2, "received", at(1, { sender = you, epoch = 3 }))
    assert.same({ "received 2:1", "received 3:1" }, { state(1), state(2) })
    assert.same(ids(1, 2), fixture.ids(assert(s:message_list(d, { limit = 10 }))))
  end)

  it("P5.8 what all have signed to have is confirmed, and only what is on its way", function()
    insert(1, "confirmed", at(1))
    insert(2, "delivered", at(2))
    insert(3, "queued", at(3))
    insert(4, "sent", at(4))
    insert(5, "held")
    insert(6, "received", at(2, { sender = you }))
    assert.same(ids(2, 3), s:confirm(d, 2, me, 1, 3))
    assert.same({ "confirmed 2:1", "confirmed 2:2", "confirmed 2:3", "sent 2:4", "held", "received 2:2" },
      { state(1), state(2), state(3), state(4), state(5), state(6) })
    assert.same({}, s:confirm(d, 2, me, 1, 3))
  end)

  it("refuses malformed values, and undoes all of it with its transaction", function()
    assert.equal("bad_params", select(2, s:hold_beyond(d, 2, "A", 1)))
    assert.equal("bad_params", select(2, s:void_beyond(d, 2, you, (1 << 53) + 1)))
    assert.equal("not_found", select(2, s:hold_waiting(fixture.id(3))))
    assert.equal("bad_params", select(2, s:void_drop("x", you)))
    insert(1, "sent", at(1))
    assert(s:begin())
    assert.same(ids(1), s:hold_beyond(d, 2, me, 0))
    s:rollback()
    assert.equal("sent 2:1", state(1))
  end)
end)
