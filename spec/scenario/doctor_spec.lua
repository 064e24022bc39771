-- SPDX-License-Identifier: GPL-3.0-or-later
-- Each finding of the doctor, provoked: what is broken is really broken here, and looked at as a user would.
local clinic = require "support.clinic"
local command = require "support.command"
local cores = require "support.cores"
local doctor = require "sotto.doctor"
local gnupg = require "support.gnupg"
local sanitizer = require "support.sanitizer"
local small_disk = require "support.small_disk"
local socket = require "support.net_socket"
local sys = require "sotto.sys"
local system = require "support.system"

local namespaces = clinic.possible()

-- a program that says it is another version
local function fake(name, text)
  local path = cores.root() .. "/" .. name
  assert(sys.write_file(path, "#!/bin/sh\necho '" .. text .. "'\n", tonumber("755", 8)))
  return path
end

local function says(text, ...)
  for _, part in ipairs { ... } do assert.truthy(text:find(part, 1, true), ("'%s' is not in: %s"):format(part, text)) end
end

describe("doctor, without a core", function()
  local home

  before_each(function() home = cores.root() .. "/patient" end)
  after_each(cores.clean)

  local function find(...) return clinic.find(home, ...) end

  it("finds nothing wrong on a machine that is in order, and says what it could not look at", function()
    local result = clinic.look(home)
    assert.are.equal(0, result.status)
    for _, one in ipairs(result.findings) do
      assert.is_true(one.status == "ok" or one.status == "skip" or one.check == "network", one.text)
      assert.is_true(#one.text > 0 and not one.text:find "\n")
      assert.is_string(one.advice)
    end
    for i, check in ipairs(doctor.checks) do assert.are.equal(check.name, result.findings[i].check) end
    for _, name in ipairs { "identity", "agent", "peers" } do says(result.by[name].text, "No core runs") end
    says(result.by.core.advice, "start")
    assert.is_false(sys.exists(home)) -- it only looks
  end)

  it("has a list for people, with what to do in the next line", function()
    system.shell("mkdir -p " .. home)
    system.write(home .. "/config.lua", "listen = 7\n")
    local ran = command.of(home)("doctor")
    assert.are.equal(1, ran.status)
    says(ran.out, "\nfail  config", "config.lua:1: 'listen' must be", "\n                   Correct ", "1 thing is broken")
    assert.are.equal(2, command.of(home)("doctor", "nonsense").status)
  end)

  if namespaces then
    it("finds that gpg is missing, does not run, or is too old", function()
      local gpg = sys.gnupg().gpg
      says(find("gpg", "fail", clinic.replacing { [gpg] = "/dev/null" }), "does not run as gpg")
      says(find("gpg", "fail", clinic.replacing { [gpg] = fake("old", "gpg (GnuPG) 2.0.22") }), "2.0.22", "too old")
      says(find("gpg", "fail", clinic.replacing { [gpg] = fake("odd", "something else") }), "something else")
      local empty = cores.root() .. "/empty"
      assert(sys.make_private_directory(empty))
      local text, advice = find("gpg", "fail", { "/usr/bin/env", "PATH=" .. empty })
      says(text, "GnuPG is missing")
      says(advice, "apt-get install gnupg")
    end)

    it("finds that gpg-agent is missing or too old", function()
      local agent = sys.gnupg().agent
      local text, advice = find("gpg_agent", "fail", clinic.replacing { [agent] = "/dev/null" })
      says(text, "gpg-agent is missing")
      says(advice, "gpg-agent")
      says(find("gpg_agent", "fail", clinic.replacing { [agent] = fake("old", "gpg-agent (GnuPG) 2.1.0") }), "too old")
    end)

    it("finds that no interface can broadcast", function()
      says(find("network", "warn", clinic.offline()), "No network interface")
    end)
  end

  it("finds a home that is open to others, or can be changed by them", function()
    assert(sys.make_private_directory(home .. "/data/homes"))
    os.execute("chmod 755 " .. home .. "/data")
    local text, advice = find("home", "fail")
    says(text, home .. "/data is open to others (mode 0755)")
    says(advice, "chmod 700")
    os.execute("chmod 700 " .. home .. "/data")
    system.write(home .. "/chat.lua", "")
    os.execute("chmod 666 " .. home .. "/chat.lua")
    says(find("home", "fail"), "chat.lua can be changed by others")
    os.execute("chmod 644 " .. home .. "/chat.lua")
    find("home", "ok")
  end)

  it("finds a home that is somebody else's, or no directory", function()
    assert(sys.make_private_directory(home))
    system.write(home .. "/data", "")
    says(find("home", "fail"), home .. "/data is in the way")
    os.remove(home .. "/data")
    if sys.getuid() ~= 0 then return end
    assert(sys.make_private_directory(home .. "/data"))
    os.execute("chown 12345 " .. home .. "/data")
    says(find("home", "fail"), "belongs to another user (12345)")
  end)

  it("finds errors in config.lua and chat.lua, with their lines", function()
    assert(sys.make_private_directory(home))
    system.write(home .. "/config.lua", "\nlimits = { resume_window = -5 }\n")
    local text, advice = find("config", "fail")
    says(text, "config.lua:2: 'limits.resume_window' must be")
    says(advice, home .. "/config.lua")
    system.write(home .. "/config.lua", "while true do end")
    says(find("config", "fail"), "runs for too long")
    system.write(home .. "/config.lua", "")
    system.write(home .. "/chat.lua", "local = 1")
    says(find("config", "fail"), "chat.lua:1:")
  end)

  it("finds that the port is another program's, or the address another machine's", function()
    local fd, address = socket.listen("127.0.0.1:0", 1)
    finally(function() socket.close(fd) end)
    assert(sys.make_private_directory(home))
    system.write(home .. "/config.lua", ("listen = %q\n"):format(address))
    local text, advice = find("port", "fail")
    says(text, address .. " is taken by another program")
    says(advice, "ss -lntup sport = :" .. address:match "%d+$")
    system.write(home .. "/config.lua", 'listen = "192.0.2.1:4788"\n')
    says(find("port", "fail"), "192.0.2.1:4788")
  end)

  it("finds a store that is damaged, newer, or none at all", function()
    local patient = cores.absent("patient", { home = home }):restart()
    patient:stop()
    local store = home .. "/data/sotto.db"
    find("store", "ok")
    local whole = system.read(store)
    local bytes = whole:sub(1, 4096 * 3) .. ("\xa5"):rep(8192) .. whole:sub(4096 * 5 + 1)
    system.write(store, bytes)
    says(find("store", "fail"), "The store is damaged")
    says(select(2, patient:attempt()), "sotto.db")
    system.write(store, ("no store "):rep(1000))
    says(find("store", "fail"), "the file is not a store")
    says(select(2, patient:attempt()), "sotto.db", "not a store")
    -- user_version in the header, big-endian
    system.write(store, whole:sub(1, 60) .. string.pack(">I4", 99) .. whole:sub(65))
    local text, advice = find("store", "fail")
    says(text, "newer sotto", "schema 99")
    says(advice, "Install")
    says(select(2, patient:attempt()), "schema 99")
    system.write(store, whole)
    patient:start()
  end)

  it("finds what a core that was killed has left, and why one did not start", function()
    local patient = cores.person("patient", { home = home })
    patient:kill()
    local text, advice, result = find("leftovers", "warn")
    says(text, "gpg-agent")
    says(advice, "start")
    says(result.by.core.text, "was killed")
    patient:restart()
    patient:stop()
    find("leftovers", "ok")
    -- one that logs to its file, as in the background
    system.write(home .. "/data/log", "2026-01-01T00:00:00.000Z error the port is on fire\n")
    says(find("core", "warn"), "The last one ended with: the port is on fire")
  end)

  it("finds a low limit of descriptors", function()
    local text, advice = find("descriptors", "warn", { "prlimit", "--nofile=200:200" })
    says(text, "Only 200")
    says(advice, "ulimit -n")
    find("descriptors", "fail", { "prlimit", "--nofile=60:60" })
  end)

  it("finds that memory cannot be locked", function()
    if sanitizer then return end
    local words = { "prlimit", "--memlock=0:0" }
    if sys.getuid() == 0 then words = { "setpriv", "--bounding-set=-ipc_lock", "prlimit", "--memlock=0:0" } end
    local text, advice = find("memory", "warn", words)
    says(text, "may not lock memory")
    says(advice, "ulimit -l")
  end)

  it("finds a clock that is behind what this home has seen", function()
    cores.absent("patient", { home = home }):restart():stop()
    find("clock", "ok")
    os.execute("touch -d '+3 hours' " .. home .. "/data/sotto.db")
    local text, advice = find("clock", "warn")
    says(text, "3 hours")
    says(advice, "timedatectl")
  end)

  it("finds two programs that are not of one version", function()
    -- the front end in a folder with another core
    local folder = cores.root() .. "/install"
    assert(sys.make_private_directory(folder .. "/bin"))
    os.execute(("cp %s/sotto %s/bin/ && ln -s %s/lua %s/lua"):format(cores.BUILD, folder, sys.cwd(), folder))
    assert(sys.write_file(folder .. "/bin/sottod", "#!/bin/sh\necho sottod 9.9\n", tonumber("755", 8)))
    local output, status = system.shell(("%s/bin/sotto --home %s doctor"):format(folder, home))
    assert.are.equal(0, status)
    says(output, "warn  version", "is 9.9.")
    os.remove(folder .. "/bin/sottod")
    output, status = system.shell(("%s/bin/sotto --home %s doctor"):format(folder, home))
    assert.are.equal(1, status)
    says(output, "fail  version", "does not run")
  end)

  it("finds a disk that is nearly full, full, or read-only", function()
    local disk = small_disk.new(cores.root(), "patient", 8)
    finally(function() disk:free() end)
    local through = disk:command {}
    says(find("disk", "warn", through), "nearly full")
    disk:fill()
    local text, advice = find("disk", "fail", through)
    says(text, "The disk is full", home)
    says(advice, "Make room")
    disk:make_room()
    find("disk", "warn", through)
    disk:remount "ro"
    says(find("home", "fail", through), "Cannot write in " .. home, "Read-only file system")
  end)

  it("finds a disk that takes no more files", function()
    local disk = small_disk.new(cores.root(), "patient", 100, 40)
    finally(function() disk:free() end)
    says(find("disk", "fail", disk:command {}), "more files")
  end)
end)

describe("doctor, with a core", function()
  after_each(cores.clean)

  it("finds nothing wrong with one that works, from outside and by the API", function()
    local alice, bob = cores.pair()
    cores.talk(cores.open_between(alice, bob), alice, bob)
    -- the second record is one of a proven peer
    alice:call("peers.probe", { address = bob.address })
    local result = clinic.look(alice.home)
    assert.are.equal(0, result.status)
    for _, one in ipairs(result.findings) do assert.are.equal("ok", one.status, one.check .. ": " .. one.text) end
    says(result.by.core.text, ("process %d"):format(alice:pid()))
    says(result.by.port.text, alice.address)
    says(result.by.clock.text, "agrees with another person's")
    says(result.by.agent.text, "gpg-agents answer")
    local by_api = alice:call("system.doctor")
    assert.are.equal(#result.findings, #by_api)
    for i, one in ipairs(by_api) do
      assert.are.equal(result.findings[i].check, one.check)
      assert.are.equal("ok", one.status)
    end
  end)

  it("finds that there is no identity, that the key is locked, and that it is open again", function()
    local alice = cores.person("alice", { identity = false })
    says(clinic.find(alice.home, "identity", "warn"), "no identity")
    alice:call("identity.create", { name = "alice", passphrase = "a long one" })
    clinic.find(alice.home, "identity", "ok")
    alice:call("identity.lock")
    local text, advice = clinic.find(alice.home, "identity", "warn")
    says(text, "locked")
    says(advice, "identity unlock")
    alice:call("identity.unlock", { passphrase = "a long one" })
    clinic.find(alice.home, "identity", "ok")
  end)

  it("finds an agent that does not answer", function()
    local alice = cores.person("alice")
    local agents
    cores.wait("the agents", function()
      agents = alice:agents()
      return #agents > 0
    end)
    for _, agent in ipairs(agents) do gnupg.stop_process(agent.pid) end
    local text, advice = clinic.find(alice.home, "agent", "fail")
    for _, agent in ipairs(agents) do sys.kill(agent.pid, "SIGCONT") end
    says(text, "not answer", "your own key")
    says(advice, "no key is lost")
    clinic.find(alice.home, "agent", "ok")
  end)

  it("finds who is seen and cannot be dialled", function()
    local alice, bob = cores.pair()
    says(clinic.find(alice.home, "peers", "ok"), "can be dialled")
    bob:kill()
    local text, advice = clinic.find(alice.home, "peers", "warn")
    says(text, "bob is seen", bob.address, "nothing listens there")
    says(advice, "firewall")
  end)

  it("finds a core that does not answer, and looks itself at what it can", function()
    local alice = cores.person("alice")
    gnupg.stop_process(alice:pid())
    finally(function() sys.kill(alice:pid(), "SIGCONT") end)
    local text, advice, result = clinic.find(alice.home, "core", "fail")
    says(text, "does not answer")
    says(advice, ("kill -9 %d"):format(alice:pid()))
    assert.are.equal("skip", result.by.identity.status)
    assert.are.equal("skip", result.by.port.status)
    assert.are.equal("ok", result.by.gpg.status)
    assert.are.equal("ok", result.by.store.status)
  end)

  it("finds a process that holds the home and serves nobody", function()
    local alice = cores.person("alice")
    os.remove(alice:socket())
    local text, advice = clinic.find(alice.home, "core", "fail")
    says(text, ("Process %d holds this home"):format(alice:pid()))
    says(advice, ("kill %d"):format(alice:pid()))
  end)

  it("finds a socket that it may not reach", function()
    local home = cores.root() .. "/odd"
    assert(sys.make_private_directory(home .. "/run"))
    system.write(home .. "/run/control.sock", "")
    os.execute("chmod 600 " .. home .. "/run/control.sock")
    local result = clinic.look(home)
    assert.is_true(result.by.core.status ~= "ok")
  end)

  it("finds directories that belong to nothing", function()
    local alice = cores.person("alice")
    clinic.find(alice.home, "leftovers", "ok")
    assert(sys.make_private_directory(alice.home .. "/data/homes/" .. ("0"):rep(32)))
    says(clinic.find(alice.home, "leftovers", "warn"), "1 directory with keys belongs to nothing")
    alice:restart()
    clinic.find(alice.home, "leftovers", "ok")
  end)

  it("finds that the core itself has few descriptors, and none left", function()
    local alice = cores.person("alice", { through = { "prlimit", "--nofile=70:70" } })
    says(clinic.find(alice.home, "descriptors", "fail"), "of 70 descriptors")
  end)

  if namespaces then
    it("finds that gpg has gone, which the core says at its start, too", function()
      local gpg, agent = sys.gnupg().gpg, sys.gnupg().agent
      local alice = cores.absent("alice", { through = clinic.replacing { [gpg] = "/dev/null" } })
      local status, output = alice:attempt()
      assert.are.equal(1, status)
      says(output, "GnuPG", "install the packages gnupg and gpg-agent")
      alice.through = clinic.replacing { [agent] = "/dev/null" }
      says(select(2, alice:attempt()), "gpg-agent is missing: install the package gpg-agent")
      alice.through = clinic.replacing { [gpg] = fake("old", "gpg (GnuPG) 2.1.18") }
      says(select(2, alice:attempt()), "GnuPG 2.1.18", "too old")
    end)
  end

  it("gives everybody who asks at once one and the same answer", function()
    local alice = cores.person("alice")
    local ids = {}
    for i = 1, 5 do ids[i] = alice.control:request("system.doctor", { command = "my sotto" }) end
    for i = 1, 5 do
      local answer = alice.control:answer(ids[i], "system.doctor")
      assert.are.equal(#doctor.checks, #answer.result)
    end
    assert.are.equal("bad_params", (alice.control:fails("system.doctor", { command = 7 })))
  end)
end)
