-- SPDX-License-Identifier: GPL-3.0-or-later
-- A member that has closed (P3.8) cannot sign any more: its last payloads go in the place of its proof.
local world = require "support.handshake_world"
local links = require "support.link_world"

local run = links.meet
local three = { "payload 7", "payload 8", "payload 9, with CLOSE" }

describe("member link", function()
  it("P3.8 delivers the farewell of the side that dials, in L3's place, until it is acknowledged", function()
    for seed = 1, 30 do
      local d = links.discussion(2, { seed = seed })
      local a, b = run(d, { dials = { closed = true, farewell = three } })
      assert.same(three, b.delivered)
      assert.is_true(#a.acked >= 1)
      assert.equal("told", a.outcome)
      assert.equal("heard", b.outcome)
      assert.equal(0, a:times("sign"))
      assert.is_nil(a.timed_out or b.timed_out)
      -- only to who has proved to be the other member
      assert.is_true(a:place("verify") < a:place("send_farewell"))
    end
  end)

  it("P3.8 delivers the farewell of the side that answers, in the place of L2's proof", function()
    for seed = 1, 30 do
      local d = links.discussion(2, { seed = seed })
      local a, b = run(d, { answers = { closed = true, farewell = three } })
      assert.same(three, a.delivered)
      assert.equal("told", b.outcome)
      assert.equal("heard", a.outcome)
      assert.equal(0, b:times("sign"))
      assert.is_nil(a.timed_out or b.timed_out)
    end
  end)

  it("P3.8 ends where both have closed: nobody can open anything any more", function()
    for seed = 1, 30 do
      local d = links.discussion(2, { seed = seed })
      local a, b = run(d, {
        dials = { closed = true, farewell = three }, answers = { closed = true, farewell = three },
      })
      assert.equal("both_closed", a.outcome)
      assert.equal("both_closed", b.outcome)
      assert.same({}, a.delivered)
      assert.same({}, b.delivered)
    end
  end)

  it("P3.8 lets go of a side that has closed where the discussion has ended already, with all that is there", function()
    for seed = 1, 30 do
      local d = links.discussion(2, { seed = seed })
      local a, b = run(d, { dials = { closed = true, farewell = three }, answers = { ended = true, held = 3 } })
      assert.truthy(a.outcome == "told" or a.outcome == "both_closed", a.detail)
      assert.equal("both_closed", b.outcome)
      -- the acknowledgement that was lost, and nothing is sent in vain
      local sender = a.person.fingerprint
      assert.same({ ('{"v":1,"type":"ack","discussion":"%s","epoch":0,"sender":"%s","sequence":3}'):format(d.id, sender) },
        a.acked)
      assert.equal(0, a:times("send_farewell"))
      -- there is no key: nothing is signed, and nothing waits for anything
      assert.equal(0, b:times("sign"))
      assert.equal(0, b:times("deadline"))
      assert.is_nil(a.timed_out or b.timed_out)
    end
  end)

  it("P3.8 says that it has ended also where nothing of the other's is there", function()
    local a, b = run(links.discussion(2), { dials = { closed = true, farewell = three }, answers = { ended = true } })
    assert.equal("both_closed", a.outcome)
    assert.equal("both_closed", b.outcome)
    assert.same({}, a.acked)
  end)

  it("P3.8 is let go of by nobody who goes on: only a member could say so, and none has signed it", function()
    for _, held in ipairs { 3, 0 } do
      local a, b = run(links.discussion(2), { answers = { ended = true, held = held } })
      assert.equal("failed", a.outcome)
      assert.equal("the other says that it has ended the discussion", a.detail)
      assert.equal("both_closed", b.outcome)
      assert.same({}, a.acked)
    end
  end)

  it("P3.8 says that it has ended under keys that only this L1's sender has: said again it opens nowhere", function()
    local d = links.discussion(2)
    local answers = { ended = true, held = 3 }
    local first, b = run(d, { dials = { closed = true, farewell = three }, answers = answers })
    local second, c = run(d, { dials = { closed = true, farewell = three }, answers = answers })
    for _, p in ipairs { b, c } do
      assert.equal(3, #p.sent)
      for n, frame in ipairs(p.sent) do assert.equal(n > 1, frame.encrypted) end
    end
    assert.are_not.equal(b.tx, c.tx)
    assert.equal(b.tx, first.rx)
    -- what was said to the first, to a third that asks
    local third, e, link = links.pair(d, { dials = { closed = true, farewell = three }, answers = answers })
    e.dead = true
    third:start()
    for n, frame in ipairs(b.sent) do
      link:send(2, { kind = frame.kind, payload = frame.payload, encrypted = frame.encrypted, key = b.tx, number = n - 2 })
      third:receive()
    end
    assert.equal("failed", third.outcome)
    assert.same({}, third.acked)
    assert.is_true(second.rx == c.tx and second.outcome ~= "failed")
  end)

  it("P3.8 ends at once where there is nothing left to say", function()
    local a, b = run(links.discussion(2), { dials = { closed = true, farewell = {} } })
    assert.equal("told", a.outcome)
    assert.equal("lost", b.outcome)
    a, b = run(links.discussion(2), { answers = { closed = true, farewell = {} } })
    assert.equal("told", b.outcome)
    assert.equal("lost", a.outcome)
  end)

  it("P3.8 delivers a farewell also across epochs", function()
    local d, later = links.discussion(2), links.discussion(2, { epoch = 3 })
    local a, b = run(d, { dials = { closed = true, farewell = three, roster = later.roster } })
    assert.equal("told", a.outcome)
    assert.same(three, b.delivered)
  end)

  it("P2.12 gives no farewell to who cannot prove to be the other member", function()
    local d = links.discussion(3)
    local a = run(d, {
      dials = { closed = true, farewell = three }, answers = { forge_signer = d.members[3].key.fingerprint },
    })
    assert.equal("failed", a.outcome)
    assert.equal(0, a:times("send_farewell"))
  end)

  it("P2.12 takes no farewell, and no acknowledgement, from who does not know the discussion", function()
    local d = links.discussion(2)
    local stranger = ("x"):rep(32)
    -- at A: an answer from a stranger, whose frames do not open under the keys
    local a, b = links.pair(d)
    a:start()
    b.machine:free()
    a:step { type = "frame", kind = 1, payload = ('{"v":1,"type":"link-answer","nonce":"%s","key":"%s"}'):format(
      world.base64url(("n"):rep(32)), world.base64url(("\9"):rep(32))) }
    a:step { type = "frame", kind = 7, payload = "in clear", encrypted = false }
    assert.equal("failed", a.outcome)
    assert.same({}, a.delivered)
    -- at B: the L1 of a stranger is not for this discussion
    a, b = links.pair(d, { dials = { first = stranger }, answers = { closed = true, farewell = three } })
    links.run { a, b }
    assert.equal(0, b:times("send_farewell"))
    assert.equal("failed", b.outcome)
  end)

  it("P3.8 takes payloads only while it hears, and acknowledgements only while it tells", function()
    local ack = '{"v":1,"type":"ack","discussion":"%s","epoch":0,"sender":"%s","sequence":1}'
    local d = links.discussion(2)
    for kind = 1, 6 do
      local a, b = links.pair(d, { dials = { closed = true, farewell = three } })
      links.run({ a, b }, function() return #b.delivered == 1 end)
      b:step { type = "frame", kind = kind, payload = ack:format(d.id, a.person.fingerprint), encrypted = true }
      assert.equal("failed", b.outcome)
    end
    local bad = {
      { 7, "sealed" }, { 1, "{}" }, { 1, ack:format(("0"):rep(32), ("A"):rep(40)) }, { 2, "x" },
      { 1, '{"v":1,"type":"seen","members":[]}' },
    }
    for _, frame in ipairs(bad) do
      local a, b = links.pair(d, { answers = { closed = true, farewell = three } })
      links.run_until({ a, b }, b, "send_farewell")
      b:step { type = "frame", kind = frame[1], payload = frame[2], encrypted = true }
      assert.equal("failed", b.outcome)
    end
  end)

  it("P3.7 passes on what is acknowledged, and what cannot be opened", function()
    local d = links.discussion(2)
    local a, b = links.pair(d, { answers = { closed = true, farewell = three } })
    links.run_until({ a, b }, b, "send_farewell")
    local record = ('{"v":1,"type":"cannot-open","discussion":"%s","epoch":0,"sender":"%s","sequence":8}'):format(d.id,
      b.person.fingerprint)
    b:step { type = "frame", kind = 1, payload = record, encrypted = true }
    assert.same({ record }, b.acked)
    assert.is_nil(b.outcome)
  end)

  it("P3.8 caps a farewell", function()
    local d = links.discussion(2)
    local a, b = links.pair(d, { dials = { closed = true, farewell = { "payload 1" } } })
    links.run({ a, b }, function() return #b.delivered == 1 end)
    b.pending = {}
    for _ = 2, 4096 do b:step { type = "frame", kind = 7, payload = "more", encrypted = true } end
    assert.is_nil(b.outcome)
    assert.equal(4096, #b.delivered)
    b:step { type = "frame", kind = 7, payload = "more", encrypted = true }
    assert.equal("failed", b.outcome)
    assert.equal(4096, #b.delivered)
  end)

  it("P3.8 does not mind that its own proof was not signed where it hears a farewell", function()
    local a, b = links.pair(links.discussion(2), { answers = { closed = true, farewell = three } })
    a:start()
    b:receive()
    a:receive()
    assert.equal(1, a:times("sign"))
    a:receive()
    assert.equal(1, #a.delivered)
    a:step { type = "signed", code = "io" }
    assert.is_nil(a.outcome)
    a:receive()
    assert.equal(2, #a.delivered)
  end)

  it("P2.6 waits 30 seconds for each frame of it", function()
    local a, b = links.pair(links.discussion(2), { dials = { closed = true, farewell = three } })
    a:start()
    assert.equal(30000, a.deadline)
    links.run({ a, b }, function() return #b.delivered == 1 end)
    b.deadline = nil
    b:step { type = "frame", kind = 7, payload = "more", encrypted = true }
    assert.equal(30000, b.deadline)
    b:step { type = "deadline" }
    assert.equal("lost", b.outcome)
    a:step { type = "deadline" }
    assert.equal("lost", a.outcome)
  end)
end)
