-- SPDX-License-Identifier: GPL-3.0-or-later
-- The smallest change that members order (§5): two agree on another charter, and go on in the next epoch.
local cores = require "support.cores"

local alice, bob, id

local function epoch_at(who, epoch)
  return cores.ask(("%s: epoch %d"):format(who.name, epoch), function()
    local found = who:discussion(id)
    return found.epoch == epoch and found
  end)
end

local function same(epoch)
  local a, b = epoch_at(alice, epoch), epoch_at(bob, epoch)
  assert.are.equal(a.words, b.words)
  assert.are.equal(a.roster_hash, b.roster_hash)
  assert.are.equal(a.charter, b.charter)
  return a
end

local function open_at(who)
  return cores.ask(who.name .. ": an open proposal", function()
    for _, p in ipairs(who:call("proposals.list", { discussion = id })) do
      if p.state == "open" then return p end
    end
  end)
end

local function change(from, to, charter)
  from:call("proposals.create", { discussion = id, op = "charter", charter = charter })
  return to:call("proposals.answer", { proposal = open_at(to).id, answer = "consent" })
end

describe("a charter", function()
  before_each(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
  end)
  after_each(cores.clean)

  it("§5 is changed by two who agree, and messages go on", function()
    cores.talk(id, alice, bob)
    local before = same(0)
    local made = alice:call("proposals.create", { discussion = id, op = "charter", charter = "1" })
    assert.are.equal("open", made.state)
    assert.are.equal("charter", made.op)
    assert.are.equal("1", made.charter)
    local asked = bob:event "proposal.opened"
    assert.are.same({ bob.fingerprint }, asked.waiting_for)
    assert.are.equal(alice.fingerprint, asked.proposer)
    cores.talk(id, alice, bob)
    bob:call("proposals.answer", { proposal = asked.id, answer = "consent", reason = "fine" })
    local after = same(1)
    assert.are.equal("1", after.charter)
    assert.are_not.equal(before.words, after.words)
    for _, who in ipairs { alice, bob } do
      local _, event = who:event "epoch.changed"
      assert.are.same({ id, 1 }, { event.discussion.id, event.discussion.epoch })
    end
    local done = alice:event "proposal.committed"
    assert.are.equal(made.id, done.id)
    assert.are.equal(2, #done.answers)
    cores.talk(id, alice, bob)
    cores.talk(id, bob, alice)
    -- and back again
    change(bob, alice, "all")
    assert.are.equal("all", same(2).charter)
    cores.talk(id, alice, bob)
  end)

  it("§5, 4 holds nothing that two wrote meanwhile, and loses nothing", function()
    change(alice, bob, "2")
    local wanted = {}
    -- while the machines are at work, and after it
    for n = 1, 30 do
      local text = ("message %d"):format(n)
      alice:send(id, text)
      wanted[n] = text
    end
    same(1)
    cores.ask("bob has all of it, once and in order", function()
      local got = {}
      for _, m in ipairs(bob:call("messages.list", { discussion = id, limit = 1000 })) do got[#got + 1] = m.text end
      return #got == #wanted and table.concat(got, "\n") == table.concat(wanted, "\n")
    end)
  end)

  it("§5, 4 and 6: whoever is killed in the middle, it ends the same for both", function()
    for round, victims in ipairs { { alice }, { bob }, { alice, bob }, { bob, alice } } do
      change(alice, bob, tostring(round % 2 + 1))
      for _, who in ipairs(victims) do who:kill() end
      for _, who in ipairs(victims) do who:start() end
      same(round)
      cores.talk(id, alice, bob)
    end
  end)

  it("§5, 3 is refused by one, and proposed once only", function()
    alice:call("proposals.create", { discussion = id, op = "charter", charter = "1" })
    assert.are.equal("wrong_state", (alice:fails("proposals.create", { discussion = id, op = "charter", charter = "1" })))
    local refused = bob:call("proposals.answer", { proposal = open_at(bob).id, answer = "refuse", reason = "not today" })
    assert.are.equal("not today", refused.answers[#refused.answers].reason)
    local told = alice:event "proposal.refused"
    assert.are.equal("refused", told.state)
    for _, answer in ipairs(told.answers) do
      assert.are.equal(answer.member == bob.fingerprint and "not today" or "", answer.reason)
    end
    assert.are.equal("wrong_state", (bob:fails("proposals.answer", { proposal = refused.id, answer = "consent" })))
    assert.are.equal(0, same(0).epoch)
  end)

  it("§5, 2 is never one that nobody can meet, and two are not fewer", function()
    for _, bad in ipairs {
      { op = "charter", charter = "3" }, { op = "charter", charter = "0" }, { op = "charter", charter = "all" },
      { op = "charter" }, { op = "remove", peer = bob.fingerprint }, { op = "remove", peer = alice.fingerprint },
    } do
      bad.discussion = id
      assert.are.equal("bad_params", (alice:fails("proposals.create", bad)))
    end
    assert.are.equal(0, #alice:call("proposals.list", { discussion = id }))
    for k = 1, 2 do alice:call("proposals.create", { discussion = id, op = "charter", charter = tostring(k) }) end
    assert.are.equal(2, #alice:call("proposals.list", { discussion = id }))
  end)
end)
