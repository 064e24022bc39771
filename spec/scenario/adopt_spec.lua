-- SPDX-License-Identifier: GPL-3.0-or-later
-- An adopted key: which are taken, what becomes of them, and why others are not.
local adopting = require "support.adopting"
local cores = require "support.cores"
local gnupg = require "support.gnupg"
local sys = require "sotto.sys"

describe("an adopted key", function()
  local own

  before_each(function() own = adopting.gnupg "alice" end)
  after_each(adopting.clean)

  -- nothing secret of it is there, and it would be found
  local function check_no_secret(who, fingerprint)
    local path, files = adopting.find_secret(who, own, fingerprint)
    assert.is_nil(path)
    assert.is_true(files > 3)
    local part = own:parts(fingerprint)[2]
    local planted = who.home .. "/data/planted"
    gnupg.must("cp %s %s", gnupg.quote(own:key_file(part.keygrip)), gnupg.quote(planted))
    assert.are.equal(planted, adopting.find_secret(who, own, fingerprint))
    os.remove(planted)
  end

  -- every file's content, by its path
  local function snapshot(directory)
    local text = gnupg.must("find %s -type f ! -name '*.lock' ! -name random_seed -exec sha256sum {} + | sort -k2",
      gnupg.quote(directory))
    assert(text:find("pubring.kbx", 1, true))
    return text
  end

  it("P3.6 opens, chats and comes back after a restart, and no secret of it is below our home", function()
    local fingerprint = own:key()
    local before = snapshot(own.directory)
    local alice = adopting.absent("alice", own):start()
    local identity = adopting.adopt(alice, fingerprint)
    assert.are.same({ fingerprint, "Alice Example", false, true, false },
      { identity.fingerprint, identity.name, identity.locked, identity.adopted, identity.card })
    local bob = cores.person("bob")
    cores.meet(alice, bob)
    local id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
    check_no_secret(alice, fingerprint)
    alice:restart()
    adopting.unlocked(alice)
    assert.are.equal(fingerprint, alice:call("system.info").fingerprint)
    alice:event("discussion.resumed", { id = id })
    cores.talk(id, bob, alice)
    local second = cores.open_between(bob, alice, "another one")
    cores.talk(second, alice, bob)
    check_no_secret(alice, fingerprint)
    -- and it is the user's agent that works, and goes on when the core ends
    local agent = assert(own:agent())
    alice:stop()
    assert.are.equal(agent, own:agent())
    assert.are.equal(0, own:asked())
    assert.are.equal(before, snapshot(own.directory))
  end)

  it("P3.6 survives kill -9 of its core, and its agent's end", function()
    local alice = adopting.person("alice", own, own:key())
    local bob = cores.person("bob")
    cores.meet(alice, bob)
    local id = cores.open_between(alice, bob)
    alice:kill()
    own:end_agent()
    alice:start()
    adopting.unlocked(alice)
    assert.is_truthy(own:agent())
    alice:event("discussion.resumed", { id = id })
    cores.talk(id, alice, bob)
    own:end_agent()
    local second = cores.open_between(alice, bob, "another one")
    cores.talk(second, bob, alice)
  end)

  it("P1.2 is proven and opened though it is RSA, and no datagram holds its certificate", function()
    local vectors, theirs = sys.cwd() .. "/spec/vectors/", adopting.gnupg "bob"
    local alice = adopting.person("alice", own, own:import(vectors .. "rsa4096_a.asc"))
    local bob = adopting.person("bob", theirs, theirs:import(vectors .. "rsa4096_b.asc"))
    assert.are.equal("RSA a", alice:call("identity.show").name)
    cores.meet(alice, bob)
    assert.are.equal(1, alice:metrics()["introductions_asked:taken"])
    local id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
    -- who is known stays proven, and is not asked again
    alice:restart()
    adopting.unlocked(alice)
    assert.is_true(alice:call("peers.show", { peer = bob.fingerprint }).proven)
    alice:event("discussion.resumed", { id = id })
    cores.talk(id, bob, alice)
    cores.meet(alice, bob)
    assert.is_nil(alice:metrics()["introductions_asked:taken"])
    check_no_secret(alice, alice.fingerprint)
  end)

  it("P3.6 may keep its primary key elsewhere: a subkey signs, and others take its word", function()
    local fingerprint = own:key { sign = "ed25519", user_id = "alice@example.org" }
    local parts = own:parts(fingerprint)
    os.remove(own:key_file(parts[1].keygrip))
    own:end_agent()
    local alice = adopting.person("alice", own, fingerprint)
    assert.are.equal("alice@example.org", alice:call("identity.show").name)
    local bob = cores.person("bob")
    cores.meet(alice, bob)
    cores.talk(cores.open_between(alice, bob), alice, bob)
    cores.talk(cores.open_between(bob, alice, "the other way"), bob, alice)
  end)

  it("P1.7 is told to others without what it has gathered in years", function()
    local fingerprint = own:key { sign = "ed25519" }
    for i = 1, 12 do own:gpg(("--quick-add-uid %s 'Alice %d'"):format(fingerprint, i)) end
    for _ = 1, 5 do own:gpg(("--quick-add-key %s cv25519 encrypt"):format(fingerprint)) end
    local friend = own:key { user_id = "Friend" }
    own:gpg(("-u %s --quick-sign-key %s"):format(friend, fingerprint))
    own:gpg(("--quick-set-primary-uid %s 'Alice 7'"):format(fingerprint))
    local alice = adopting.person("alice", own, fingerprint)
    assert.are.equal("Alice 7", alice:call("identity.show").name)
    local home = alice.home .. "/data/homes/"
    for _, name in ipairs(alice:homes()) do
      local keys = gnupg.run("gpg --homedir %s%s --with-colons --list-sigs %s", home, name, fingerprint)
      if keys:find("\nuid:") then
        assert.are.equal(1, select(2, keys:gsub("\nuid:", "")))
        assert.are.equal(2, select(2, keys:gsub("\nsub:", "")))
        assert.are.equal(3, select(2, keys:gsub("\nsig:", "")))
        home = nil
        break
      end
    end
    assert.is_nil(home, "its home was not found")
    local bob = cores.person("bob")
    cores.meet(alice, bob)
  end)

  -- The key expires, as time would do it: in the user's GnuPG, and in the home of a core that does not run.
  local function expire(fingerprint, who)
    own:gpg("--quick-set-expire " .. fingerprint .. " seconds=1")
    cores.ask("a key expires", function()
      return own:gpg("--with-colons --list-keys " .. fingerprint):find("pub:e:", 1, true)
    end)
    local path = cores.root() .. "/expired"
    gnupg.write(path, own:gpg("--export " .. fingerprint))
    for _, name in ipairs(who:homes()) do
      local home = ("--homedir %s/data/homes/%s"):format(who.home, name)
      if gnupg.run("gpg %s --list-keys %s", home, fingerprint):find(fingerprint, 1, true) then
        gnupg.must("gpg %s -q --batch --import %s", home, path)
      end
    end
  end

  it("P3.6 has the certificate that its owner gives it: one that has expired and is extended is of use again", function()
    local fingerprint = own:key()
    local alice, bob = adopting.person("alice", own, fingerprint), cores.person "bob"
    cores.meet(alice, bob)
    local id = cores.open_between(alice, bob)
    alice:stop()
    expire(fingerprint, alice)
    alice:start()
    adopting.unlocked(alice)
    -- what is open has keys of its own
    alice:event("discussion.resumed", { id = id })
    cores.talk(id, alice, bob)
    local other = alice:call("discussions.open", { peer = bob.fingerprint, password = "pw" }).id
    assert.are.equal("locked", alice:event("discussion.refused", { id = other }).reason)
    local warning = alice:event("warning", function(w) return w.text:find("your key has expired", 1, true) end)
    assert.truthy(warning.text:find("extend it in your GnuPG", 1, true), warning.text)
    assert.are.equal("not_found", alice:fails "identity.unlock")
    -- extended while the core runs: whatever needs it next takes it
    own:gpg("--quick-set-expire " .. fingerprint .. " 1y")
    cores.talk(cores.open_between(alice, bob, "extended"), alice, bob)
    assert.is_false(alice:call("identity.unlock").locked)
    -- and others have it by now
    cores.talk(cores.open_between(bob, alice, "the other way"), bob, alice)
    alice:restart()
    adopting.unlocked(alice)
    alice:event("discussion.resumed", { id = id })
    cores.talk(cores.open_between(alice, bob, "after a restart"), alice, bob)
    check_no_secret(alice, fingerprint)
  end)

  it("P3.6 is refused with its reason where it cannot serve", function()
    local alice = adopting.absent("alice", own):start()
    local function refused(fingerprint, name, text)
      local got, message = alice:fails("identity.adopt", { fingerprint = fingerprint })
      assert.are.same({ name, true }, { got, message:find(text, 1, true) ~= nil }, message)
    end
    assert.are.same({}, alice:call("identity.candidates"))
    assert.is_false(sys.exists(own.directory .. "/pubring.kbx"))
    refused(("0"):rep(40), "not_found", "there are no keys in your GnuPG")
    local good = own:key { user_id = "Good" }
    refused(("0"):rep(40), "not_found", "there is no key " .. ("0"):rep(40))
    refused(good:lower(), "bad_params", "40 upper-case hex digits")
    refused(own:key { user_id = "Signs", subkey = false }, "bad_params", "it has no valid encryption subkey")
    local public = own:key { user_id = "Public" }
    for _, part in ipairs(own:parts(public)) do os.remove(own:key_file(part.keygrip)) end
    own:end_agent()
    refused(public, "not_found", "your agent does not have the secret of its signing key")
    local expired = own:key { user_id = "Expired", expires = "seconds=1" }
    cores.ask("a key expires", function()
      return own:gpg("--with-colons --list-keys " .. expired):find("pub:e:", 1, true)
    end)
    refused(expired, "bad_params", "it has expired")
    local revoked = own:key { user_id = "Revoked" }
    local revocation = gnupg.read(("%s/openpgp-revocs.d/%s.rev"):format(own.directory, revoked))
    own:gpg("--import", (revocation:gsub("\n:%-", "\n-")))
    refused(revoked, "bad_params", "it is revoked")
    -- nothing is left of it, and a fitting one is taken
    assert.is_nil(alice:call("identity.show").fingerprint)
    cores.ask("nothing is left", function() return #alice:homes() == 0 end)
    local list = alice:call("identity.candidates")
    assert.are.same({ good, true }, { list[1].fingerprint, list[1].usable })
    assert.are.equal(4, #list) -- that without a secret is none
    for i = 2, 4 do
      assert.is_false(list[i].usable)
      assert.is_string(list[i].reason)
    end
    adopting.adopt(alice, good, { name = "Alicia" })
    assert.are.equal("Alicia", alice:call("identity.show").name)
    refused(good, "wrong_state", "there is an identity already")
    assert.are.equal("wrong_state", alice:fails("identity.create", { name = "x" }))
  end)
end)
