-- SPDX-License-Identifier: GPL-3.0-or-later
-- Held messages on real cores (P5.3): released they go out in order, discarded they have failed. How they come to be held is told to
-- the stores behind the cores' backs; group_messages_spec.lua has whole changes of members.
local cores = require "support.cores"
local tools = require "support.store_tools"

local alice, bob, id

local function sql(who, ...) return tools.sql(who.home .. "/data/sotto.db", ...) end

-- As if the epoch had ended with a cut before all of it.
local function hold_all(who)
  who:stop()
  sql(who, "DELETE FROM payloads WHERE sender = '" .. who.fingerprint .. "'")
  sql(who, "DELETE FROM heads WHERE sender = '" .. who.fingerprint .. "'")
  sql(who, "UPDATE messages SET state = 'held', epoch = NULL, sequence = NULL, place = NULL WHERE own = 1")
  who:start()
end

local function ids(list)
  local t = {}
  for i, m in ipairs(list) do t[i] = m.id end
  return t
end

describe("held messages", function()
  before_each(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
  end)
  after_each(cores.clean)

  it("P5.3 released, they arrive in their order, under their ids; what is said later is not held", function()
    bob:stop()
    local said = {}
    for i = 1, 3 do said[i] = alice:send(id, "held " .. i) end
    hold_all(alice)
    for i, m in ipairs(alice:messages(id)) do
      assert.are.same({ said[i].id, "held" }, { m.id, m.state })
      assert.is_nil(m.seq)
    end
    local released = alice:call("messages.release", { discussion = id })
    assert.are.same(ids(said), ids(released))
    assert.are.equal("queued", released[1].state)
    assert.are.same({}, alice:call("messages.release", { discussion = id }))
    alice:send(id, "said later")
    bob:start()
    for _, text in ipairs { "held 1", "held 2", "held 3", "said later" } do
      assert.are.equal(text, bob:event("message.received", { text = text }).text)
    end
    assert.are.same({ "held 1", "held 2", "held 3", "said later" }, {
      bob:messages(id)[1].text, bob:messages(id)[2].text, bob:messages(id)[3].text, bob:messages(id)[4].text })
    alice:event("message.delivered", { id = said[3].id })
  end)

  it("P5.3 discarded, they have failed, and nobody gets them", function()
    bob:stop()
    local said = alice:send(id, "not for these ears")
    hold_all(alice)
    local gone = alice:call("messages.discard", { discussion = id })
    assert.are.same({ said.id, "failed" }, { gone[1].id, gone[1].state })
    assert.are.equal("failed", alice:event("message.failed", { id = said.id }).state)
    assert.are.same({}, alice:call("messages.discard", { discussion = id }))
    assert.are.same({}, alice:call("messages.release", { discussion = id }))
    bob:start()
    cores.talk(id, alice, bob)
    for _, m in ipairs(bob:messages(id)) do assert.are_not.equal("not for these ears", m.text) end
  end)

  it("P5.3 a void message comes again under its id when its author releases it", function()
    local said = alice:send(id, "twice, and shown once")
    bob:event("message.received", { id = said.id })
    alice:event("message.delivered", { id = said.id })
    cores.talk(id, alice, bob)
    bob:stop()
    alice:stop()
    sql(bob, "UPDATE messages SET state = 'void' WHERE id = '" .. said.id .. "'")
    sql(alice, "UPDATE messages SET state = 'held', epoch = NULL, sequence = NULL, place = NULL WHERE id = '"
      .. said.id .. "'")
    alice:start()
    bob:start()
    assert.are.equal("void", bob:messages(id)[1].state)
    alice:call("messages.release", { discussion = id })
    assert.are.equal("received", bob:event("message.received", { id = said.id }).state)
    local list = bob:messages(id)
    assert.are.same({ 3, said.id }, { #list, list[3].id })
    alice:event("message.delivered", { id = said.id })
  end)

  it("P5.3 held ones fail where the discussion ends", function()
    bob:stop()
    local said = alice:send(id, "too late")
    hold_all(alice)
    bob:start()
    bob:call("discussions.close", { discussion = id })
    assert.are.equal("failed", alice:event("message.failed", { id = said.id }).state)
    assert.are.equal("wrong_state", alice:fails("messages.release", { discussion = id }))
  end)
end)
