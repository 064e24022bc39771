-- SPDX-License-Identifier: GPL-3.0-or-later
local changes = require "sotto.client.changes"

local NAMES = { ME = "you", ADA = "ada", BOB = "bob", CARL = "carl" }
local function who(fingerprint) return NAMES[fingerprint] end

local function proposal(more)
  local out = {
    op = "admit", subjects = { "CARL" }, proposer = "ADA", state = "open", answers = {}, waiting_for = { "ME", "BOB" },
    created = os.time() * 1000,
  }
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

describe("a proposal in words", function()
  local clock = os.date "%H:%M"

  it("says what, by whom, and who is waited for since when", function()
    assert.are.equal(("admit carl, proposed by ada: waits for you and bob, since %s"):format(clock),
      changes.line(proposal(), who))
    assert.are.equal("remove bob and carl", changes.what(proposal { op = "remove", subjects = { "BOB", "CARL" } }, who))
    assert.are.equal("change the charter to '2'", changes.what(proposal { op = "charter", charter = "2" }, who))
    assert.truthy(changes.waiting(proposal { waiting_for = { "CARL" } }, who):find "has not joined yet$")
    assert.are.equal("the members are carrying it out", changes.waiting(proposal { waiting_for = {} }, who))
    assert.are.equal("let go bob: the members are carrying it out",
      changes.line(proposal { op = "depart", subjects = { "BOB" }, waiting_for = {} }, who))
    assert.truthy(changes.line(proposal { state = "void", ended = os.time() * 1000 }, who):find("come to nothing at " .. clock))
  end)

  it("says what was answered, by a person or a policy, and why", function()
    local answers = {
      { member = "BOB", answer = "consent", reason = "", by = "person" },
      { member = "ME", answer = "refuse", reason = "not \27[2J today", by = "policy" },
    }
    assert.are.same({ "bob consents", "you refuse (a policy): not <U+001B>[2J today" },
      changes.answers(proposal { answers = answers }, who))
    assert.are.equal("you have refused (a policy): not <U+001B>[2J today", changes.refusal(proposal { answers = answers }, who))
    assert.are.equal("carl has declined: no time", changes.refusal(
      proposal { answers = { { member = "CARL", answer = "refuse", reason = "no time" } } }, who))
    assert.is_nil(changes.refusal(proposal(), who))
    assert.are.equal("bob refuses: not today.", changes.sentence "bob refuses: not today.")
    assert.are.equal("bob consents.", changes.sentence "bob consents")
  end)

  it("knows who waits for whom", function()
    assert.is_true(changes.waits_for(proposal(), "ME"))
    assert.is_false(changes.waits_for(proposal(), "ADA"))
    assert.is_false(changes.waits_for(proposal { waiting_for = { "ADA" } }, "ADA"))
    assert.truthy(changes.waiting(proposal { waiting_for = { "ADA", "BOB" } }, who):find "^waits for bob,")
    assert.is_false(changes.waits_for(proposal { state = "committed" }, "ME"))
  end)
end)

describe("members in words", function()
  it("came on somebody's word, the proposer's first", function()
    local list = {
      proposal { state = "committed", answers = { { member = "BOB", answer = "consent" }, { member = "ADA", answer = "consent" } } },
      proposal { state = "refused", subjects = { "BOB" } },
    }
    assert.are.same({ "ADA", "BOB" }, changes.vouchers(list, "CARL"))
    assert.is_nil(changes.vouchers(list, "BOB"))
  end)

  it("have come and gone", function()
    local function discussion(...)
      local members = {}
      for i, name in ipairs { ... } do members[i] = { fingerprint = name } end
      return { members = members }
    end
    local come, gone = changes.difference(discussion("ADA", "BOB"), discussion("BOB", "CARL"))
    assert.are.same({ { "CARL" }, { "ADA" } }, { come, gone })
    assert.are.same({ {}, {} }, { changes.difference(nil, discussion "ADA") })
  end)

  it("are told what one cannot open, and what is not here yet", function()
    assert.are.equal("bob cannot open a message of ada, not even sealed anew. It may have been damaged on its way to them.",
      changes.complaint({ member = "BOB", sender = "ADA", same = false }, who))
    assert.are.equal("you cannot open a message of ada, not even sealed anew. " ..
      "What you have is the same: it was sealed so that you cannot.",
      changes.complaint({ member = "ME", sender = "ADA", same = true }, who))
    assert.truthy(changes.complaint({ member = "BOB", sender = "ME", same = true }, who):find("of yours, .*not all can"))
    assert.is_nil(changes.missing({}, who))
    assert.are.equal("not all is here yet of what was said by bob and ada before the members changed", changes.missing(
      { missing = { { fingerprint = "BOB" }, { fingerprint = "ADA" }, { fingerprint = "BOB" } } }, who))
  end)

  it("are asked as the charter says", function()
    assert.are.equal("all members must consent to a newcomer", changes.charter "all")
    assert.are.equal("2 members must consent to a newcomer", changes.charter "2")
    assert.are.equal("any one member may take somebody in", changes.charter "1")
  end)
end)
