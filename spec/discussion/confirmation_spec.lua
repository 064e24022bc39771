-- SPDX-License-Identifier: GPL-3.0-or-later
local confirmation = require "support.confirmation"

describe("a message is confirmed", function()
  local ME, BOB, CAROL, DAVE = 2, 1, 3, 4

  it("P5.8 S7 once all others have signed to have it, whoever is the last", function()
    local c = confirmation.new(4, ME)
    assert.same({}, { c:take(BOB, 5) })
    assert.same({}, { c:take(CAROL, 3) })
    assert.equal(0, c:through())
    assert.same({ 1, 3 }, { c:take(DAVE, 9) })
    assert.same({}, { c:take(DAVE, 10) })
    assert.same({ 4, 5 }, { c:take(CAROL, 7) })
    assert.equal(5, c:through())
    assert.same({ 6, 7 }, { c:take(BOB, 8) })
  end)

  it("P5.8 and stays so, whatever is said later", function()
    local c = confirmation.new(3, ME)
    c:take(BOB, 5)
    c:take(CAROL, 5)
    assert.same({}, { c:take(BOB, 2) })
    assert.equal(5, c:through())
  end)
end)
