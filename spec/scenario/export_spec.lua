-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an export proves to somebody who has nothing but stock gpg (P3.11, P2.10).
local cores = require "support.cores"
local group = require "support.group"
local json = require "sotto.json"
local sys = require "sotto.sys"
local system = require "support.system"

describe("an export, under stock gpg,", function()
  local alice, bob, id, sent, gnupg, path

  -- runs gpg in a home that knows nothing but what was imported
  local function gpg(arguments)
    return system.shell(("GNUPGHOME=%s gpg --batch --status-fd 1 %s"):format(gnupg, arguments))
  end

  local function export_at(who, name)
    local at = cores.root() .. "/" .. name
    return at, who:call("discussions.export", { discussion = id, path = at })
  end

  local function import(certificate, from)
    local output, status = gpg("--import " .. system.quote((from or path) .. "/certificates/" .. certificate))
    assert.are.equal(0, status, output)
  end

  -- the names, without their endings, of the sender's sealed messages
  local function sealed_by(who, from)
    local found = {}
    for _, name in ipairs(assert(sys.list((from or path) .. "/sealed"))) do
      local base = name:match("^(" .. who.fingerprint .. "%-.*)%.pgp$")
      if base then found[#found + 1] = base end
    end
    return found
  end

  local function primary_fingerprint(certificate)
    local output = gpg("--show-keys --with-colons " .. system.quote(path .. "/certificates/" .. certificate))
    return output:match "\nfpr:::::::::(%x+):" or output:match "^fpr:::::::::(%x+):"
  end

  local function open_sealed(base, from)
    local file = ("%s/sealed/%s"):format(from or path, base)
    local plain = cores.root() .. "/plain"
    os.remove(plain)
    local key = assert(system.read(file .. ".key"))
    local output, status = gpg(("--override-session-key %s --output %s --decrypt %s"):format(system.quote(key), plain,
      system.quote(file .. ".pgp")))
    return status, output, system.read(plain)
  end

  local function texts_of(payload)
    local texts = {}
    for _, item in ipairs(json.decode(payload).items) do
      if item.text then texts[#texts + 1] = item.text end
    end
    return texts
  end

  -- every message of alice's that bob holds is opened, and was signed by her discussion key
  local function check_all(from)
    local signer, texts = primary_fingerprint(alice.fingerprint .. ".discussion.pgp"), {}
    local names = sealed_by(alice, from)
    local function place(name)
      local epoch, sequence = name:match "%-(%d+)%-(%d+)$"
      return ("%010d%010d"):format(epoch, sequence)
    end
    table.sort(names, function(a, b) return place(a) < place(b) end)
    for _, base in ipairs(names) do
      local status, output, payload = open_sealed(base, from)
      assert.are.equal(0, status, output)
      assert.truthy(output:find("[GNUPG:] DECRYPTION_OKAY", 1, true), output)
      assert.truthy(output:find("[GNUPG:] GOODMDC", 1, true), output)
      assert.are.equal(signer, output:match "%[GNUPG:%] VALIDSIG (%x+) ")
      for _, text in ipairs(texts_of(payload)) do texts[#texts + 1] = text end
    end
    assert.are.same(sent, texts)
  end

  local function check_bindings(at, people)
    for _, who in ipairs(people) do
      import(who.fingerprint .. ".general.pgp", at)
      local base = system.quote(("%s/certificates/%s.binding"):format(at, who.fingerprint))
      local output, status = gpg(("--verify %s.sig %s"):format(base, base))
      assert.are.equal(0, status, output)
      assert.are.equal(who.fingerprint, output:match "%[GNUPG:%] VALIDSIG [^\n]* (%x+)\n")
    end
  end

  setup(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
    sent = {}
    for i = 1, 3 do
      sent[i] = ("message %d of alice, with an ümlaut and a \"quote\""):format(i)
      local message = alice:send(id, sent[i])
      bob:event("message.received", { id = message.id })
    end
    bob:send(id, "bob's own")
    alice:event "message.received"
    path = export_at(bob, "export")
    gnupg = cores.root() .. "/gnupg"
    assert(sys.make_private_directory(gnupg))
  end)
  teardown(function()
    if gnupg then system.shell("gpgconf --homedir " .. gnupg .. " --kill all") end
    cores.clean()
  end)

  it("P3.11 knows the signature bad without the certificate, and good with it", function()
    local status, output = open_sealed(sealed_by(alice)[1])
    assert.are_not.equal(0, status)
    assert.truthy(output:find("[GNUPG:] ERRSIG", 1, true), output)
    import(alice.fingerprint .. ".discussion.pgp")
    check_all()
  end)

  it("P3.11 has everything that it names, and the messages as the API has them", function()
    local lines = {}
    for line in assert(system.read(path .. "/messages.jsonl")):gmatch "[^\n]+" do lines[#lines + 1] = json.decode(line) end
    assert.are.equal(#sent + 1, #lines)
    for i, text in ipairs(sent) do
      assert.are.equal(text, lines[i].text)
      assert.are.equal(alice.fingerprint, lines[i].sender)
    end
    assert.are.equal(id, json.decode(system.read(path .. "/roster.json")).discussion)
    assert.truthy(system.read(path .. "/README"):find("override-session-key", 1, true))
    -- what bob sealed himself has no session key on his disk: his own words need no proof to him
    for _, base in ipairs(sealed_by(bob)) do
      assert.is_nil(system.read(path .. "/sealed/" .. base .. ".key"))
    end
    local output = system.shell("find " .. path .. " -perm /077 -print")
    assert.are.equal("", output)
  end)

  it("P2.10 ties each discussion key to a person by the binding", function()
    check_bindings(path, { alice, bob })
    -- and not another key, nor in another's name
    local text = cores.root() .. "/binding"
    local file = ("%s/certificates/%s.binding"):format(path, alice.fingerprint)
    local binding = system.read(file)
    system.write(text, binding:sub(1, -2) .. string.char(binding:byte(-1) ~ 1))
    assert.are_not.equal(0, (select(2, gpg(("--verify %s.sig %s"):format(file, text)))))
    local other = ("%s/certificates/%s.binding"):format(path, bob.fingerprint)
    assert.are_not.equal(0, (select(2, gpg(("--verify %s.sig %s"):format(other, file)))))
  end)

  it("P3.11 fails where a bit of the ciphertext is another", function()
    import(alice.fingerprint .. ".discussion.pgp")
    local base = sealed_by(alice)[1]
    local sealed = system.read(path .. "/sealed/" .. base .. ".pgp")
    local copy = cores.root() .. "/tampered"
    system.shell(("mkdir -p %s/sealed && cp %s/sealed/%s.key %s/sealed"):format(copy, path, base, copy))
    for _, place in ipairs { #sealed, #sealed - 30, #sealed // 2 + 60 } do
      local changed = sealed:sub(1, place - 1) .. string.char(sealed:byte(place) ~ 1) .. sealed:sub(place + 1)
      system.write(copy .. "/sealed/" .. base .. ".pgp", changed)
      local status, output = open_sealed(base, copy)
      assert.are_not.equal(0, status, "byte " .. place)
      assert.is_nil(output:find("[GNUPG:] DECRYPTION_OKAY", 1, true))
    end
  end)

  it("goes into an empty directory only", function()
    assert.are.equal("wrong_state", bob:fails("discussions.export", { discussion = id, path = path }))
    assert.are.equal("bad_params", bob:fails("discussions.export", { discussion = id, path = "here" }))
    local name = bob:fails("discussions.export", { discussion = id, path = "/nowhere/at/all" })
    assert.truthy(name == "not_found" or name == "io", name)
    assert.are.equal("not_found", bob:fails("discussions.export", { discussion = ("0"):rep(32), path = path }))
  end)

  it("P2.10, P3.11 also after the charter has changed: of all epochs, and by whom each came in", function()
    local dan = cores.person "dan"
    alice:call("proposals.create", { discussion = id, op = "charter", charter = "1" })
    group.consent(id, "charter", { bob })
    group.wait("the charter", function() return group.agree(id, { alice, bob }).charter == "1" end)
    sent[#sent + 1] = group.say(id, alice, { bob }).text
    group.know(alice, dan)
    group.join(id, alice, dan)
    group.agree(id, { alice, bob, dan })
    sent[#sent + 1] = group.say(id, alice, { bob, dan }).text
    -- whoever came in later has what proves who the others are, and what was said since
    local later = export_at(dan, "later")
    check_bindings(later, { alice, bob, dan })
    local names = sealed_by(alice, later)
    assert.is_true(#names > 0)
    for _, name in ipairs(names) do assert.are.equal("2", (name:match "%-(%d+)%-%d+$")) end
    -- and of whoever went again
    dan:call("discussions.leave", { discussion = id })
    group.agree(id, { alice, bob })
    path = export_at(bob, "changed")
    import(alice.fingerprint .. ".discussion.pgp")
    check_all()
    check_bindings(path, { alice, bob, dan })
  end)

  it("P3.11 works also when the discussion is closed and its keys are gone", function()
    import(alice.fingerprint .. ".discussion.pgp")
    check_all()
    alice:call("discussions.close", { discussion = id })
    bob:event("discussion.closed", { id = id })
    check_all()
    local again = export_at(bob, "again")
    check_all(again)
    bob:restart()
    check_all((export_at(bob, "restarted")))
  end)
end)

describe("an export of a long history", function()
  local alice, bob, id

  setup(function()
    alice, bob = cores.person("alice", { passphrase = "open sesame" }), cores.person "bob"
    cores.meet(alice, bob)
    id = cores.open_between(alice, bob)
    for batch = 1, 4 do
      local texts = {}
      for i = 1, 1000 do texts[i] = ("message %d of batch %d"):format(i, batch) end
      bob:call("messages.send", { discussion = id, texts = texts })
    end
    cores.ask("all of it to arrive", function()
      local last = alice:call("messages.list", { discussion = id, limit = 1 })[1]
      return last and last.text == "message 1000 of batch 4"
    end)
  end)
  teardown(cores.clean)

  local function begin(name)
    local path = cores.root() .. "/" .. name
    return alice.control:request("discussions.export", { discussion = id, path = path }), path
  end

  local function fails_as(request, name, path)
    assert.are.equal(name, alice.control:answer(request).error.data.name)
    cores.wait("nothing to be left of it", function() return not sys.exists(path) end)
  end

  it("keeps nobody waiting, and is written once at a time", function()
    local control = alice.control
    local request, path = begin "whole"
    -- all of it at once: where this process stands still for a while, it is still the order that tells
    local look = control:request("discussions.show", { discussion = id })
    local again = control:request("discussions.export", { discussion = id, path = path .. "-too" })
    local seen, refused = control:answer(look), control:answer(again)
    assert.are.equal(id, seen.result.id)
    assert.are.equal("busy", refused.error.data.name)
    cores.talk(id, bob, alice)
    local answer = control:answer(request)
    assert.is_true(math.max(seen.place, refused.place) < answer.place, "it was written in one go")
    local result = answer.result
    assert.is_true(result.messages >= 4000, result.messages)
    local lines, last = 0, nil
    for line in assert(system.read(path .. "/messages.jsonl")):gmatch "[^\n]+" do
      lines = lines + 1
      last = last or json.decode(line).text
    end
    assert.are.equal(result.messages, lines)
    assert.are.equal("message 1 of batch 1", last)
    assert.truthy(system.read(path .. "/README"))
    -- what others sent has its key, what was sent oneself has none
    local sealed, keys = 0, 0
    for _, name in ipairs(assert(sys.list(path .. "/sealed"))) do
      if name:find "%.pgp$" then sealed = sealed + 1 else keys = keys + 1 end
    end
    assert.are.equal(result.sealed, sealed)
    assert.is_true(keys > 0 and keys <= sealed)
  end)

  it("ends with the identity's lock, the discussion's, and the core's, and leaves nothing", function()
    local request, path = begin "locked"
    alice:call "identity.lock"
    fails_as(request, "locked", path)
    alice:call("identity.unlock", { passphrase = "open sesame" })
    request, path = begin "stopped"
    alice:stop()
    assert.are.equal("canceled", alice.control.answers[request].error.data.name)
    assert.is_false(sys.exists(path))
    alice:start()
    alice:call("identity.unlock", { passphrase = "open sesame" })
    cores.state(alice, id, "open")
    alice:call("discussions.close", { discussion = id })
    bob:event("discussion.closed", { id = id })
    request, path = begin "forgotten"
    cores.ask("the discussion to be forgotten", function() return alice:try("discussions.forget", { discussion = id }) end)
    local answer = alice.control:answer(request)
    assert.truthy(answer.result or answer.error.data.name == "canceled")
    if answer.error then assert.is_false(sys.exists(path)) end
  end)
end)
