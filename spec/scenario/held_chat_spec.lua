-- SPDX-License-Identifier: GPL-3.0-or-later
-- Held messages as their author sees them (P5.3): who would get them now is said before anything goes out. How they come to be
-- held is told to the store behind the core's back, as in held_spec.lua.
local chatter = require "support.chatter"
local cores = require "support.cores"
local tools = require "support.store_tools"
local window = require "support.window"

local function hold_all(who)
  local path = who.home .. "/data/sotto.db"
  who:stop()
  tools.sql(path, "DELETE FROM payloads WHERE sender = '" .. who.fingerprint .. "'")
  tools.sql(path, "DELETE FROM heads WHERE sender = '" .. who.fingerprint .. "'")
  tools.sql(path, "UPDATE messages SET state = 'held', epoch = NULL, sequence = NULL, place = NULL WHERE own = 1")
  who:start()
end

describe("the chat, of held messages", function()
  local alice, bob, id

  before_each(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
    bob:stop()
    for i = 1, 2 do alice:send(id, "written " .. i) end
    hold_all(alice)
  end)
  after_each(function()
    window.close_all()
    cores.clean()
  end)

  it("says who would get them, and /release sends them, once", function()
    local w = chatter.open(alice)
    w:see "you: written 1  held"
    w:see "2 messages of yours wait, for the members have changed. /release sends them to bob, /discard drops"
    w:enter "/release"
    w:see "you: written 2  …"
    bob:start()
    w:see "you: written 1  ✓✓"
    w:see "you: written 2  ✓✓"
    assert.are.equal("written 1", bob:event("message.received").text)
    w:enter("/release"):see "(Nothing was held.)"
    assert.are.equal(1, select(2, w.screen:text():gsub("written 2", "")))
  end)

  it("/discard drops them", function()
    local w = chatter.open(alice)
    w:see "2 messages of yours wait"
    w:enter("/discard"):see "(2 messages were dropped.)"
    w:see "you: written 1  failed"
    w:enter("/discard"):see "(Nothing was held.)"
    assert.is_nil(w.screen:text():find("never will be", 1, true))
  end)
end)
