-- SPDX-License-Identifier: GPL-3.0-or-later
local world = require "support.joining_world"
local wire = require "support.wire"
local codecs = require "wire.records".codecs

local ann, ben, cid, dan = world.person "ann", world.person "ben", world.person "cid", world.person "dan"
local me = world.person "me"

local function rig(people)
  local d = world.discussion(people or { ann, ben })
  return d, world.candidate(me, ann)
end

-- Invited by ann, and accepted.
local function joined(people)
  local d, c = rig(people)
  c:invited(d:invite())
  c:accepts()
  return d, c
end

-- And admitted: the chain that says so.
local function admitted()
  local d, c = joined()
  d:admit(me, c.sent[1])
  return d:chain(), c
end

local function last_join(c) return c.sent[#c.sent] end

describe("an invitation", function()
  it("asks the person, and nothing is done before the answer", function()
    local d, c = rig()
    c:invited(d:invite())
    assert.equal("invited", c.machine:phase())
    assert.equal(1, c:count "ask")
    assert.equal(1, c:count "keep")
    assert.same({}, c.imports)
    assert.same({}, c.sent)
  end)

  it("is answered with a JOIN that members can check, once the person accepts", function()
    local d, c = joined()
    assert.equal("accepted", c.machine:phase())
    assert.equal(1, #c.sent)
    assert.equal(2, #c.imports)
    assert.equal(d:join(me), last_join(c))
  end)

  it("is sent again at each link, and so is the JOIN: the person is asked once", function()
    local d, c = joined()
    c:invited(d:invite())
    c:step { type = "sponsor_up" }
    assert.equal(3, #c.sent)
    assert.equal(c.sent[1], c.sent[3])
    assert.equal(1, c:count "ask")
    assert.equal(1, c:count "sign_join")
  end)

  it("is taken up again after a restart, accepted or not", function()
    local d, c = rig()
    c:step { type = "restore", invite = d:invite() }
    assert.equal("invited", c.machine:phase())
    c:accepts()
    assert.equal(1, #c.sent)
    local again = world.candidate(me, ann)
    again:step { type = "restore", invite = d:invite(), certificate = me.certificate, general = me.general }
    assert.equal("accepted", again.machine:phase())
    assert.equal(c.sent[1], again.sent[1])
    assert.equal(0, again:count "refused")
  end)

  it("for a later epoch with the same people needs a new JOIN, and no new answer", function()
    local d, c = joined { ann, ben, cid }
    d:decide(assert(codecs.op.encode { kind = "remove", subjects = { { fingerprint = cid.fingerprint } } }), d:rows_with(), cid.fingerprint)
    c:invited(d:invite())
    assert.equal(1, c:count "ask")
    assert.equal(2, #c.sent)
    assert.equal(1, c:count "sign_binding")
    assert.equal(d:join(me), last_join(c))
  end)

  it("is asked about again where somebody has come or gone, or the charter is another", function()
    for _, change in ipairs {
      function(d) d:admit(dan) end, function(d) d:remove(cid) end,
    } do
      local d, c = joined { ann, ben, cid }
      change(d)
      c:invited(d:invite())
      assert.equal("invited", c.machine:phase())
      assert.equal(2, c:count "ask")
      assert.equal(1, #c.sent)
      c:accepts()
      assert.equal(2, #c.sent)
      assert.equal(d:join(me), last_join(c))
    end
  end)

  it("that is older than the one at hand changes nothing", function()
    local d, c = rig { ann, ben, cid }
    local old = d:invite()
    d:remove(cid)
    c:invited(d:invite())
    c:invited(old)
    c:accepts()
    assert.equal(d:join(me), last_join(c))
    assert.equal(1, c:count "ask")
  end)

  it("ends when the sponsor says that it stands no more, and only that one", function()
    local d, c = joined()
    c:step { type = "withdrawn", time_ms = 999 }
    assert.equal("accepted", c.machine:phase())
    c:step { type = "withdrawn", time_ms = 1000 }
    assert.equal("over", c.machine:phase())
    assert.matches("no more", c.refused.why)
    c = world.candidate(me, ann)
    c:invited(d:invite())
    c:step { type = "withdrawn", time_ms = 0 } -- whichever it was
    assert.equal("over", c.machine:phase())
  end)

  it("waits where the own key is locked, and ends where its person declines", function()
    local d, c = rig()
    c.sign_fails = "locked"
    c:invited(d:invite())
    c:accepts()
    assert.equal("accepted", c.machine:phase())
    assert.same({}, c.sent)
    c.sign_fails = nil
    c:step { type = "sponsor_up" }
    assert.equal(1, #c.sent)
    d, c = rig()
    c.sign_fails = "refused"
    c:invited(d:invite())
    c:accepts()
    assert.equal("over", c.machine:phase())
    assert.matches("your key", c.refused.why)
  end)
end)

describe("an invitation that lies", function()
  local function dropped(record, why)
    local c = world.candidate(me, ann)
    c:invited(record)
    assert.equal("waits", c.machine:phase())
    assert.matches(why, c.drop.why)
    assert.equal(0, c:count "ask")
  end
  local function swapped(d, i, certificate)
    local members = {}
    for k, p in ipairs(d:members()) do members[k] = { certificate = k == i and certificate or p.certificate } end
    return members
  end

  it("is dropped with a reason", function()
    local d = rig()
    dropped(d:invite { discussion = ("cd"):rep(16) }, "another discussion")
    dropped(d:invite { charter = "1" }, "charter")
    dropped(d:invite { first = ("\1"):rep(32) }, "begin")
    dropped(d:invite { members = swapped(d, 2, "certificate of eve") }, "certificate")
    dropped(d:invite { members = { { certificate = ann.certificate }, { certificate = ben.certificate },
      { certificate = cid.certificate } } }, "more or fewer")
    dropped(d:invite { roster = "{}" }, "does not hold")
    dropped("{}", "v: must be 1")
    dropped(world.discussion({ ben, cid }):invite(), "no member")
    dropped(world.discussion({ ann, me }):invite(), "member already")
  end)

  it("with another beginning than before changes nothing", function()
    local d, c = joined { ann, ben, cid }
    d:remove(cid)
    c:invited(d:invite { first = ("\1"):rep(32) })
    assert.matches("began otherwise", c.drop.why)
    assert.equal(1, c:count "ask")
  end)

  it("is refused where a certificate has another key than the roster says", function()
    local d, c = rig()
    c.wrong_key = ben.certificate
    c:invited(d:invite())
    c:accepts()
    assert.equal("over", c.machine:phase())
    assert.matches("another key of " .. ben.fingerprint:sub(1, 8), c.refused.why)
    assert.same({}, c.sent)
  end)
end)

describe("P5.4 the chain", function()
  it("leads from R_0 to the first roster that names this core", function()
    local d, c = joined()
    d:admit(me, c.sent[1])
    c:hears(d:chain())
    assert.equal("founded", c.log[#c.log].type)
    local epochs = c.machine:epochs()
    assert.equal(2, #epochs)
    for i, e in ipairs(epochs) do assert.equal(d.epochs[i].roster, e.roster) end
    assert.equal(#d.epochs[1].proof, #epochs[1].proof)
    for _, p in ipairs { ann, ben } do
      local known = c.machine:person(p.hash)
      assert.same({ p.fingerprint, p.general, p.key }, { known.fingerprint, known.general, known.key })
      assert.equal(world.binding(p, "all"), known.binding)
    end
  end)

  it("goes through epochs before the invitation, with who came and went in them", function()
    local d = world.discussion { ann, ben }
    d:admit(cid)
    d:admit(dan)
    d:remove(ben)
    local c = world.candidate(me, ann)
    c:invited(d:invite())
    c:accepts()
    d:admit(me, c.sent[1])
    c:hears(d:chain())
    assert.equal("founded", c.log[#c.log].type)
    assert.equal(5, #c.machine:epochs())
    assert.equal(dan.general, c.machine:person(dan.hash).general)
    -- whoever has gone signed what came before
    assert.equal(ben.general, c.machine:person(ben.hash).general)
  end)

  it("of somebody who was a member before names the old key in its past", function()
    local d = world.discussion { ann, ben, cid }
    d:admit(world.person("me", "my old key"))
    d:remove(world.person("me", "my old key"))
    local c = world.candidate(me, ann)
    c:invited(d:invite())
    c:accepts()
    d:admit(me, c.sent[1])
    c:hears(d:chain())
    assert.equal("founded", c.log[#c.log].type)
  end)

  it("of somebody who was a member before is proven by what that key has said, too", function()
    local d = world.discussion { ann, ben, cid }
    d:admit(world.person("me", "my old key"))
    d:admit(dan) -- by the consent of all four
    d:remove(world.person("me", "my old key"))
    local c = world.candidate(me, ann)
    c:invited(d:invite())
    c:accepts()
    d:admit(me, c.sent[1])
    c:hears(d:chain())
    assert.equal("founded", c.log[#c.log].type)
  end)

  it("is taken from one member at a time, and from the next where that one's link ends", function()
    local chain, c = admitted()
    c:hears({ chain[1], chain[2] }, ann)
    c:hears(chain, ben)
    assert.equal("accepted", c.machine:phase())
    c:step { type = "link_down", member = ann.fingerprint }
    assert.equal(1, c:count "want_chain")
    c:hears(chain, ben)
    assert.equal("founded", c.log[#c.log].type)
  end)

  it("that comes to a stand is asked of the others, and the same member may go on with it", function()
    local chain, c = admitted()
    c:hears { chain[1], chain[2] }
    assert.equal(30000, c.deadline.ms)
    c:step { type = "deadline" }
    assert.equal(1, c:count "want_chain")
    c:hears(chain)
    assert.equal("founded", c.log[#c.log].type)
  end)

  it("waits for the home to have everybody's certificate", function()
    local d = world.discussion { ann, ben }
    d:admit(cid)
    local invite, c = d:invite(), world.candidate(me, ann)
    c:invited(invite)
    c:accepts()
    d:admit(me, c.sent[1])
    local again = world.candidate(me, ann) -- after a restart: of what is imported nothing is known
    again.holds_imports = true
    again:step { type = "restore", invite = invite, certificate = me.certificate, general = me.general }
    again:hears(d:chain())
    assert.equal("accepted", again.machine:phase())
    again:imports_go_on()
    assert.truthy(again.founded) -- and what was asked for before is done in vain
  end)
end)

describe("a chain that lies", function()
  local function refused(change, why)
    local d, c = joined()
    d:admit(me, c.sent[1])
    local chain = change(d:chain(), d, c) or d:chain()
    c:hears(chain)
    assert.equal("accepted", c.machine:phase())
    assert.matches(why, c.drop.why)
    assert.equal(1, c:count "want_chain")
    -- who lied is heard no more; another leads on
    local checks = c.checks
    c:hears(d:chain())
    assert.equal(checks, c.checks)
    c:hears(d:chain(), ben)
    assert.equal("founded", c.log[#c.log].type)
  end
  local function forged(envelope) return (envelope:gsub('"sig":"....', '"sig":"AAAA')) end

  it("is dropped, and so is who sent it", function()
    refused(function(l) table.remove(l, 1) return l end, "without its beginning")
    refused(function(l) l[1] = world.discussion({ ann, cid }).founding return l end, "not the one of the invitation")
    refused(function(l) l[2] = forged(l[2]) return l end, "signature")
    refused(function(l) l[#l] = forged(l[#l]) return l end, "signature")
    refused(function(l) l[2] = "{}" return l end, "v: must be 1")
    refused(function(l)
      local other = world.discussion { ann, dan }
      other:admit(me)
      l[2] = other:chain()[2]
      return l
    end, "lacks the end of an epoch")
  end)

  it("with a founder's binding that does not hold is dropped", function()
    refused(function(l)
      local r = assert(codecs.founding.decode(l[1]))
      r.members[2].binding = "something else"
      l[1] = assert(codecs.founding.encode(r))
      return l
    end, "binding")
  end)

  it("that ends too early founds nothing", function()
    local chain, c = admitted()
    table.remove(chain) -- a COMMIT: one is not enough
    c:hears(chain)
    assert.equal("accepted", c.machine:phase())
    assert.equal(0, c:count "drop")
  end)

  it("of another discussion, or that admits somebody with another's JOIN, is dropped", function()
    local d, c = joined()
    local eve = world.person("me", "eve's key") -- the sponsor swaps the candidate's key
    d:admit(eve, world.envelope("join", assert(codecs.join.encode {
      discussion = world.id, author = me.fingerprint, roster = d.hash, charter = wire.hash "all", certificate = eve.certificate,
      binding = "no binding of mine", general = me.general,
      presence = { record = "here", certification = "certified", signature = ("\0"):rep(64) },
    }), eve.certificate))
    c:hears(d:chain())
    assert.equal("accepted", c.machine:phase())
    assert.matches("signature", c.drop.why)
  end)

  it("costs a bounded number of checks", function()
    local d, c = joined()
    local flood = {}
    for i = 1, 2000 do
      flood[i] = d:say(ann, { type = "vote", round = i, value = ("\2"):rep(32) })
    end
    c:hears { d.founding }
    c:hears(flood)
    assert.matches("more statements of an epoch", c.drop.why)
    assert.is_true(c.checks < 40, "checks: " .. c.checks)
  end)

  it("holds a bounded number of statements that wait", function()
    local d, c = rig()
    c.holds_imports = true
    c:invited(d:invite())
    c:accepts()
    c:hears { d.founding }
    local other = world.discussion { ann, dan }
    local one = other:say(ann, { type = "vote", round = 1, value = ("\2"):rep(32) })
    for n = 1, 1024 do
      assert.equal(n > 256, c.machine:is_full()) -- links are paused long before
      c:hears { one }
    end
    assert.is_nil(c.drop)
    c:hears { one }
    assert.matches("at once", c.drop.why)
    assert.is_false(c.machine:is_full())
  end)
end)

describe("a chain against the invitation", function()
  it("is refused where the invitation's epoch had another roster", function()
    local d = world.discussion { ann, ben, cid }
    local lie = world.discussion { ann, ben, cid }
    lie:admit(dan)
    local c = world.candidate(me, ann)
    c:invited(lie:invite())
    c:accepts()
    d:remove(cid)
    c:hears(d:chain())
    assert.equal("over", c.machine:phase())
    assert.matches("does not contain the roster of the invitation", c.refused.why)
  end)

  it("is refused where it names this core with another key after the invitation", function()
    local d, c = joined()
    local other = world.person("me", "my other key")
    d:admit(other)
    c:hears(d:chain())
    assert.equal("over", c.machine:phase())
    assert.matches("not the one you joined with", c.refused.why)
  end)

  it("is refused where the beginning that the invitation names is another discussion's", function()
    local id = world.id
    world.id = ("cd"):rep(16)
    local other = world.discussion { ann, ben }
    world.id = id
    local d = world.discussion { ann, ben }
    d:admit(cid)
    local c = world.candidate(me, ann)
    c:invited(d:invite { first = other.first })
    c:accepts()
    c:hears { other.founding }
    assert.equal("over", c.machine:phase())
    assert.matches("another discussion than it says", c.refused.why)
  end)
end)
