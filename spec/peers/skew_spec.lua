-- SPDX-License-Identifier: GPL-3.0-or-later
local skew = require "support.skew"

local HOUR, MINUTE = 3600000, 60000
-- the true time of everything here, and that of a clock that nobody sets
local NOW, AT = 1800000000000, 5000000

local function fingerprint(n) return ("%040X"):format(n) end

describe("skew", function()
  local s
  before_each(function() s = skew.new() end)

  -- person n's record, of that age, arrives while our own clock is off by so much
  local function hear(n, age, off, theirs)
    local issued = NOW - age + (theirs or 0)
    s:note(fingerprint(n), issued, issued + HOUR, NOW + off, AT)
  end

  it("says nothing where nobody was heard", function()
    assert.same({ 0, 0, 0 }, { s:judge(NOW, AT) })
  end)

  it("finds nothing wrong with a clock that is right, however old records are", function()
    for n, age in ipairs { 0, 10 * MINUTE, 30 * MINUTE } do hear(n, age, 0) end
    assert.same({ 3, 0, 0 }, { s:judge(NOW, AT) })
  end)

  it("tells at least how far it is ahead", function()
    hear(1, 0, 2 * HOUR)
    assert.same({ 1, 2 * HOUR - 30 * MINUTE, 0 }, { s:judge(NOW + 2 * HOUR, AT) })
  end)

  it("tells at least how far it is behind", function()
    hear(1, 10 * MINUTE, -2 * HOUR)
    assert.same({ 1, 0, 2 * HOUR - 10 * MINUTE }, { s:judge(NOW - 2 * HOUR, AT) })
  end)

  it("believes two only where both say so, and three by majority", function()
    hear(1, 0, 0)
    hear(2, 0, 0, 5 * HOUR) -- whose own clock is wrong
    assert.same({ 2, 0, 0 }, { s:judge(NOW, AT) })
    hear(3, 0, 0, 4 * HOUR)
    assert.same({ 3, 0, 4 * HOUR }, { s:judge(NOW, AT) })
    hear(4, 0, 0)
    assert.same({ 4, 0, 0 }, { s:judge(NOW, AT) })
  end)

  it("takes a clock into account that was set since", function()
    hear(1, 0, 3 * HOUR)
    local peers, ahead = s:judge(NOW + MINUTE, AT + MINUTE) -- set right meanwhile
    assert.same({ 1, 0 }, { peers, ahead })
    hear(2, 0, 0)
    assert.same({ 2, 0, 2 * HOUR }, { s:judge(NOW - 2 * HOUR + MINUTE, AT + MINUTE) }) -- and wrong again
  end)

  it("counts each person once, by the last record", function()
    hear(1, 0, 0, 5 * HOUR)
    hear(1, 0, 0)
    assert.same({ 1, 0, 0 }, { s:judge(NOW, AT) })
  end)

  it("forgets who was not heard for the longest", function()
    for n = 1, 16 do hear(n, 0, 0, 5 * HOUR) end
    hear(1, 0, 0, 5 * HOUR)
    for n = 17, 31 do hear(n, 0, 0) end -- all but person 1 make room
    assert.same({ 16, 0, 0 }, { s:judge(NOW, AT) })
    hear(2, 0, 0, 5 * HOUR)
    assert.same({ 16, 0, 0 }, { s:judge(NOW, AT) })
  end)

  it("bears values that make no sense", function()
    s:note(fingerprint(1), 1 << 52, 5, 0, 0)
    s:note(fingerprint(2), 0, 1 << 52, 1 << 52, 0)
    assert.equal(2, (s:judge(0, 0)))
  end)
end)
