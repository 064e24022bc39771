-- SPDX-License-Identifier: GPL-3.0-or-later
-- Somebody is invited into a discussion of others, and joins it (§5, 1; P5.4): with whatever goes wrong on the way.
local cores = require "support.cores"
local group = require "support.group"
local sys = require "sotto.sys"

local ann, ben, cid, id, between

local function three()
  ann, ben, cid = cores.person "ann", cores.person "ben", cores.person "cid"
  cores.meet(ann, ben)
  cores.meet(ann, cid)
  id = cores.open_between(ann, ben)
  between = cores.open_between(ann, cid, "another password that is long")
end

local function consents(who, reason)
  who:call("proposals.answer", { proposal = group.asked(who, id).id, answer = "consent", reason = reason })
end

describe("an invitation", function()
  before_each(three)
  after_each(cores.clean)

  it("§5, 1 shows whom one joins, and the first message reaches both", function()
    cores.talk(id, ann, ben)
    local made, seen = group.invite(id, ann, cid)
    assert.are.equal(ann.fingerprint, seen.sponsor)
    assert.are.equal("all", seen.charter)
    local names = {}
    for _, m in ipairs(seen.members) do names[m.fingerprint] = m.name end
    assert.are.same({ [ann.fingerprint] = "ann", [ben.fingerprint] = "ben" }, names)
    assert.are.equal(ann:discussion(id).words, seen.words_of_members)
    -- nobody is asked before the candidate has answered
    assert.are.same({ cid.fingerprint }, made.waiting_for)
    assert.are.same({ cid.fingerprint }, made.subjects)
    assert.are.same({}, ben:call("proposals.list", { discussion = id }))
    assert.are.equal("opening", cid:call("discussions.accept", { discussion = id }).state)
    local asked = group.asked(ben, id)
    assert.are.same({ "admit", ann.fingerprint }, { asked.op, asked.proposer })
    assert.are.same({ ben.fingerprint }, asked.waiting_for)
    -- of whom ben has never heard before
    cores.ask("ben reads a name", function()
      for _, peer in ipairs(ben:call "peers.list") do
        if peer.fingerprint == cid.fingerprint then return peer.name == "cid" and peer.proven end
      end
    end)
    -- until then messages go on
    cores.talk(id, ann, ben)
    local before = {}
    for _, m in ipairs(ann:messages(id)) do before[m.id] = true end
    consents(ben, "a friend")
    local found = group.agree(id, { ann, ben, cid })
    assert.are.equal(1, found.epoch)
    cid:event("discussion.opened", { id = id })
    group.ends(ann, made.id, "committed")
    group.say(id, cid, { ann, ben })
    group.say(id, ann, { ben, cid })
    group.say(id, ben, { ann, cid })
    -- nothing of what was said before
    assert.is_truthy(next(before))
    for _, m in ipairs(cid:messages(id)) do assert.is_nil(before[m.id]) end
    -- and again after a restart
    cid:restart()
    group.agree(id, { ann, ben, cid })
    group.say(id, cid, { ann, ben })
  end)

  it("is declined, with the reason that nobody else sees first", function()
    local made = group.invite(id, ann, cid)
    assert.are.equal("refused", cid:call("discussions.refuse", { discussion = id, reason = "no time for that" }).state)
    local ended = group.ends(ann, made.id, "refused")
    assert.are.same({}, ended.waiting_for)
    assert.are.same({ { member = cid.fingerprint, answer = "refuse", reason = "no time for that", by = "person" } }, ended.answers)
    assert.are.same({}, ben:call("proposals.list", { discussion = id }))
    assert.are.equal(0, ann:discussion(id).epoch)
    -- who has said no is told also where nothing is said of why
    made = group.invite(id, ann, cid)
    cid:call("discussions.refuse", { discussion = id })
    ended = group.ends(ann, made.id, "refused")
    assert.are.same({ { member = cid.fingerprint, answer = "refuse", reason = "", by = "person" } }, ended.answers)
    -- whoever has declined may be asked once more, and say yes
    group.admit(id, ann, cid, { ben })
    group.say(id, cid, { ann, ben })
  end)

  it("ends for the candidate when a member refuses, and the sponsor sees why", function()
    local made = group.join(id, ann, cid)
    ben:call("proposals.answer", { proposal = group.asked(ben, id).id, answer = "refuse", reason = "who is that" })
    local ended = group.ends(ann, made.id, "refused")
    local said = {}
    for _, a in ipairs(ended.answers) do said[a.member] = a.answer .. ": " .. a.reason end
    assert.are.equal("refuse: who is that", said[ben.fingerprint])
    assert.are.equal("refused", cores.state(cid, id, "refused").reason)
    cores.ask("cid's key for it is gone", function() return #cid:homes() == 3 end)
    cores.talk(id, ann, ben)
  end)

  it("of another member at the same time is answered: one is enough", function()
    cores.meet(ben, cid)
    cores.open_between(ben, cid, "a third password that is long")
    group.invite(id, ann, cid)
    local made = ben:call("proposals.create", { discussion = id, op = "admit", peer = cid.fingerprint })
    local ended = group.ends(ben, made.id, "refused")
    assert.are.equal("is invited into that discussion by another member", ended.answers[1].reason)
    assert.are.equal(ann.fingerprint, cores.state(cid, id, "requested").sponsor)
    cid:call("discussions.accept", { discussion = id })
    consents(ben)
    group.agree(id, { ann, ben, cid })
  end)

  it("P1.8 that comes ever anew asks a person a few times, and then no oftener than every 5 s", function()
    local began = sys.monotonic_ms()
    for _ = 1, 6 do
      local made = group.invite(id, ann, cid)
      assert.are.equal("refused", cid:call("discussions.refuse", { discussion = id }).state)
      group.ends(ann, made.id, "refused")
    end
    group.invite(id, ann, cid)
    assert.is_true(sys.monotonic_ms() - began >= 2 * 5000 - 100)
  end)

  it("is an error where it cannot be", function()
    local function fails(who, name, params)
      params.discussion, params.op = params.discussion or id, "admit"
      return who:fails(name, "proposals.create", params)
    end
    fails(ben, "not_found", { peer = cid.fingerprint }) -- ben does not know cid
    cores.meet(ben, cid)
    fails(ben, "wrong_state", { peer = cid.fingerprint }) -- and has no discussion with it
    fails(ann, "bad_params", { peer = ben.fingerprint })
    fails(ann, "bad_params", { peer = ann.fingerprint })
    fails(ann, "bad_params", {})
    group.invite(id, ann, cid)
    fails(ann, "bad_params", { peer = cid.fingerprint }) -- twice
    cid:fails("bad_params", "discussions.accept", { discussion = id, password = "what for" })
    cid:call("discussions.accept", { discussion = id })
    consents(ben)
    group.agree(id, { ann, ben, cid })
    fails(ann, "bad_params", { peer = cid.fingerprint }) -- a member by now
  end)
end)

describe("an admission that is interrupted", function()
  before_each(three)
  after_each(cores.clean)

  it("goes on when the candidate's core was killed, asked or joined", function()
    group.invite(id, ann, cid)
    cid:kill()
    cid:start()
    assert.are.equal(ann.fingerprint, cores.state(cid, id, "requested").sponsor)
    cid:call("discussions.accept", { discussion = id })
    local proposal = group.asked(ben, id)
    cid:kill()
    ben:call("proposals.answer", { proposal = proposal.id, answer = "consent" })
    cores.ask("the members have it", function() return #ann:discussion(id).members == 3 and #ben:discussion(id).members == 3 end)
    cid:start()
    group.agree(id, { ann, ben, cid })
    group.say(id, cid, { ann, ben })
  end)

  it("goes on when the sponsor's core was killed, before and after the JOIN", function()
    local made = group.invite(id, ann, cid)
    ann:kill()
    cid:call("discussions.accept", { discussion = id })
    ann:start()
    local proposal = group.asked(ben, id)
    ann:kill()
    ben:call("proposals.answer", { proposal = proposal.id, answer = "consent" })
    ann:start()
    group.agree(id, { ann, ben, cid })
    group.ends(ann, made.id, "committed")
    group.say(id, cid, { ann, ben })
  end)

  it("is brought to its end by another member where the sponsor has gone", function()
    group.join(id, ann, cid)
    local proposal = group.asked(ben, id)
    cid:kill() -- so that nobody can bring it in at once
    ben:call("proposals.answer", { proposal = proposal.id, answer = "consent" })
    cores.ask("the members have it", function() return #ann:discussion(id).members == 3 and #ben:discussion(id).members == 3 end)
    ann:kill()
    cid:start()
    cores.state(cid, id, "open")
    group.say(id, cid, { ben })
    group.say(id, ben, { cid })
    ann:start()
    group.agree(id, { ann, ben, cid })
    group.say(id, cid, { ann, ben })
  end)

  it("ends at a candidate that was away when a member refused, once it is back", function()
    group.join(id, ann, cid)
    local proposal = group.asked(ben, id)
    cid:kill()
    ben:call("proposals.answer", { proposal = proposal.id, answer = "refuse" })
    cores.ask("ann has heard", function() return ann:call("proposals.list", { discussion = id })[1].state == "refused" end)
    cid:start()
    assert.are.equal("refused", cores.state(cid, id, "refused").reason)
  end)

  it("waits for a candidate whose key is locked", function()
    local eve = cores.person("eve", { passphrase = "quite a long passphrase" })
    cores.meet(ann, eve)
    cores.open_between(ann, eve, "a password for the two of us")
    group.join(id, ann, eve)
    local proposal = group.asked(ben, id)
    eve:call "identity.lock"
    ben:call("proposals.answer", { proposal = proposal.id, answer = "consent" })
    cores.ask("the members have it", function() return #ann:discussion(id).members == 3 and #ben:discussion(id).members == 3 end)
    assert.are.equal("opening", eve:discussion(id).state)
    eve:call("identity.unlock", { passphrase = "quite a long passphrase" })
    group.agree(id, { ann, ben, eve })
    group.say(id, eve, { ann, ben })
  end)

  it("stands where the discussion of two has closed after the JOIN", function()
    group.join(id, ann, cid)
    local proposal = group.asked(ben, id)
    ann:call("discussions.close", { discussion = between })
    cores.state(cid, between, "closed")
    ben:call("proposals.answer", { proposal = proposal.id, answer = "consent" })
    group.agree(id, { ann, ben, cid })
  end)
end)

describe("an invitation into another epoch", function()
  after_each(cores.clean)

  it("needs no new answer with the same people, and one with others", function()
    three()
    local dan = cores.person "dan"
    cores.meet(ann, dan)
    cores.open_between(ann, dan, "a third password that is long")
    group.invite(id, ann, dan)
    group.invite(id, ann, cid)
    -- dan is in before cid has answered: cid sees it
    dan:call("discussions.accept", { discussion = id })
    consents(ben)
    group.agree(id, { ann, ben, dan })
    cores.ask("cid sees dan in the invitation", function() return #cid:discussion(id).members == 3 end)
    cid:call("discussions.accept", { discussion = id })
    for _, who in ipairs { ben, dan } do consents(who) end
    group.agree(id, { ann, ben, cid, dan })
    group.say(id, cid, { ann, ben, dan })
    group.say(id, dan, { ann, ben, cid })
  end)
end)
