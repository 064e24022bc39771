-- SPDX-License-Identifier: GPL-3.0-or-later
-- Proposals that come in, scripts that are asked and answers that go out, over an engine and scripts that are tables.
local admissions = require "sotto.core.admissions"
local json = require "sotto.json"
local loop = require "sotto.loop"
local turns = require "support.turns"

local ME, ADA, BOB, CARL = ("00"):rep(20), ("A1"):rep(20), ("B0"):rep(20), ("C4"):rep(20)
local ROOM = ("d"):rep(32)

describe("admissions", function()
  local engine, scripts, open, subject, asked

  local function proposal(more)
    local out = {
      id = "p1", discussion = ROOM, op = "admit", state = "open", proposer = ADA, subjects = { CARL },
      candidate = { fingerprint = CARL, name = "carl" }, answers = {},
    }
    for key, value in pairs(more or {}) do out[key] = value end
    return out
  end

  before_each(function()
    open, asked = {}, {}
    engine = { answers = {}, peers = {}, failing = nil }
    function engine:call(method, params, answer)
      if method == "system.info" then return json.encode { fingerprint = ME } end
      if method == "proposals.list" then return json.encode(json.array(open)) end
      if method == "proposals.show" then return json.encode(proposal { id = params.proposal, op = self.op }) end
      if method == "discussions.show" then
        return json.encode { id = params.discussion, epoch = 2, charter = "all", members = {
          { fingerprint = ME, you = true }, { fingerprint = ADA }, { fingerprint = BOB },
        } }
      end
      if method == "peers.show" then
        if self.peers[params.peer] then return json.encode(self.peers[params.peer]) end
        return nil, "there is no such peer", "not_found"
      end
      self.answers[#self.answers + 1] = params
      if self.later then
        self.later = answer
        return false
      end
      if self.failing then return nil, "no", self.failing end
      return "{}"
    end
    scripts = { settling = false, says = {}, logged = {} }
    function scripts:is_settling() return self.settling end
    function scripts:opinions(request, done)
      asked[#asked + 1] = request
      loop.defer(function() done(self.says) end)
    end
    function scripts.find(_, name) return name == "door" and { name = name } or nil end
    function scripts:log(entry, _, text) table.insert(self.logged, entry.name .. ": " .. text) end
    subject = admissions.new(engine, scripts)
    subject:open()
  end)
  after_each(function() subject:close() end)

  local function says(answer, more)
    local one = { script = "door", answer = answer, reason = "so it is", priority = 0 }
    for key, value in pairs(more or {}) do one[key] = value end
    scripts.says = { one }
  end
  local function tell(more)
    subject:hear(json.encode(proposal(more)))
    turns.settle()
    turns.settle()
  end

  it("ask with all that is known, and answer as a policy with its reason", function()
    engine.peers[CARL] = { fingerprint = CARL, name = "carl", verified = true }
    says "consent"
    tell { answers = { { member = BOB, answer = "consent" } } }
    local request = asked[1]
    assert.are.equal(CARL, request.candidate.fingerprint)
    assert.is_true(request.candidate.verified)
    assert.are.same({ ADA, ROOM, "all", 2, "p1" },
      { request.sponsor, request.discussion, request.charter, request.epoch, request.proposal })
    assert.are.equal(3, #request.members)
    assert.are.same({ ADA, BOB }, { table.unpack(request.vouched_by) })
    assert.is_true(math.type(request.time) == "integer" and request.dry_run == nil)
    assert.are.same({ { proposal = "p1", answer = "consent", reason = "so it is", by = "policy" } }, engine.answers)
    assert.are.same({ ("door: consent for C4C4C4C4 in %s: so it is"):format(ROOM:sub(1, 8)) }, scripts.logged)
    tell { answers = { { member = ADA, answer = "consent" }, { member = BOB, answer = "consent" } } }
    assert.are.same({ 1, 1 }, { #engine.answers, #asked })
  end)

  it("know a stranger by what the proposal says, and it is verified by nobody here", function()
    tell()
    assert.are.equal("carl", asked[1].candidate.name)
    assert.is_false(asked[1].candidate.verified)
    assert.are.same({}, engine.answers)
  end)

  it("say nothing of what oneself has proposed, or of removals", function()
    says "consent"
    tell { proposer = ME }
    tell { op = "remove" }
    assert.are.same({}, asked)
  end)

  it("ask about what was open before the core's start", function()
    open = { proposal() }
    says "refuse"
    subject:open()
    turns.wait_for("an answer", function() return engine.answers[1] end)
    assert.are.equal("refuse", engine.answers[1].answer)
  end)

  it("ask nobody while scripts are being started: one of them may refuse", function()
    scripts.settling = true
    says "consent"
    tell()
    assert.are.same({}, asked)
    scripts.settling = false
    says "refuse"
    turns.wait_for("an answer", function() return engine.answers[1] end)
    assert.are.equal("refuse", engine.answers[1].answer)
  end)

  it("ask again at the time that was said, and when other policies run", function()
    says("later", { time = 1 })
    tell()
    assert.are.same({}, engine.answers)
    says "consent"
    turns.wait_for("an answer", function() return engine.answers[1] end)
    assert.are.equal(2, #asked)
    scripts.says = {}
    tell { id = "p2" }
    says "consent"
    subject:policies_changed()
    turns.wait_for("another", function() return engine.answers[2] end)
    assert.are.equal("p2", engine.answers[2].proposal)
  end)

  it("do not answer twice while an answer is being signed", function()
    engine.later = true
    says "consent"
    tell()
    tell { answers = { { member = BOB, answer = "consent" } } }
    assert.are.equal(1, #engine.answers)
    engine.later(nil, "the key is locked", "locked")
    turns.wait_for("they are asked once more", function() return asked[2] end)
    assert.are.same({}, scripts.logged)
  end)

  it("let an answer that came too late be", function()
    engine.failing = "wrong_state"
    says "consent"
    tell()
    subject:policies_changed()
    turns.settle()
    assert.are.equal(1, #asked)
    assert.are.same({}, scripts.logged)
  end)

  it("explain what would be said, and say nothing", function()
    says "consent"
    local got
    admissions.explain(engine, scripts, "p1", function(...) got = table.pack(...) end)
    turns.settle()
    assert.is_true(asked[1].dry_run)
    assert.are.same({ answer = "consent", script = "door", reason = "so it is" }, got[1].verdict)
    assert.are.same({}, engine.answers)
    engine.op = "charter"
    admissions.explain(engine, scripts, "p1", function(...) got = table.pack(...) end)
    assert.are.equal("wrong_state", got[3])
  end)
end)
