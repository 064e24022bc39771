-- SPDX-License-Identifier: GPL-3.0-or-later
local reach = require "sotto.client.reach"
local waiting = require "support.waiting"

describe("whether the others can be reached", function()
  local chat, said

  before_each(function()
    said = {}
    chat = setmetatable({ told_reach = {}, known = { discussions = {} } }, { __index = reach })
    function chat.discussion_name() return "bob" end
    function chat.print(_, text) said[#said + 1] = text:match "^bob [^;.]+" end
  end)

  -- as an event brings it: what is known of the discussion, and then that it changed
  local function becomes(state)
    local discussion = { id = "D", state = state, members = { {}, {} } }
    chat.known.discussions.D = discussion
    if state == "open" or state == "suspended" then chat:tell_reach(discussion) end
  end

  local function settles()
    waiting.wait("it has settled", function() return not chat.told_reach.D.looks end)
  end

  it("is said at once, and what follows closely only once it lasts", function()
    becomes "suspended"
    assert.are.same({ "bob cannot be reached at the moment" }, said)
    becomes "open"
    becomes "suspended"
    becomes "open"
    assert.are.equal(1, #said)
    settles()
    assert.are.same({ "bob cannot be reached at the moment", "bob is back" }, said)
  end)

  it("is not said again where it is as it was, or has come to its end", function()
    becomes "open"
    becomes "suspended"
    becomes "open"
    settles()
    assert.are.same({ "bob is back" }, said)
    becomes "suspended"
    settles()
    becomes "open"
    becomes "closed"
    settles()
    assert.are.same({ "bob is back", "bob cannot be reached at the moment" }, said)
  end)
end)
