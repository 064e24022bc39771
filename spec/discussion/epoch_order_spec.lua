-- SPDX-License-Identifier: GPL-3.0-or-later
-- Rounds of STATUS, ORDER, VOTE and COMMIT, locks and cuts (§5, 4 to 6).
local C = require "support.epoch_case"
local changes = require "support.wire_changes"

-- All consent to the op, and hear of it; what comes after is heard among those alone that are there.
local function consented(n, op, there, said)
  local c = C.new(n)
  c.said = said
  for i = 1, n do c:step(i, { type = "propose", op = op }) end
  return c:settle(function(s, from, to) return s.type == "propose" or (there[from] and there[to]) end)
end

local function proof_of(c, i) return C.read(c:last(i, "decided").proof[#c:last(i, "decided").proof]) end

describe("epoch: rounds", function()
  it("a member freezes when an op has its consents, and asks how far it and the others are", function()
    local c, op = C.new(3), C.admit(9)
    c:propose(1, op):answer(2, op, true)
    assert.is_false(c.machines[2]:state().frozen)
    c.cut[2] = true
    c:step(2, { type = "statement", envelope = c:statement(3, "consent", { op = C.name(op), consents = true, reason = "" }) })
    assert.is_true(c.machines[2]:state().frozen)
    assert.is_truthy(c:last(2, "want_heads"))
    assert.are.equal("consent, status 0", c:signed(2))
  end)

  it("L1: STATUS, ORDER, VOTE, COMMIT, once each, in round 0", function()
    local c = consented(4, C.admit(9), { true, true, true, true })
    assert.are.equal("propose, status 0, order 0, vote 0, commit 0", c:signed(1))
    for i = 2, 4 do assert.are.equal("propose, status 0, vote 0, commit 0", c:signed(i)) end
  end)

  it("what is signed is on disk before it is sent, one after the other", function()
    local c, op = C.new(2), C.admit(9)
    c.asleep = 1 -- its disk does not answer
    c:propose(1, op)
    assert.are.same({}, c.queue)
    assert.are.equal("propose", c:signed(1))
    c:step(1, { type = "signed", code = "io" })
    assert.are.equal(100, c:last(1, "retry_in").ms)
    c:step(1, { type = "retry" })
    assert.are.equal("propose, propose", c:signed(1))
    assert.are.equal(c.logs[1][1].body, c:last(1, "sign").body)
  end)

  it("the time of a round runs only while q are in it: who is alone does not run ahead of the others", function()
    local c = consented(4, C.admit(9), { true })
    assert.are.equal("propose, status 0", c:signed(1))
    c:deadline(1, 1, 1)
    assert.are.equal(0, c.machines[1]:state().round)
    c:deadline(2, 3) -- they say their STATUSes again: 1, 2 and 3 are in the round
    assert.is_truthy(c:last(1, "decided"))
    assert.are.equal("propose, status 0, order 0, vote 0, commit 0", c:signed(1))
  end)

  it("L3: what one alone has heard, it passes on: nobody stays frozen by himself for want of a new link", function()
    local c, op = C.new(4), C.admit(9)
    c:propose(1, op):answer(3, op, true):answer(4, op, true)
    c:step(2, { type = "answer", op = C.name(op), consents = true, reason = "" })
    c:settle(function(s, _, to) return s.type ~= "consent" or to == 4 end) -- the last word comes to 4 only
    c.cut[2] = true
    assert.are.same({ false, true }, { c.machines[1]:state().frozen, c.machines[4]:state().frozen })
    c:deadline(4)
    for i = 1, 4 do assert.are.equal(i ~= 2, c:last(i, "decided") ~= nil, "member " .. i) end
  end)

  it("L3: without its leader a round ends by time, the next takes longer, and its leader decides", function()
    local c = consented(4, C.admit(9), { [2] = true, [3] = true, [4] = true })
    assert.is_nil(c:last(2, "decided"))
    assert.are.equal(1000, c:last(2, "deadline").ms)
    c:deadline(2)
    assert.are.equal(1, c.machines[2]:state().round)
    assert.are.equal(0, c.machines[3]:state().round) -- one alone is followed by nobody
    c:deadline(3)
    assert.are.equal(1, c.machines[4]:state().round) -- f + 1 are
    assert.are.equal(2000, c:last(4, "deadline").ms)
    for i = 2, 4 do assert.is_truthy(c:last(i, "decided"), "member " .. i) end
    assert.are.equal(1, proof_of(c, 4).round)
  end)

  it("S8: no crash makes a second statement of a kind in a round", function()
    local c = consented(4, C.admit(9), { true, true })
    c:restart(1):restart(2)
    assert.are.equal("", c:signed(1))
    assert.are.equal("", c:signed(2))
    assert.is_true(c.machines[1]:state().frozen)
    c.cut = {}
    c:link(1, 2):link(1, 3):link(1, 4):link(2, 3):link(2, 4):link(3, 4)
    assert.is_truthy(c:last(1, "decided"))
    assert.are.equal("order 0, vote 0, commit 0", c:signed(1))
  end)

  it("who was away gets the end from anybody", function()
    local c = consented(4, C.admit(9), { true, true, true })
    assert.is_truthy(c:last(3, "decided"))
    c.cut = {}
    c:link(4, 2)
    assert.are.equal(c:last(3, "decided").next, c:last(4, "decided").next)
  end)

  it("L2: of two with their consents one is decided, the same for all", function()
    local c = C.new(4)
    local one, two = C.admit(8), C.admit(9)
    for i = 1, 4 do c:step(i, { type = "propose", op = one }):step(i, { type = "propose", op = two }) end
    c:settle()
    for i = 1, 4 do assert.are.equal(c:last(1, "decided").op, c:last(i, "decided").op) end
  end)
end)

describe("epoch: cut", function()
  it("is of each member its own word where that is there, else the most that others have", function()
    -- 4 is away: 1 to 3 say how far they have it
    local c = consented(4, C.admit(9), { true, true, true }, { { 5, 2, 0, 1 }, { 4, 3, 0, 7 }, { 0, 3, 0, 2 }, { 0, 0, 0, 9 } })
    assert.are.same({ 5, 3, 0, 7 }, c:last(1, "decided").cut)
  end)

  it("of an ORDER that cuts otherwise than its STATUSes say nobody votes", function()
    local op = C.admit(9)
    -- 1 leads round 0, and its ORDER is heard by nobody
    local c = consented(4, op, { false, true, true, true })
    local good = changes.order.decode(assert(consented(4, op, { true, true, true, true }):last(1, "sign", "order")).body)
    local states = {}
    for i = 2, 4 do states[#states + 1] = select(2, C.read(c.disks[i][#c.disks[i]])) end
    for i, sequence in ipairs { 1, 0 } do
      c:step(2, { type = "statement", envelope = c:statement(1, "order", { round = 0, op = good.op, consents = good.consents,
        states = states, votes = {}, cut = c:heads(sequence), next = good.next }) })
      assert.are.equal(i == 2, c:signed(2):find "vote" ~= nil)
    end
  end)

  it("of an ORDER without the consents, with too few STATUSes, or by another than the leader, nobody votes", function()
    local op = C.admit(9)
    local good = changes.order.decode(assert(consented(4, op, { true, true, true, true }):last(1, "sign", "order")).body)
    local function votes(change)
      local c = consented(4, op, { false, true, true, true })
      local order = { round = 0, op = good.op, consents = good.consents, states = {}, votes = {}, cut = c:heads(0), next = good.next }
      for i = 2, 4 do order.states[#order.states + 1] = select(2, C.read(c.disks[i][#c.disks[i]])) end
      c:step(2, { type = "statement", envelope = c:statement(change(order) or 1, "order", order) })
      return c:signed(2):find "vote" ~= nil
    end
    assert.is_true(votes(function() end))
    assert.is_false(votes(function(o) table.remove(o.consents) end))
    assert.is_false(votes(function(o) table.remove(o.states) end))
    assert.is_false(votes(function(o) o.states[3] = o.states[2] end))
    assert.is_false(votes(function(o) o.next = o.next:gsub("epoch\":1", "epoch\":2") end))
    assert.is_false(votes(function() return 3 end))
  end)
end)

describe("epoch: lock", function()
  -- 1, 2 and 3 vote in round 0; only 1 hears all of it, commits, and is gone.
  local function locked()
    local c = C.new(4)
    local one, two = C.admit(8), C.admit(9)
    for i = 1, 4 do c:step(i, { type = "propose", op = one }):step(i, { type = "propose", op = two }) end
    c:settle(function(s, _, to) return s.type ~= "commit" and (s.type ~= "vote" or to == 1) end)
    assert.is_truthy(c:signed(1):find "commit 0")
    for i = 2, 4 do assert.is_nil(c:signed(i):find "commit") end
    return c, c:last(1, "sign", "commit")
  end

  it("S1: what one has committed to is ordered again, byte for byte, in the next round", function()
    local c, commit = locked()
    c:deadline(1, 2, 3, 4)
    local value = assert(changes.commit.decode(commit.body)).value
    local order = assert(changes.order.decode(assert(c:last(2, "sign", "order")).body))
    assert.are.equal(1, order.round)
    assert.are.same({ round = 0, value = value }, order.lock)
    for i = 1, 4 do assert.is_truthy(c:last(i, "decided"), "member " .. i) end
    assert.are.equal(value, proof_of(c, 3).value)
  end)

  it("S1: a restart keeps it", function()
    local c = locked()
    c:restart(1)
    c.cut = { [2] = true, [3] = true, [4] = true } -- nobody tells it that the others are back
    c:settle()
    for round = 0, 1 do
      for i = 2, 3 do
        c:step(1, { type = "statement", envelope = c:statement(i, "status", { round = round + 1, heads = c:heads(0) }) })
      end
    end
    local status = assert(changes.status.decode(assert(c:last(1, "sign", "status")).body))
    assert.are.equal(0, status.lock.round)
  end)
end)

describe("epoch: what is needed", function()
  local VALUE = C.name "a value"

  local function vote(c, i, type) return c:statement(i, type or "vote", { round = 0, value = VALUE }) end
  local function hears(c, i, envelope) return c:step(i, { type = "statement", envelope = envelope }) end

  it("of ballots for one value are q of a kind; a second of one member is, as it proves a lie", function()
    local c = C.new(7)
    for i = 2, 6 do
      assert.is_true(c.machines[1]:needs(vote(c, i)))
      hears(c, 1, vote(c, i))
    end
    assert.is_false(c.machines[1]:needs(vote(c, 7)))
    assert.is_true(c.machines[1]:needs(vote(c, 7, "commit")))
    assert.is_true(c.machines[1]:needs(c:statement(7, "vote", { round = 1, value = VALUE })))
    assert.is_true(c.machines[1]:needs(c:statement(7, "vote", { round = 0, value = C.name "another" })))
    hears(c, 1, c:statement(7, "vote", { round = 0, value = C.name "another" }))
    assert.is_true(c.machines[1]:needs(vote(c, 7)))
    hears(c, 1, vote(c, 7))
    assert.are.equal(7, c:last(1, "equivocation").member)
  end)

  it("of STATUSes are q, those with a lock or of another round, and whatever an ORDER names", function()
    local op = C.admit(9)
    -- 1 leads, and hears of 1 to 5; 7 hears of 3 to 7
    local c = consented(7, op, {})
    local function status(i, round, lock)
      return c:statement(i, "status", { round = round or 0, heads = c:heads(0, i), lock = lock })
    end
    for i = 2, 4 do hears(c, 1, status(i)) end
    assert.is_true(c.machines[1]:needs(status(5)))
    hears(c, 1, status(5))
    local order = assert(c:last(1, "sign", "order"))
    assert.is_false(c.machines[1]:needs(status(6)))
    assert.is_true(c.machines[1]:needs(status(6, 1)))
    assert.is_true(c.machines[1]:needs(status(6, 0, { round = 0, value = VALUE })))
    for i = 3, 6 do hears(c, 7, status(i)) end
    assert.is_false(c.machines[7]:needs(status(2)))
    hears(c, 7, C.sign("order", order.body))
    assert.is_true(c.machines[7]:needs(status(2)))
  end)

  it("is enough: who is told of nothing else until it is needed decides as the others do", function()
    for n = 4, 9 do
      local c, spared, later = C.new(n), 0, {}
      for i = 1, n do c:step(i, { type = "propose", op = C.admit(20) }) end
      local function offer(m)
        if c.machines[m.to]:needs(m.envelope) then return true end
        later[#later + 1] = m
        spared = spared + 1
      end
      while #c.queue > 0 do
        local m = table.remove(c.queue, 1)
        if offer(m) then hears(c, m.to, m.envelope) end
        if C.read(m.envelope).type == "order" then
          later, c.queue = {}, table.move(later, 1, #later, #c.queue + 1, c.queue)
        end
      end
      for i = 1, n do assert.are.equal(c:last(1, "decided").next, c:last(i, "decided").next) end
      assert.is_true(spared > 0)
    end
  end)
end)
