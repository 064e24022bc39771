-- SPDX-License-Identifier: GPL-3.0-or-later
local arbitrate = require "support.handshake".arbitrate

local low, high = ("A"):rep(40), ("B"):rep(40)

describe("arbitration", function()
  it("P2.9 asks the person where there is no own request", function()
    for _, mode in ipairs { "password", "pinned" } do
      assert.equal("ask", arbitrate(false, low, "password", high, mode))
      assert.equal("ask", arbitrate(false, high, "password", low, mode))
    end
  end)

  it("P2.9 lets the lower fingerprint's request survive in the same mode", function()
    for _, mode in ipairs { "password", "pinned" } do
      assert.equal("hold", arbitrate(true, low, mode, high, mode))
      assert.equal("answer", arbitrate(true, high, mode, low, mode))
    end
  end)

  it("P2.9 leaves the lower's request to the person in different modes", function()
    assert.equal("refuse", arbitrate(true, low, "password", high, "pinned"))
    assert.equal("refuse", arbitrate(true, low, "pinned", high, "password"))
    assert.equal("yield", arbitrate(true, high, "password", low, "pinned"))
    assert.equal("yield", arbitrate(true, high, "pinned", low, "password"))
  end)

  it("P2.9 makes both cores agree on the one that survives", function()
    local agree = { hold = "answer", answer = "hold", refuse = "yield", yield = "refuse" }
    local prints = { ("0"):rep(40), ("0"):rep(39) .. "1", ("9"):rep(40), ("A"):rep(40), ("F"):rep(40) }
    for _, a in ipairs(prints) do
      for _, b in ipairs(prints) do
        if a ~= b then
          for _, pair in ipairs { { "password", "password" }, { "password", "pinned" }, { "pinned", "pinned" } } do
            local at_a = arbitrate(true, a, pair[1], b, pair[2])
            local at_b = arbitrate(true, b, pair[2], a, pair[1])
            assert.equal(agree[at_a], at_b)
          end
        end
      end
    end
  end)
end)
