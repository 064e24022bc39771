-- SPDX-License-Identifier: GPL-3.0-or-later
local lifecycle = require "support.lifecycle"

describe("events that could not be stored", function()
  local q
  before_each(function() q = lifecycle.queue() end)

  local function rest()
    local list = {}
    for event, reason in q.take, q do list[#list + 1] = reason ~= "" and event .. ":" .. reason or event end
    return list
  end

  it("wait in their order, with their reasons", function()
    q:add "link_down"
    q:add("end", "lost")
    q:add "closed_by"
    assert.same({ "link_down", "end:lost", "closed_by" }, rest())
    assert.same({}, rest())
  end)

  it("cancel out where a link came and went, or went and came", function()
    q:add "link_up"
    q:add "link_down"
    assert.same({}, rest())
    q:add "link_down"
    q:add "link_up"
    q:add "link_down"
    assert.same({ "link_down" }, rest())
  end)

  it("count each member's link", function()
    for _ = 1, 5 do q:add "link_up" end
    q:add "link_down"
    assert.same({ "link_up", "link_up", "link_up", "link_up" }, rest())
  end)

  it("keep what lies between", function()
    q:add "link_up"
    q:add "closed_by"
    q:add "link_down"
    assert.same({ "link_up", "closed_by", "link_down" }, rest())
  end)

  it("count once where they are not of links", function()
    q:add("end", "lost")
    q:add("end", "refused")
    assert.same({ "end:lost" }, rest())
  end)

  it("go back to the front when they cannot be stored again", function()
    q:add "link_down"
    q:add "link_down"
    q:add "closed_by"
    q:put_back(assert(q:take()))
    q:add "freeze"
    assert.same({ "link_down", "link_down", "closed_by", "freeze" }, rest())
    q:add "closed_by"
    q:put_back("end", "lost")
    assert.same({ "end:lost", "closed_by" }, rest())
  end)

  it("never overflow, whatever comes in whatever order", function()
    math.randomseed(7)
    for _ = 1, 20000 do
      q:add(lifecycle.events[math.random(#lifecycle.events)])
      if math.random(20) == 1 then q:put_back(q:take()) end
    end
    assert.is_true(#rest() > 0)
  end)
end)
