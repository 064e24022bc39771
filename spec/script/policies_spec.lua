-- SPDX-License-Identifier: GPL-3.0-or-later
local policies = require "sotto.script.policies"

local ALICE, BOB = ("A1"):rep(20), ("B0"):rep(20)

describe("policies", function()
  local time, now, files, sotto
  before_each(function()
    -- noon, where this is run
    time, now, files = os.time { year = 2026, month = 5, day = 4, hour = 12 }, 0, {}
    sotto = policies.library {
      time = function() return time end, now = function() return now end,
      read = function(path) return files[path] or error("there is no " .. path, 0) end,
    }
  end)

  local function says(answer) return function() return answer end end
  local function request(more)
    local out = { candidate = { fingerprint = ALICE } }
    for key, value in pairs(more or {}) do out[key] = value end
    return out
  end
  local function verdict(policy, more)
    local answer = policy(request(more))
    return answer and answer.answer
  end

  local yes, no, none, wait, person
  before_each(function()
    yes, no, none = says(sotto.consent "y"), says(sotto.refuse "n"), says(nil)
    wait, person = says(sotto.later "1h"), sotto.ask()
  end)

  it("all_of consents only where all do", function()
    assert.are.equal("consent", verdict(sotto.all_of(yes, yes)))
    assert.is_nil(verdict(sotto.all_of(yes, none)))
    assert.is_nil(verdict(sotto.all_of(none, wait)))
    assert.are.equal("refuse", verdict(sotto.all_of(yes, none, no)))
    assert.are.equal("later", verdict(sotto.all_of(yes, wait)))
    assert.are.equal("ask", verdict(sotto.all_of(yes, person)))
    assert.are.equal("y; y", sotto.all_of(yes, yes)(request()).reason)
  end)

  it("any_of consents where one does, and refuses only where all do", function()
    assert.are.equal("consent", verdict(sotto.any_of(no, none, yes)))
    assert.are.equal("refuse", verdict(sotto.any_of(no, no)))
    assert.is_nil(verdict(sotto.any_of(no, none)))
    assert.are.equal("later", verdict(sotto.any_of(none, wait)))
    assert.are.equal("ask", verdict(sotto.any_of(no, person)))
  end)

  it("not_ turns an answer round, and makes no consent of no opinion", function()
    assert.are.equal("refuse", verdict(sotto.not_(yes)))
    assert.are.equal("consent", verdict(sotto.not_(no)))
    assert.is_nil(verdict(sotto.not_(none)))
    assert.are.equal("later", verdict(sotto.not_(wait)))
  end)

  it("waits for the longest of several", function()
    assert.are.equal(7200000, sotto.all_of(wait, says(sotto.later "2h"))(request()).time)
  end)

  it("an error of one is an error of all: the host makes no opinion of it", function()
    local broken = function() error("oh no", 0) end
    assert.has_error(function() sotto.all_of(yes, broken)(request()) end, "oh no")
    assert.has_error(function() sotto.any_of(broken, yes)(request()) end, "oh no")
    assert.has_error(function() sotto.all_of(function() return true end)(request()) end)
    assert.has_error(function() sotto.all_of(yes, "listed") end)
    assert.has_error(function() sotto.any_of() end)
  end)

  it("verified, vouched_by and signed_by have no opinion where the request does not say so", function()
    assert.is_nil(verdict(sotto.verified()))
    assert.is_nil(verdict(sotto.verified(), { candidate = { fingerprint = ALICE, verified = "yes" } }))
    assert.are.equal("consent", verdict(sotto.verified(), { candidate = { fingerprint = ALICE, verified = true } }))
    assert.is_nil(verdict(sotto.vouched_by(1)))
    assert.is_nil(verdict(sotto.vouched_by(2), { vouched_by = { BOB, BOB } }))
    assert.are.equal("consent", verdict(sotto.vouched_by(2), { vouched_by = { BOB, { fingerprint = ALICE } } }))
    assert.is_nil(verdict(sotto.signed_by { BOB }))
    assert.are.equal("consent", verdict(sotto.signed_by { BOB },
      { candidate = { fingerprint = ALICE, signed_by = { BOB:lower() } } }))
  end)

  it("listed takes a table, a function and a file", function()
    assert.are.equal("consent", verdict(sotto.listed { ALICE:lower():gsub("(....)", "%1 ") .. "" }))
    assert.are.equal("consent", verdict(sotto.listed { [ALICE] = true }))
    assert.is_nil(verdict(sotto.listed { [ALICE] = false }))
    assert.is_nil(verdict(sotto.listed { BOB }))
    local list = {}
    local policy = sotto.listed(function() return list end)
    assert.is_nil(verdict(policy))
    list[1] = ALICE
    assert.are.equal("consent", verdict(policy))
    files.list = "# people\n" .. BOB .. "  bob\n" .. ALICE:gsub("(....)", "%1 ") .. " Ada # a friend\n"
    assert.are.equal("consent", verdict(sotto.listed "list"))
    files.list = "# " .. ALICE .. "\n" .. ALICE:sub(1, 38) .. "\n"
    assert.is_nil(verdict(sotto.listed "list"))
    assert.has_error(function() sotto.listed "other"(request()) end, "there is no other")
  end)

  it("within consents in its hours, and else waits until they begin", function()
    assert.are.equal("consent", verdict(sotto.within "9-17"))
    assert.are.equal("consent", verdict(sotto.within "11:30-12:01"))
    assert.are.equal("later", verdict(sotto.within "9-12"))
    assert.are.equal(21 * 3600000, sotto.within "9-12"(request()).time)
    assert.are.equal("later", verdict(sotto.within "22-6"))
    time = time + 11 * 3600
    assert.are.equal("consent", verdict(sotto.within "22-6"))
    for _, wrong in ipairs { "9", "25-3", "9-9", "a-b", "9:61-10" } do
      assert.has_error(function() sotto.within(wrong) end)
    end
  end)

  it("rate counts people, once each, and not for a dry run", function()
    local policy = sotto.rate(1, "1h")
    assert.are.equal("consent", verdict(policy, { dry_run = true }))
    assert.are.equal("consent", verdict(policy))
    now = 1000
    assert.are.equal("consent", verdict(policy))
    local answer = policy(request { candidate = { fingerprint = BOB } })
    assert.are.equal("later", answer.answer)
    assert.are.equal(3599000, answer.time)
    now = 3600000
    assert.are.equal("consent", verdict(policy, { candidate = { fingerprint = BOB } }))
    assert.is_nil(verdict(policy, { candidate = {} }))
  end)
end)
