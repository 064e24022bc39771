-- SPDX-License-Identifier: GPL-3.0-or-later
-- The end of a core in good order, whatever is under way: nothing of it is left, and it ends with 0, which cores.clean
-- checks.
local cores = require "support.cores"
local sys = require "sotto.sys"

describe("ending a core", function()
  after_each(cores.clean)

  it("P4.1 leaves neither agent nor half a home while a key is made", function()
    local alice = cores.person "alice"
    -- the identity is there, and a key for the first discussion is under way
    for _ = 1, 5 do
      alice:stop()
      assert.are.same({}, alice:agents())
      alice:start()
    end
    alice:stop()
    assert.is_true(#alice:homes() <= 2)
    alice:start()
  end)

  it("P4.1 leaves neither agent nor half a home while a key is being written through to the disk", function()
    local alice = cores.person "alice"
    for _ = 1, 5 do
      -- of two homes, the new one has its keys, and has lost the revocation certificate that gpg makes unasked
      cores.wait("a key that is made", function()
        local homes = alice:homes()
        for _, name in ipairs(homes) do
          local home = alice.home .. "/data/homes/" .. name
          local revocations = sys.list(home .. "/openpgp-revocs.d") or {}
          if #(sys.list(home .. "/private-keys-v1.d") or {}) < 2 or #revocations > 0 then return false end
        end
        return #homes == 2
      end)
      alice:stop()
      assert.are.same({}, alice:agents())
      alice:start()
    end
  end)

  it("answers the call that asks for it, and those that wait", function()
    local alice = cores.person "alice"
    local probe = alice.control:request("peers.probe", { address = "127.0.0.1:9" })
    alice:call "system.stop"
    assert.are.equal("canceled", alice.control:answer(probe).error.data.name)
    cores.wait("the end", function() return not alice:running() end)
    assert.are.equal(0, alice.process.status)
    assert.are.same({}, alice:agents())
  end)

  it("ends while an identity is made, and begins without one", function()
    local alice = cores.person("alice", { identity = false })
    local create = alice.control:request("identity.create", { name = "alice" })
    alice:stop()
    assert.are.equal("canceled", alice.control.answers[create].error.data.name)
    alice:start()
    assert.is_nil(alice:call("identity.show").fingerprint)
    assert.are.same({}, alice:homes())
    alice:call("identity.create", { name = "alice" })
  end)

  it("ends while a discussion opens", function()
    local alice, bob = cores.pair()
    local id = cores.request(alice, bob, "right")
    bob.control:request("discussions.accept", { discussion = id, password = "right" })
    bob:stop()
    alice:stop()
    alice:start()
    bob:start()
    for _, who in ipairs { alice, bob } do
      local state = who:discussion(id).state
      assert.truthy(("refused opening suspended open"):find(state, 1, true), state)
    end
  end)
end)
