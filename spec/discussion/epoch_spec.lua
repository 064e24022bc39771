-- SPDX-License-Identifier: GPL-3.0-or-later
-- Consent to what is proposed (§5, 2 and 3), and who leaves. How it is put in order: epoch_order_spec.lua.
local C = require "support.epoch_case"
local epoch = require "support.epoch"
local roster = require "support.roster"

local function members_of(bytes)
  local list = {}
  for i, m in ipairs(assert(roster.decode(bytes)).members) do list[i] = tonumber(m.fingerprint, 16) - 0xA000 end
  return list
end

describe("epoch: n, f and q", function()
  it("P5 (table): f may lie, q decide, and two quorums share one who does not lie", function()
    local expected = { [2] = { 0, 2 }, [3] = { 0, 2 }, [4] = { 1, 3 }, [5] = { 1, 4 }, [6] = { 1, 4 }, [7] = { 2, 5 }, [8] = { 2, 6 },
      [9] = { 2, 6 }, [10] = { 3, 7 }, [16] = { 5, 11 }, [32] = { 10, 22 }, [64] = { 21, 43 } }
    for n = 2, 64 do
      local f, q = epoch.quorum(n)
      if expected[n] then assert.are.same(expected[n], { f, q }) end
      assert.is_true(2 * q - n > f)
      assert.is_true(q <= n - f)
    end
  end)
end)

describe("epoch: consent", function()
  it("under `all` an admission waits for everybody, and ends with the newcomer last", function()
    local c, op = C.new(3), C.admit(9)
    c:propose(2, op)
    assert.are.same({ needs = 3, "asked", "consents", "asked" }, c.machines[1]:op(C.name(op)))
    assert.is_nil(c:last(2, "ask"))
    assert.are.equal(C.name(op), c:last(1, "ask").op)
    c:answer(1, op, true)
    assert.is_false(c.machines[2]:state().frozen)
    c:answer(3, op, true)
    for i = 1, 3 do
      local d = assert(c:last(i, "decided"), "member " .. i)
      assert.are.same({ 1, 2, 3, 9 }, members_of(d.next))
      assert.are.equal(1, roster.decode(d.next).epoch)
      assert.are.equal(c.hash, roster.decode(d.next).previous)
      assert.is_true(c.machines[i]:state().over)
    end
  end)

  it("under `k` nobody waits for the rest", function()
    local c, op = C.new(4, "2"), C.admit(9)
    c:propose(1, op):answer(2, op, true)
    assert.is_truthy(c:last(4, "decided"))
  end)

  it("one refusal ends it where the charter can no longer be met; its reason is told", function()
    local c, op = C.new(3), C.admit(9)
    c:propose(1, op):answer(2, op, false, "I do not know that one")
    for i = 1, 3 do assert.are.equal("refused", c:last(i, "tell").state) end
    assert.are.equal("refuses", c.machines[3]:op(C.name(op))[2])
    c:answer(3, op, true)
    assert.is_nil(c:last(3, "decided"))
    assert.is_false(c.machines[1]:state().frozen)
  end)

  it("a member answers an op once, also after a restart", function()
    local c, op = C.new(3), C.admit(9)
    c:propose(1, op):answer(2, op, true):answer(2, op, false)
    assert.are.equal("wrong_state", c:last(2, "rejected").code)
    c:restart(2):answer(2, op, false)
    assert.are.equal("wrong_state", c:last(2, "rejected").code)
    assert.are.equal("", c:signed(2))
  end)

  it("the same op proposed by two is one, and both consent", function()
    local c, op = C.new(2), C.admit(9)
    c.cut[1] = true
    c:propose(1, op):propose(2, op)
    c.cut[1] = nil
    c:link(1, 2)
    assert.is_truthy(c:last(1, "decided"))
    assert.is_nil(c:last(1, "ask"))
  end)

  it("a removal asks all but those who are to go", function()
    local c, op = C.new(4), C.remove(4)
    c:propose(1, op)
    assert.are.same({ needs = 3, "consents", "asked", "asked" }, c.machines[2]:op(C.name(op)))
    c:answer(4, op, false)
    assert.are.equal("wrong_state", c:last(4, "rejected").code)
    c:answer(2, op, true):answer(3, op, true)
    assert.are.same({ 1, 2, 3 }, members_of(c:last(4, "decided").next))
  end)

  it("what cannot be is rejected, with its reason, and nothing is signed", function()
    local many = C.new(7)
    local cases = {
      { C.new(3), 1, C.admit(2), "a member" }, { C.new(3), 1, C.remove(9), "no member" },
      { C.new(2), 1, C.remove(2), "close the discussion" }, { C.new(3), 1, C.remove(1), "oneself" },
      { C.new(4), 1, C.remove(2, 3), "so many cannot go" }, { C.new(3), 1, C.charter "4", "more consents than there are members" },
      { C.new(3), 1, C.charter "all", "that is the charter already" }, { C.new(3), 1, "{}", "" },
    }
    for _, case in ipairs(cases) do
      local c, i, op, why = table.unpack(case)
      c:propose(i, op)
      local r = assert(c:last(i, "rejected"), why)
      assert.are.equal(7, r.ticket)
      assert.is_truthy(r.why:find(why, 1, true), r.why)
      assert.are.equal("", c:signed(i))
    end
    many:propose(1, C.remove(2, 3)) -- n - q = 2
    assert.is_nil(many:last(1, "rejected"))
  end)

  it("of each member four proposals are taken, and no ten thousand", function()
    local c = C.new(3)
    for i = 1, 5 do c:propose(1, C.admit(100 + i)) end
    assert.are.equal("busy", c:last(1, "rejected").code)
    for i = 1, 100 do c:step(2, { type = "statement", envelope = c:statement(3, "propose", { op = C.admit(200 + i) }) }) end
    assert.are.equal(4 + 4, select(2, c:last(2, "ask")))
    assert.is_truthy(c:last(2, "drop").why:find("more proposals", 1, true))
  end)

  -- A liar makes five, and each member has another four of them: what one has begun to order, all can.
  it("a fifth one counts once it has the consents of others, and is forgotten otherwise", function()
    local c, ops = C.new(4, "2"), {}
    for i = 1, 9 do ops[i] = C.admit(300 + i) end
    local function proposes(to, i) c:step(to, { type = "statement", envelope = c:statement(4, "propose", { op = ops[i] }) }) end
    for i = 1, 4 do proposes(1, i) end
    for i = 5, 9 do proposes(1, i) end
    assert.are.equal(4, select(2, c:last(1, "ask")))
    assert.is_nil(c.machines[1]:op(C.name(ops[8])))
    assert.is_table(c.machines[1]:op(C.name(ops[9])))
    proposes(2, 5)
    proposes(3, 5)
    c:answer(2, ops[5], true) -- with its author that is enough for 2 and 3; 1 has never heard of it
    assert.are.same({ false, true, true }, { c.machines[1]:state().frozen, c.machines[2]:state().frozen, c.machines[3]:state().frozen })
    c:deadline(2)
    assert.is_true(c.machines[1]:state().frozen)
    for i = 1, 3 do assert.are.equal(ops[5], assert(c:last(i, "decided"), "member " .. i).op) end
  end)
end)

describe("epoch: who says what", function()
  it("of another roster, by nobody, or in one's own name: dropped", function()
    local c, op = C.new(3), C.admit(9)
    c:propose(1, op)
    local bad = {
      c:statement(2, "consent", { op = C.name(op), consents = true, reason = "", roster = C.name "another discussion" }),
      c:statement(2, "consent", { op = C.name(op), consents = true, reason = "", author = C.fingerprint(77) }),
      c:statement(1, "consent", { op = C.name(op), consents = true, reason = "" }),
      c:statement(2, "status", { round = 0, heads = { { sequence = 0 }, { sequence = 0 } } }),
      "nothing",
    }
    for i, envelope in ipairs(bad) do
      c:step(1, { type = "statement", envelope = envelope })
      assert.are.equal(i, select(2, c:last(1, "drop")))
    end
    assert.are.same({ needs = 3, "consents", "asked", "asked" }, c.machines[1]:op(C.name(op)))
  end)

  it("P5.7 two answers, two STATUSes, two VOTEs of a round: proofs of equivocation, told once", function()
    local value = { C.name "one", C.name "two" }
    local pairs_of = {
      function(c, i) return c:statement(2, "consent", { op = C.name "op", consents = i == 1, reason = "" }) end,
      function(c, i) return c:statement(2, "status", { round = 3, heads = c:heads(i) }) end,
      function(c, i) return c:statement(2, "vote", { round = 0, value = value[i] }) end,
      function(c, i) return c:statement(2, "commit", { round = 5, value = value[i] }) end,
      function(c, i) return c:statement(2, "leave", { heads = c:heads(i) }) end,
    }
    for _, make in ipairs(pairs_of) do
      local c = C.new(4)
      for i = 1, 2 do c:step(1, { type = "statement", envelope = make(c, i) }) end
      local proof, count = c:last(1, "equivocation")
      assert.are.equal(1, count)
      assert.are.equal(2, proof.member)
      assert.are.same({ make(c, 1), make(c, 2) }, { proof.first, proof.second })
      c:step(1, { type = "statement", envelope = make(c, 1) })
      assert.are.equal(1, select(2, c:last(1, "equivocation")))
    end
  end)

  it("a vote for another round, or the same one again, is no proof", function()
    local c = C.new(4)
    for i = 1, 4 do
      local round = i // 3
      c:step(1, { type = "statement", envelope = c:statement(2, "vote", { round = round, value = C.name(tostring(round)) }) })
    end
    assert.is_nil(c:last(1, "equivocation"))
  end)
end)

describe("epoch: leaving", function()
  it("P5.11 asks nobody: it is signed, the key may go, and the others go on", function()
    local c = C.new(4)
    c.said = { 3, 0, 0, 0 }
    c:step(1, { type = "leave" })
    assert.are.equal("leave", c:signed(1))
    assert.is_truthy(c:last(1, "left"))
    c:settle():deadline(2, 3) -- it would have led round 0
    for i = 2, 4 do
      local d = assert(c:last(i, "decided"))
      assert.are.same({ 2, 3, 4 }, members_of(d.next))
      assert.are.equal(3, d.cut[1]) -- its own word on how much it said
    end
    assert.are.equal("leave", c:signed(1)) -- and never a vote
  end)

  it("whoever has left and is back passes its LEAVE on, and says nothing else", function()
    local c = C.new(4)
    c.cut[1] = true
    c:step(1, { type = "leave" }):settle()
    c.cut[1] = nil
    c:restart(1)
    assert.is_truthy(c:last(1, "left"))
    c:link(1, 2):deadline(2):deadline(2, 3) -- 2 passes it on; 1 would have led round 0
    c:propose(1, C.admit(9))
    assert.are.equal("wrong_state", c:last(1, "rejected").code)
    assert.is_truthy(c:last(3, "decided"))
  end)

  it("with fewer than q left nothing is decided, and nobody else is stuck in signing", function()
    local c = C.new(3)
    c:step(1, { type = "leave" }):step(2, { type = "leave" }):settle()
    assert.is_nil(c:last(3, "decided"))
    c:step(3, { type = "leave" })
    assert.is_truthy(c:last(3, "left"))
  end)
end)

describe("epoch: who only follows", function()
  it("says nothing, and decides by the proof alone", function()
    local c, op = C.new(4), C.admit(9)
    c:propose(1, op):answer(2, op, true):answer(3, op, true):answer(4, op, true)
    local d = c:last(2, "decided")
    local follower, log = c:machine(0), {}
    local function step(event)
      for _, a in ipairs(follower:step(event)) do log[#log + 1] = a end
    end
    step { type = "start" }
    for i, envelope in ipairs(d.proof) do
      assert.is_false(follower:state().over, "decided before statement " .. i)
      step { type = "statement", envelope = envelope }
    end
    assert.is_true(follower:state().over)
    for _, a in ipairs(log) do assert.is_nil(({ sign = 1, send = 1, ask = 1, want_heads = 1 })[a.type], a.type) end
    assert.are.equal(d.next, log[#log].next)
    assert.are.equal(d.next_hash, log[#log].next_hash)
  end)

  it("no part of a proof is enough", function()
    local c, op = C.new(4), C.admit(9)
    c:propose(1, op):answer(2, op, true):answer(3, op, true):answer(4, op, true)
    local proof = c:last(2, "decided").proof
    for left_out = 1, #proof do
      local follower = c:machine(0)
      follower:step { type = "start" }
      for i, envelope in ipairs(proof) do
        if i ~= left_out then follower:step { type = "statement", envelope = envelope } end
      end
      assert.is_false(follower:state().over, "without statement " .. left_out)
    end
  end)
end)
