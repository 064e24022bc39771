-- SPDX-License-Identifier: GPL-3.0-or-later
local policies = require "sotto.core.policies"

local ME, ADA, BOB, CARL = ("00"):rep(20), ("A1"):rep(20), ("B0"):rep(20), ("C4"):rep(20)

local function proposal(more)
  local out = { id = "p1", op = "admit", state = "open", proposer = ADA, subjects = { CARL }, answers = {} }
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

local function opinion(answer, more)
  local out = { script = answer or "none", answer = answer, reason = "so" }
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

describe("a verdict", function()
  local function of(...) return policies.verdict { ... } end

  it("is the first opinion that there is, that of higher priority first", function()
    assert.are.same({ answer = "refuse", script = "refuse", reason = "so" }, of(opinion(nil), opinion "refuse", opinion "consent"))
    assert.are.equal("consent", of(opinion "refuse", opinion("consent", { priority = 1 })).answer)
    assert.are.equal("refuse", of(opinion("consent", { priority = -1 }), opinion "refuse").answer)
    assert.are.equal("ask", of(opinion "ask", opinion "consent").answer)
    assert.are.equal("later", of(opinion("later", { time = 5 }), opinion "consent").answer)
  end)

  it("is never consent where nobody consents", function()
    assert.are.equal("ask", of().answer)
    assert.are.equal("ask", of(opinion(nil, { problem = "it did not answer in time" })).answer)
    assert.are.equal("ask", of(opinion "yes", opinion "CONSENT").answer)
  end)
end)

describe("a reason for others", function()
  it("is bounded, and ends in no half character", function()
    assert.are.equal("short", policies.bounded "short")
    for extra = 0, 3 do
      local text = policies.bounded(("x"):rep(extra) .. ("é"):rep(200))
      assert.is_true(#text <= policies.REASON_MAX and #text > policies.REASON_MAX - 5)
      assert.is_truthy(utf8.len(text))
      assert.truthy(text:find "…$")
    end
    assert.are.equal("a b ??", policies.bounded "a\nb \xff\xfe")
  end)
end)

describe("cases of policies", function()
  local cases
  before_each(function() cases = policies.cases(ME) end)

  local function see(more) return cases:see(proposal(more)) end
  local function consents(...)
    local out = {}
    for _, member in ipairs { ... } do out[#out + 1] = { member = member, answer = "consent" } end
    return { answers = out }
  end

  it("are open proposals of others to admit somebody, asked about once", function()
    assert.are.equal("ask", see().kind)
    assert.is_nil(see())
    for _, more in ipairs {
      { proposer = ME }, { op = "remove" }, { op = "charter" }, { state = "committed" }, { state = "void" }, consents(ME),
    } do
      local other = policies.cases(ME)
      assert.is_nil(other:see(proposal(more)))
      assert.are.same({}, other:ids())
    end
  end)

  it("come to an answer by the first opinion, once", function()
    see()
    local act = cases:opinions("p1", { opinion "consent" }, 0)
    assert.are.same({ "answer", "consent" }, { act.kind, act.verdict.answer })
    assert.is_nil(see())
    assert.is_nil(see(consents(BOB)))
    cases:answered("p1", nil, 0)
    assert.is_nil(see(consents(ADA)))
    assert.are.same({}, cases:scripts_changed())
    see(consents(ME))
    assert.are.same({}, cases:ids())
  end)

  it("begin anew with an epoch, in which everybody is asked again", function()
    see { epoch = 1 }
    cases:opinions("p1", { opinion "consent" }, 0)
    cases:answered("p1", nil, 0)
    assert.is_nil(see { epoch = 1 })
    assert.are.equal("ask", see({ epoch = 2 }).kind)
  end)

  it("are asked about again when another member consents: who had no opinion may have one now", function()
    see()
    assert.is_nil(cases:opinions("p1", { opinion(nil) }, 0))
    local act = see(consents(ADA, BOB))
    assert.are.equal("ask", act.kind)
    assert.are.same({ ADA, BOB }, policies.vouched_by(act.proposal, ME))
    assert.are.equal("refuse", cases:opinions("p1", { opinion "refuse" }, 0).verdict.answer)
  end)

  it("take a consent that comes while they are asked for a reason to ask once more", function()
    see()
    assert.is_nil(see(consents(BOB)))
    assert.is_nil(see(consents(BOB, ("D0"):rep(20))))
    local act = cases:opinions("p1", { opinion(nil) }, 0)
    assert.are.equal("ask", act.kind)
    assert.are.equal(3, #policies.vouched_by(act.proposal, ME))
    assert.is_nil(cases:opinions("p1", { opinion(nil) }, 0))
  end)

  it("wait as long as is said, within bounds", function()
    see()
    cases:opinions("p1", { opinion("later", { time = 5000 }) }, 100)
    assert.are.equal(5100, cases:next_due())
    assert.are.same({}, cases:due(5099))
    assert.are.equal("ask", cases:due(5100)[1].kind)
    assert.is_nil(cases:next_due())
    cases:opinions("p1", { opinion "later" }, 0)
    assert.are.equal(policies.LATER_LEAST_MS, cases:next_due())
    cases:due(policies.LATER_LEAST_MS)
    cases:opinions("p1", { opinion("later", { time = 1 << 60 }) }, 0)
    assert.are.equal(policies.LATER_MOST_MS, cases:next_due())
  end)

  it("are the person's where a policy says so, and asked about again when other scripts run", function()
    see()
    assert.is_nil(cases:opinions("p1", { opinion "ask", opinion "consent" }, 0))
    assert.is_nil(cases:next_due())
    assert.are.equal("ask", cases:scripts_changed()[1].kind)
    assert.are.same({}, cases:scripts_changed())
    assert.are.equal("ask", cases:opinions("p1", {}, 0).kind)
  end)

  it("end with their proposal, whatever comes late", function()
    see()
    see { state = "committed" }
    assert.is_nil(cases:opinions("p1", { opinion "consent" }, 0))
    see()
    see(consents(ME))
    assert.are.same({}, cases:scripts_changed())
  end)

  it("give an answer again that a locked key could not sign, and no other", function()
    see()
    cases:opinions("p1", { opinion "consent" }, 0)
    assert.is_nil(cases:answered("p1", "locked", 50))
    assert.are.equal(50 + policies.AGAIN_MS, cases:next_due())
    cases:due(cases:next_due())
    cases:opinions("p1", { opinion "consent" }, 0)
    assert.is_nil(cases:answered("p1", "wrong_state", 0))
    assert.is_nil(cases:next_due())
    assert.are.same({}, cases:scripts_changed())
  end)
end)
