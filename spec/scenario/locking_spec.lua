-- SPDX-License-Identifier: GPL-3.0-or-later
-- An identity with a passphrase: what a locked core says, what it still does, and how it goes on (P2.4, P4.4).
local cores = require "support.cores"
local system = require "support.system"

local PASSPHRASE, OTHER = "open sesame, twice", "quite another one"

describe("a locked identity", function()
  local alice, bob, id

  -- every call that needs the key says so, and nothing else
  local function is_locked()
    assert.is_true(alice:call("identity.show").locked)
    for method, params in pairs {
      ["discussions.open"] = { peer = bob.fingerprint, password = "right" },
      ["discussions.accept"] = { discussion = id, password = "right" },
      ["discussions.close"] = { discussion = id },
      ["discussions.export"] = { discussion = id, path = cores.root() .. "/export" },
      ["messages.send"] = { discussion = id, text = "x" },
      ["messages.list"] = { discussion = id },
      ["messages.search"] = { query = "x" },
      ["peers.probe"] = { address = bob.address },
      ["identity.passphrase"] = { old = PASSPHRASE, new = OTHER },
    } do
      assert.are.equal("locked", (alice:fails(method, params)), method)
    end
    -- what is known without it
    assert.are.equal(alice.fingerprint, alice:call("identity.show").fingerprint)
    assert.are.equal("suspended", alice:discussion(id).state)
    assert.are.equal(1, #alice:call "discussions.list")
    assert.is_true(#alice:call("system.metrics").text > 0)
  end

  local function unlock(passphrase)
    return alice:call("identity.unlock", { passphrase = passphrase or PASSPHRASE })
  end

  before_each(function()
    alice, bob = cores.person("alice", { passphrase = PASSPHRASE }), cores.person "bob"
    cores.meet(alice, bob)
    id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
  end)
  after_each(cores.clean)

  -- bob says things while alice cannot hear them
  local function bob_talks(count)
    local sent = {}
    for i = 1, count do
      sent[i] = "while you were locked " .. i
      bob:send(id, sent[i])
    end
    return sent
  end

  local function has_arrived(sent)
    for _, text in ipairs(sent) do alice:event("message.received", { text = text }) end
    local got = alice:texts(id, bob.fingerprint)
    table.remove(got, 1)
    assert.are.same(sent, got)
    cores.ask("all to be delivered", function()
      for _, message in ipairs(bob:messages(id)) do
        if message.sender == bob.fingerprint and message.state ~= "delivered" then return false end
      end
      return true
    end)
  end

  for _, name in ipairs { "a restart", "kill -9" } do
    it(("P4.4 after %s it is locked, takes nothing and says so; once it is unlocked all arrives"):format(name), function()
      if name == "kill -9" then
        alice:kill()
        alice:start()
      else
        alice:restart()
      end
      assert.are.equal(alice.fingerprint, alice:event("passphrase.needed").identity.fingerprint)
      cores.state(bob, id, "suspended")
      local sent = bob_talks(5)
      is_locked()
      for _, message in ipairs(bob:messages(id)) do
        assert.is_true(message.text:find "^while" == nil or message.state ~= "delivered")
      end
      local problem, message = alice:fails("identity.unlock", { passphrase = OTHER })
      assert.are.same({ "refused", "the passphrase is wrong" }, { problem, message })
      assert.are.equal("bad_params", (alice:fails("identity.unlock", { passphrase = "" })))
      is_locked()
      assert.is_false(unlock().locked)
      cores.state(alice, id, "open")
      cores.state(bob, id, "open")
      has_arrived(sent)
      cores.talk(id, alice, bob)
      -- unlocking what is unlocked changes nothing
      assert.is_false(unlock(OTHER).locked)
    end)
  end

  it("P4.4 identity.lock locks it while it runs, and the discussions wait", function()
    assert.is_true(alice:call("identity.lock").locked)
    assert.is_true(alice:call("identity.lock").locked)
    cores.state(bob, id, "suspended")
    local sent = bob_talks(3)
    is_locked()
    -- a request that comes meanwhile is nobody's: the core does not answer
    local asked = bob:call("discussions.open", { peer = alice.fingerprint }).id
    bob:event("discussion.refused", { id = asked })
    unlock()
    cores.state(bob, id, "open")
    has_arrived(sent)
    cores.talk(id, alice, bob)
  end)

  it("P2.4 a new passphrase takes the old one's place", function()
    local name, message = alice:fails("identity.passphrase", { old = OTHER, new = "new" })
    assert.are.same({ "refused", "the passphrase is wrong" }, { name, message })
    assert.is_false(alice:call("identity.passphrase", { old = PASSPHRASE, new = OTHER }).locked)
    cores.talk(id, alice, bob)
    alice:restart()
    assert.are.equal("refused", (alice:fails("identity.unlock", { passphrase = PASSPHRASE })))
    unlock(OTHER)
    cores.state(alice, id, "open")
    cores.talk(id, alice, bob)
  end)

  it("one without a passphrase is never locked, until it has been given one", function()
    assert.are.equal("wrong_state", (bob:fails "identity.lock"))
    bob:restart()
    assert.is_false(bob:call("identity.show").locked)
    bob:call("identity.passphrase", { new = OTHER })
    assert.is_true(bob:call("identity.lock").locked)
    assert.are.equal("locked", (bob:fails("messages.send", { discussion = id, text = "x" })))
    bob:call("identity.unlock", { passphrase = OTHER })
    cores.state(bob, id, "open")
    cores.talk(id, alice, bob)
  end)

  it("P4.4 nothing of a passphrase or a text is in any file or argument while it is locked", function()
    alice:restart()
    for _, path in ipairs(system.files(alice.home)) do
      local content = system.read(path) or ""
      assert.is_nil(content:find(PASSPHRASE, 1, true), path)
      assert.is_nil(content:find("from bob", 1, true), path)
    end
    for _, process in ipairs(system.processes(cores.root())) do
      assert.is_nil(table.concat(process.arguments, " "):find(PASSPHRASE, 1, true))
    end
  end)
end)
