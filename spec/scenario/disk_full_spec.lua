-- SPDX-License-Identifier: GPL-3.0-or-later
-- A disk without room: what cannot be kept is refused with a word that says so, what was kept stays, and everything
-- goes on by itself when there is room (P3.7, P3.10).
local cores = require "support.cores"
local small_disk = require "support.small_disk"
local sys = require "sotto.sys"

describe("a full disk", function()
  local alice, bob, disk, id

  before_each(function()
    disk = small_disk.new(cores.root(), "alice", 12)
    alice, bob = cores.person("alice", { disk = disk }), cores.person "bob"
    cores.meet(alice, bob)
    id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
  end)
  after_each(function()
    pcall(alice.stop, alice)
    cores.clean()
    disk:free()
  end)

  local function is_said(name, message)
    assert.are.equal("io", name)
    assert.truthy(message:find("disk is full", 1, true) or message:find("No space left", 1, true), message)
  end

  -- All of it is there on both sides, once and in order.
  local function nothing_is_lost(sent)
    cores.ask("all to be delivered", function()
      for _, who in ipairs { alice, bob } do
        for _, message in ipairs(who:messages(id)) do
          if message.state ~= "delivered" and message.state ~= "received" then return false end
        end
      end
      return #alice:messages(id) == #bob:messages(id)
    end)
    for _, way in ipairs { { alice, bob }, { bob, alice } } do
      local texts = way[1]:texts(id, way[1].fingerprint)
      assert.are.same(texts, way[2]:texts(id, way[1].fingerprint))
      table.remove(texts, 1)
      assert.are.same(sent[way[1].name], texts)
    end
    cores.talk(id, alice, bob)
  end

  it("refuses what it cannot keep, and keeps what it has", function()
    disk:fill()
    for _ = 1, 3 do is_said(alice:fails("messages.send", { discussion = id, text = "not kept" })) end
    alice:event("warning", function(warning) return warning.text:find("disk is full", 1, true) end)
    is_said(alice:fails("discussions.close", { discussion = id }))
    is_said(alice:fails("discussions.export", { discussion = id, path = disk.path .. "/export" }))
    assert.is_false(sys.exists(disk.home .. "/export"))
    assert.are.equal(2, #alice:messages(id))
    assert.are.equal("open", alice:discussion(id).state)
    disk:make_room()
    alice:send(id, "kept")
    bob:event("message.received", { text = "kept" })
    nothing_is_lost { alice = { "kept" }, bob = {} }
  end)

  it("P3.7 acknowledges nothing that it has not kept, and takes all of it when there is room", function()
    local sent = {}
    disk:fill()
    for i = 1, 5 do
      sent[i] = "for when there is room " .. i
      bob:send(id, sent[i])
    end
    alice:event("warning", function(warning) return warning.text:find("disk is full", 1, true) end)
    for _, message in ipairs(bob:messages(id)) do
      assert.truthy(message.text:find("when there is room", 1, true) == nil or message.state ~= "delivered", message.state)
    end
    disk:make_room()
    for _, text in ipairs(sent) do alice:event("message.received", { text = text }) end
    nothing_is_lost { alice = {}, bob = sent }
  end)

  it("P3.10 a core that is killed then comes back with all that it had", function()
    alice:send(id, "before")
    disk:fill()
    bob:send(id, "meanwhile")
    alice:event("warning", function(warning) return warning.text:find("disk is full", 1, true) end)
    alice:kill()
    -- it starts, or it says in a line why not
    local started, problem = pcall(alice.start, alice)
    if not started then
      assert.truthy(problem:find("disk is full", 1, true) or problem:find("No space left", 1, true), problem)
    else
      alice:kill()
    end
    disk:make_room()
    alice:start()
    cores.state(alice, id, "open")
    alice:event("message.received", { text = "meanwhile" })
    nothing_is_lost { alice = { "before" }, bob = { "meanwhile" } }
  end)

  it("P4.1 a discussion that cannot be begun leaves nothing", function()
    local before = #alice:homes()
    disk:fill()
    -- the key that lies ready may still be taken, but the request cannot be kept
    is_said(alice:fails("discussions.open", { peer = bob.fingerprint }))
    assert.are.equal(1, #alice:call "discussions.list")
    disk:make_room()
    cores.ask("as many homes as before", function() return #alice:homes() == before end)
    local other = cores.open_between(alice, bob, "another password")
    cores.talk(other, alice, bob)
  end)

  it("an identity that cannot be kept is none", function()
    local place = small_disk.new(cores.root(), "carol", 4)
    local carol = cores.person("carol", { disk = place, identity = false })
    place:fill()
    local name = carol:fails("identity.create", { name = "carol" })
    assert.truthy(name == "io" or name == "crypto", name)
    assert.is_nil(carol:call("identity.show").fingerprint)
    place:make_room()
    assert.are.equal("carol", carol:call("identity.create", { name = "carol" }).name)
    carol:restart()
    assert.are.equal("carol", carol:call("identity.show").name)
    carol:stop()
    place:free()
  end)
end)
