-- SPDX-License-Identifier: GPL-3.0-or-later
-- An adopted key with a passphrase: the user's own agent and pinentry, where the pinentry appears, and what waits for it.
local adopting = require "support.adopting"
local cores = require "support.cores"
local gnupg = require "support.gnupg"
local sys = require "sotto.sys"

describe("an adopted key's pinentry", function()
  local SECRET = "correct horse"
  local own, fingerprint

  before_each(function()
    own = adopting.gnupg "alice"
    fingerprint = own:key { passphrase = SECRET }
    own:answer(SECRET)
  end)
  after_each(adopting.clean)

  -- alice asks bob for a discussion, and nobody is there to be asked for the passphrase that this takes
  local function open_unheard(alice, bob)
    cores.meet(alice, bob)
    own:forget()
    own:answer "no screen"
    alice.control:forget_events()
    local id = alice:call("discussions.open", { peer = bob.fingerprint, password = "pw" }).id
    alice:event "passphrase.needed"
    return id
  end

  local function locked(who) return who:call("identity.show").locked end

  it("P3.6 asks at the front end's terminal and display when the key is adopted, and passes nothing on to us", function()
    local alice = adopting.absent("alice", own):start()
    adopting.adopt(alice, fingerprint, { session = {
      "GPG_TTY=/dev/spec-terminal", "TERM=spec-term", "DISPLAY=:77", "LANG=C.UTF-8",
    } })
    local told = own:told()
    assert.truthy(told:find("OPTION ttyname=/dev/spec-terminal\n", 1, true), told)
    assert.truthy(told:find("OPTION ttytype=spec-term\n", 1, true), told)
    assert.truthy(told:find("--display :77", 1, true), told)
    assert.truthy(told:find("Alice Example", 1, true), told)
    for _, path in ipairs(require("support.system").files(alice.home)) do
      assert.is_nil((require("support.system").read(path) or ""):find(SECRET, 1, true), path)
    end
    for _, line in ipairs(alice.log) do assert.is_nil(line:find(SECRET, 1, true)) end
  end)

  it("P3.6 never appears in a terminal that no front end has lent", function()
    local environment = { GPG_TTY = "/dev/somebody's", DISPLAY = ":78", TERM = "xterm" }
    local alice = adopting.absent("alice", own, { environment = environment }):start()
    adopting.adopt(alice, fingerprint)
    own:forget()
    alice:restart()
    adopting.unlocked(alice)
    local told = own:told()
    assert.is_nil(told:find("somebody's", 1, true), told)
    assert.truthy(told:find("OPTION ttyname=/nonexistent\n", 1, true), told)
    assert.truthy(told:find("--display :78", 1, true), told)
  end)

  it("takes from a session what names a terminal or a display, and nothing else", function()
    local alice = adopting.absent("alice", own):start()
    for _, session in ipairs {
      { "LD_PRELOAD=/tmp/x" }, { "GNUPGHOME=/tmp" }, { "PATH=/tmp" }, { "DISPLAY" }, { "DISPLAY=:1", "DISPLAY=:2" },
      { "GPG_TTY=/dev/x\nPATH=/tmp" }, { "TERM=" .. ("x"):rep(5000) }, { "" }, { "=" },
    } do
      assert.are.equal("bad_params", alice:fails("identity.adopt", { fingerprint = fingerprint, session = session }))
    end
    assert.are.equal(0, own:asked())
  end)

  it("P3.6 asks at the core's start; declined there, the key stays locked until somebody asks again", function()
    local alice = adopting.person("alice", own, fingerprint)
    alice:stop()
    own:forget()
    own:answer "cancel"
    alice:start()
    alice:event "passphrase.needed"
    assert.is_true(locked(alice))
    assert.are.equal("locked", alice:fails("peers.probe", { address = "127.0.0.1:9" }))
    local name, message = alice:fails "identity.unlock"
    assert.are.equal("refused", name)
    assert.truthy(message:find("declined at your GnuPG's pinentry", 1, true))
    assert.is_true(locked(alice))
    own:answer "not this one"
    name, message = alice:fails "identity.unlock"
    assert.are.same({ "refused", "wrong passphrase or PIN" }, { name, message })
    own:answer "no screen"
    name, message = alice:fails "identity.unlock"
    assert.are.same({ "locked", "your GnuPG's pinentry could not ask you" }, { name, message })
    own:answer(SECRET)
    assert.is_false(alice:call("identity.unlock").locked)
    alice:fails("peers.probe", { address = "127.0.0.1:9" }) -- by now only because nobody is there
  end)

  it("P3.6 keeps nobody waiting but who asked for it", function()
    local alice = adopting.person("alice", own, fingerprint)
    alice:stop()
    own:forget()
    own:answer "wait"
    own:told()
    alice:start()
    own:await_question(1)
    assert.is_true(locked(alice))
    assert.are.equal("locked", alice:fails("peers.probe", { address = "127.0.0.1:9" }))
    -- a front end's question takes the place of the one that nobody has answered
    own:answer(SECRET)
    assert.is_false(alice:call("identity.unlock", { session = { "DISPLAY=:79" } }).locked)
    assert.truthy(own:told():find("--display :79", 1, true))
    -- and a core that ends leaves no question behind
    own:forget()
    own:answer "wait"
    alice:restart()
    own:await_question(1)
    alice:stop()
    own:await_end()
  end)

  -- an unlock that the pinentry asks for and nobody answers
  local function begin_asking(control, method, params)
    local asked = own:asked()
    own:forget()
    own:answer "wait"
    local id = control:request(method, params)
    own:await_question(asked + 1)
    return id
  end

  it("P3.6 takes its question back where whoever asked gives up, or goes away", function()
    local alice = adopting.absent("alice", own):start()
    local id = begin_asking(alice.control, "identity.adopt", { fingerprint = fingerprint })
    alice:call "identity.cancel"
    assert.are.equal("canceled", alice.control:answer(id).error.data.name)
    own:await_end()
    assert.is_nil(alice:call("identity.show").fingerprint)
    cores.ask("its home is gone", function() return #alice:homes() == 0 end)
    own:answer(SECRET)
    adopting.adopt(alice, fingerprint)
    alice:call "identity.lock"
    id = begin_asking(alice.control, "identity.unlock")
    alice:call "identity.cancel"
    assert.are.equal("canceled", alice.control:answer(id).error.data.name)
    own:await_end()
    assert.is_true(locked(alice))
    -- a front end that is killed
    local other = assert(require("support.control").connect(alice:socket(), "another front end"))
    begin_asking(other, "identity.unlock")
    assert.are.equal("busy", alice:fails "identity.unlock")
    other:close()
    own:await_end()
    own:answer(SECRET)
    cores.ask("nobody to be asked", function() return alice.control:try("identity.unlock") end)
    assert.is_false(locked(alice))
    -- with nothing to take back it does nothing
    assert.is_false(alice:call("identity.cancel").locked)
  end)

  it("P3.6 what waits for a person waits on where that person gives up", function()
    local alice, bob = adopting.person("alice", own, fingerprint), cores.person "bob"
    local discussion = open_unheard(alice, bob)
    local id = begin_asking(alice.control, "identity.unlock", { session = { "DISPLAY=:81" } })
    alice.control:forget_events()
    own:answer "no screen"
    alice:call "identity.cancel"
    assert.are.equal("canceled", alice.control:answer(id).error.data.name)
    own:await_end()
    alice:event "passphrase.needed"
    assert.are.equal("requesting", alice:discussion(discussion).state)
    own:answer(SECRET)
    alice:call "identity.unlock"
    bob:event("discussion.requested", { id = discussion })
  end)

  it("P3.6 locks and unlocks, and an agent that still knows is not asked for twice", function()
    local alice = adopting.person("alice", own, fingerprint)
    local asked = own:asked()
    assert.is_true(alice:call("identity.lock").locked)
    assert.are.equal("locked", alice:fails("peers.probe", { address = "127.0.0.1:9" }))
    assert.is_false(alice:call("identity.unlock").locked)
    assert.are.equal(asked, own:asked())
    alice:call "identity.lock"
    own:forget()
    alice:call "identity.unlock"
    assert.is_true(own:asked() > asked)
    assert.are.equal("bad_params", alice:fails("identity.unlock", { passphrase = "x" }))
    assert.are.equal("wrong_state", alice:fails("identity.passphrase", { old = "x", new = "y" }))
  end)

  it("P3.6 is waited for where nobody can be asked: what was begun goes on once somebody is there", function()
    local alice, bob = adopting.person("alice", own, fingerprint), cores.person "bob"
    local id = open_unheard(alice, bob)
    assert.are.equal("requesting", alice:discussion(id).state)
    assert.are.same({}, bob:call "discussions.list")
    own:answer(SECRET)
    alice:call("identity.unlock", { session = { "DISPLAY=:80" } })
    bob:event("discussion.requested", { id = id })
    bob:call("discussions.accept", { discussion = id, password = "pw" })
    cores.all_events("discussion.opened", id, alice, bob)
    -- the same for who answers
    own:forget()
    own:answer "no screen"
    alice.control:forget_events()
    local other = cores.request(bob, alice, "pw")
    alice:call("discussions.accept", { discussion = other, password = "pw" })
    alice:event "passphrase.needed"
    own:answer(SECRET)
    alice:call "identity.unlock"
    cores.all_events("discussion.opened", other, alice, bob)
    cores.talk(other, alice, bob)
  end)

  it("P3.6 declined ends what was begun, and says why", function()
    local alice, bob = adopting.person("alice", own, fingerprint), cores.person "bob"
    cores.meet(alice, bob)
    own:forget()
    own:answer "cancel"
    local id = alice:call("discussions.open", { peer = bob.fingerprint, password = "pw" }).id
    assert.are.equal("locked", alice:event("discussion.refused", { id = id }).reason)
    local warning = alice:event("warning", function(w) return w.text:find("your key could not be used", 1, true) end)
    assert.truthy(warning.text:find("declined", 1, true))
    assert.are.same({}, bob:call "discussions.list")
    own:answer(SECRET)
    cores.talk(cores.open_between(alice, bob), alice, bob)
  end)

  it("declined while it is adopted leaves no identity and no home", function()
    local alice = adopting.absent("alice", own):start()
    own:answer "cancel"
    local name, message = alice:fails("identity.adopt", { fingerprint = fingerprint })
    assert.are.equal("refused", name)
    assert.truthy(message:find("declined", 1, true))
    assert.is_nil(alice:call("identity.show").fingerprint)
    cores.ask("its home is gone", function() return #alice:homes() == 0 end)
    own:answer "wait"
    alice.control:request("identity.adopt", { fingerprint = fingerprint })
    own:await_question(2)
    assert.are.equal("busy", alice:fails("identity.create", { name = "x" }))
    alice:restart()
    assert.is_nil(alice:call("identity.show").fingerprint)
    cores.ask("its home is gone", function() return #alice:homes() == 0 end)
    own:answer(SECRET)
    adopting.adopt(alice, fingerprint)
  end)

  it("says so where the agent does not answer", function()
    local alice = adopting.absent("alice", own):start()
    assert(alice:call("identity.candidates")[1].usable)
    local agent = own:agent()
    gnupg.stop_process(agent)
    finally(function() sys.kill(agent, "SIGCONT") end)
    local name, message = alice:fails("identity.adopt", { fingerprint = fingerprint })
    assert.are.equal("timeout", name)
    assert.truthy(message:find("your GnuPG's agent does not answer", 1, true))
    sys.kill(agent, "SIGCONT")
    adopting.adopt(alice, fingerprint)
  end)
end)
