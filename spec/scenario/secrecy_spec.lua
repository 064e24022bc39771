-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is said and what is known stays out of every file, of the log, and of what other processes can see of a core
-- (P2.4, P4.4): after a conversation, after kill -9 with everything under way, and after a good end.
local command = require "support.command"
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"

-- long enough to be nobody else's
local PASSWORD = "Zwetschgen-7391-Datschi"
local WRONG = "Apfel-5518-Strudel"
local PASSPHRASE = "Marillen-2246-Knoedel"
local FRESH = "Topfen-9034-Tascherl"
local TEXTS = { "the Kaiserschmarrn is at nine", "bring Powidl, and tell nobody", "Buchteln: \"ja\" \\ nein", "ümläut Grießnockerl" }

describe("no secret", function()
  local alice, bob, id

  -- Everything that must not be found, in the forms in which it passes through the core.
  local function secrets()
    local found = { PASSWORD, WRONG, PASSPHRASE, FRESH }
    for _, text in ipairs(TEXTS) do
      found[#found + 1] = text
      found[#found + 1] = text:match "%a+n%a+" -- a word of it, whatever was escaped
    end
    return found
  end

  local function is_clean(what, content)
    for _, secret in ipairs(secrets()) do
      local at = content:find(secret, 1, true)
      assert.is_nil(at, ("%s has %q"):format(what, secret))
    end
  end

  local function files_are_clean()
    local count = 0
    for _, path in ipairs(system.files(cores.root())) do
      is_clean(path, system.read(path) or "")
      count = count + 1
    end
    assert.is_true(count > 10, count)
  end

  local function log_is_clean()
    for _, who in ipairs { alice, bob } do
      assert.is_true(#who.log > 10)
      is_clean(who.name .. "'s log", table.concat(who.log, "\n"))
    end
  end

  -- Arguments and environment of the cores, their agents, and of any gpg that runs at this moment.
  local function processes_are_clean()
    for _, process in ipairs(system.processes(cores.root())) do
      is_clean(process.program .. "'s arguments", table.concat(process.arguments, " "))
      is_clean(process.program .. "'s environment", system.read_proc(process.pid, "environ") or "")
    end
  end

  -- Other ways to get it than by the control socket: nobody else may read, and no core file is written.
  local function nobody_else_may_look()
    assert.are.equal("", system.shell(("find %s %s -perm /077 ! -type l -print"):format(alice.home, bob.home)))
    for _, who in ipairs { alice, bob } do
      assert.truthy(system.read_proc(who:pid(), "limits"):find "Max core file size%s+0%s+0")
    end
  end

  setup(function()
    alice, bob = cores.person("alice", { passphrase = PASSPHRASE }), cores.person "bob"
    cores.meet(alice, bob)
    -- a wrong password, a weak one's warning, the right one
    local refused = cores.request(alice, bob, WRONG)
    bob:call("discussions.accept", { discussion = refused, password = PASSWORD })
    cores.all_events("discussion.refused", refused, alice, bob)
    id = cores.open_between(alice, bob, PASSWORD)
    for _, text in ipairs(TEXTS) do
      local sent = alice:send(id, text)
      bob:event("message.received", { id = sent.id })
      bob:send(id, text)
      alice:event("message.delivered", { id = sent.id })
    end
    alice:fails("messages.send", { discussion = id, text = TEXTS[1]:rep(4000) })
    alice:fails("discussions.open", { peer = "nobody", password = PASSWORD })
    alice:fails("identity.unlock", { passphrase = PASSPHRASE, extra = TEXTS[1] })
    alice:fails("identity.passphrase", { old = WRONG, new = FRESH })
    alice:call("identity.passphrase", { old = PASSPHRASE, new = FRESH })
    alice:call("messages.search", { query = TEXTS[2] })
    -- a line that is none, with all of it
    alice.control:send(('{"method":"discussions.open","params":{"password":"%s","text":"%s"'):format(PASSWORD, TEXTS[2]))
    cores.wait("the answer to it", function() return alice.control.strays[1] end)
  end)
  teardown(cores.clean)

  it("P4.4 P2.4 is in a file or the log after a conversation", function()
    files_are_clean()
    log_is_clean()
    nobody_else_may_look()
  end)

  it("P2.4 is in what other processes see of a core at work", function()
    for i = 1, 20 do
      alice.control:request("messages.send", { discussion = id, text = TEXTS[i % #TEXTS + 1] })
      processes_are_clean()
    end
    processes_are_clean()
  end)

  it("P2.4 is in what the command line leaves, or in its arguments", function()
    local sotto = command.of(bob.home)
    local given = command.run({ "--home", bob.home, "discussions", "open", "--peer", "alice", "--password", "-" }, PASSWORD .. "\n")
    assert.is_true(given.status == 0 or given.status == 1)
    is_clean("its error", given.err)
    assert.are.equal(2, sotto("discussions", "open", "--peer", "alice", "--password", PASSWORD).status)
    for _, name in ipairs { "/input", "/out", "/err" } do os.remove(cores.root() .. name) end
    files_are_clean()
  end)

  it("P4.4 is in a file after kill -9 of both with messages under way", function()
    for i = 1, 100 do
      alice.control:request("messages.send", { discussion = id, text = TEXTS[i % #TEXTS + 1] })
      bob.control:request("messages.send", { discussion = id, text = TEXTS[i % #TEXTS + 1] })
    end
    alice:event("message.received", function(message) return message.text == TEXTS[1] end)
    alice:kill()
    bob:kill()
    files_are_clean()
    log_is_clean()
  end)

  it("P4.4 is in a file after a good end, or after the discussion's", function()
    alice:start()
    alice:call("identity.unlock", { passphrase = FRESH })
    bob:start()
    cores.state(alice, id, "open")
    cores.state(bob, id, "open")
    -- all of it is still there for who asks
    assert.is_true(#alice:texts(id) >= 28)
    assert.are.equal(TEXTS[1], alice:texts(id)[1])
    alice:call("discussions.close", { discussion = id })
    bob:event("discussion.closed", { id = id })
    alice:stop()
    bob:stop()
    files_are_clean()
    log_is_clean()
    assert.is_true(sys.exists(alice.home .. "/data/sotto.db"))
  end)

  -- or the search above would prove nothing
  it("would be found if it were there", function()
    local path = cores.root() .. "/planted"
    system.write(path, "so much to say, " .. TEXTS[3])
    assert.is_false(pcall(files_are_clean))
    os.remove(path)
    assert.is_false(pcall(is_clean, "a text", "password: " .. PASSWORD))
  end)
end)
