-- SPDX-License-Identifier: GPL-3.0-or-later
-- An adopted key on a smart card. The agent is gpg-agent itself; only the card's reader is a program of the specs'.
local adopting = require "support.adopting"
local cores = require "support.cores"

describe("an adopted key on a smart card", function()
  local PIN = "123456"
  local own, fingerprint

  local function card(options)
    own = adopting.gnupg "alice"
    fingerprint = own:key { algorithm = "rsa2048", subkey = "rsa2048" }
    options = options or {}
    options.pin = PIN
    own:move_to_card(fingerprint, options)
    own:answer(PIN)
  end

  after_each(adopting.clean)

  local function count(log, what)
    local n = 0
    for _, line in ipairs(log) do
      if line == what then n = n + 1 end
    end
    return n
  end

  it("P3.6 is known as one, and adopted, opened and talked with, restarted and unlocked again", function()
    card()
    local alice = adopting.absent("alice", own):start()
    local candidate = alice:call("identity.candidates")[1]
    assert.are.same({ fingerprint, true, true, "rsa2048" },
      { candidate.fingerprint, candidate.card, candidate.usable, candidate.algorithm })
    assert.are.same({}, own:card_log()) -- it was not even looked at
    local identity = adopting.adopt(alice, fingerprint)
    assert.are.same({ true, true, false }, { identity.adopted, identity.card, identity.locked })
    local log = own:card_log()
    assert.are.equal(1, count(log, "pin signature"))
    assert.are.equal(1, count(log, "pin decryption"))
    assert.truthy(own:told():find("Please unlock the card", 1, true))
    local bob = cores.person("bob")
    cores.meet(alice, bob)
    local id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
    log = own:card_log()
    assert.are.same({ 0, 0 }, { count(log, "pin signature"), count(log, "pin decryption") })
    assert.is_true(count(log, "signed") >= 2 and count(log, "decrypted") >= 1)
    alice:stop()
    own:end_agent()
    own:answer "wait"
    alice:start()
    own:await_question(1)
    assert.is_true(alice:call("identity.show").locked)
    own:answer(PIN)
    assert.is_false(alice:call("identity.unlock").locked)
    alice:event("discussion.resumed", { id = id })
    cores.talk(id, bob, alice)
  end)

  it("P3.6 whose PIN is asked for each signature is asked no more often than it signs", function()
    card { forced = true }
    local alice = adopting.person("alice", own, fingerprint)
    local bob = cores.person("bob")
    cores.meet(alice, bob)
    own:card_log()
    cores.talk(cores.open_between(alice, bob), alice, bob)
    local log = own:card_log()
    assert.are.equal(count(log, "signed"), count(log, "pin signature"))
    assert.are.equal(2, count(log, "signed")) -- the binding, and M3
    alice:call "identity.lock"
    alice:call "identity.unlock"
    assert.are.equal(0, count(own:card_log(), "signed"))
  end)

  it("P3.6 that is not there, or whose PIN is wrong, keeps the key locked", function()
    card()
    local alice = adopting.person("alice", own, fingerprint)
    alice:call "identity.lock"
    own:end_agent()
    own:insert_card(false)
    own:answer "cancel" -- it is asked to be put in
    local name, message = alice:fails "identity.unlock"
    assert.are.equal("refused", name, message)
    assert.truthy(own:told():find("insert the card", 1, true))
    own:insert_card(true)
    own:answer "654321"
    name, message = alice:fails "identity.unlock"
    assert.are.same({ "refused", "wrong passphrase or PIN" }, { name, message })
    own:answer(PIN)
    assert.is_false(alice:call("identity.unlock").locked)
  end)
end)
