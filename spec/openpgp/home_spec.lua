local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"
local socket = require "support.net_socket"
local waiting = require "support.waiting"

local done, failure, quote = gnupg.done, gnupg.failure, gnupg.quote
local SIGCONT = 18

describe("home", function()
  local directory, rig

  before_each(function()
    directory = gnupg.directory()
    rig = assert(openpgp.new(directory .. "/homes"))
  end)

  after_each(function()
    rig:stop()
    gnupg.remove(directory)
  end)

  local function mode(path) return (gnupg.must("stat -c %%a %s", quote(path)):gsub("\n", "")) end

  local function aliases()
    -- what other specs remove meanwhile is not of interest
    return gnupg.run("(find /tmp \"${XDG_RUNTIME_DIR:-/tmp}\" -maxdepth 2 -path '*/sotto-??????/*' -type l -lname %s 2>/dev/null)",
      quote(directory .. "*"))
  end

  local function long_rig()
    rig:stop()
    local long = directory .. "/" .. ("d"):rep(100) .. "/" .. ("e"):rep(200 - #directory - 102)
    rig = assert(openpgp.new(long))
    return long
  end

  it("P3.6 is a private directory with settings of its own", function()
    local home = assert(rig:create_home())
    assert.truthy(home:name():match("^[0-9a-f]+$"))
    assert.are.equal(32, #home:name())
    assert.are.equal(directory .. "/homes/" .. home:name(), home:path())
    assert.are.equal(home:path(), home:gnupg_path())
    assert.are.equal("700", mode(home:path()))
    assert.are.equal("700", mode(directory .. "/homes"))
    assert.are.equal("600", mode(home:path() .. "/gpg.conf"))
    local conf = "\n" .. gnupg.read(home:path() .. "/gpg.conf")
    for _, setting in ipairs {
      "trust-model always", "no-auto-key-retrieve", "no-auto-key-locate", "disable-dirmngr", "no-random-seed-file",
      "no-auto-check-trustdb", "lock-never", "max-output %d+", "import-options import-minimal",
    } do
      assert.truthy(conf:find("\n" .. setting:gsub("%-", "%%-") .. "\n"), setting)
    end
    assert.is_nil(conf:find("no-sig-cache", 1, true))
    local _, ok = gnupg.run("gpg --homedir %s --batch --list-keys", quote(home:path()))
    assert.is_true(ok) -- gpg knows all of them
  end)

  it("P4.1 opens what there is, once, and nothing else", function()
    local home = assert(rig:create_home())
    local name = home:name()
    assert.are.equal("wrong_state", select(2, rig:open_home(name)))
    done(rig:close_home(home))
    home = assert(rig:open_home(name))
    assert.are.equal(name, home:name())
    assert.are.equal("not_found", select(2, rig:open_home(("0"):rep(32))))
    for _, bad in ipairs { "", "..", "../" .. name, name:upper() .. "/", name:sub(2), name .. "0" } do
      assert.are.equal("bad_params", select(2, rig:open_home(bad)))
    end
  end)

  it("P4.1 is destroyed with keys, agent and files", function()
    local made = done(rig:make_discussion {})
    local path = made.home:path()
    assert.are.equal(1, #openpgp.agents(path))
    assert.are.equal(2, #gnupg.list(path .. "/private-keys-v1.d"))
    local pending = rig:destroy(made.home)
    assert.are.equal(0, #gnupg.list(path .. "/private-keys-v1.d")) -- before anything else
    done(pending)
    assert.is_false(gnupg.exists(path))
    assert.are.same({}, openpgp.agents(path))
    assert.are.same({}, gnupg.list(directory .. "/homes"))
  end)

  it("P4.1 overwrites the keys it unlinks", function()
    local made = done(rig:make_discussion {})
    local keys = made.home:path() .. "/private-keys-v1.d"
    local name = gnupg.list(keys)[1]
    local before = gnupg.read(keys .. "/" .. name)
    gnupg.must("ln %s %s", quote(keys .. "/" .. name), quote(directory .. "/hard")) -- keeps what becomes of the content
    done(rig:destroy(made.home))
    assert.are.equal(("\0"):rep(#before), gnupg.read(directory .. "/hard"))
  end)

  it("P4.1 is destroyed though its agent does not listen", function()
    local made = done(rig:make_discussion {})
    local path = made.home:path()
    local agent = openpgp.agents(path)[1]
    gnupg.stop_process(agent)
    done(rig:destroy(made.home))
    assert.are.same({}, openpgp.agents(path))
    assert.is_false(gnupg.exists(path))
  end)

  it("P4.1 is destroyed where it never had an agent, or lost its files", function()
    local home = assert(rig:create_home())
    local other = assert(rig:create_home())
    gnupg.must("rm -rf %s", quote(other:path()))
    done(rig:destroy(home))
    done(rig:destroy(other))
    assert.are.same({}, gnupg.list(directory .. "/homes"))
  end)

  -- Makes something below a path that cannot be removed; how to undo it, or nil where this machine offers no way.
  local function obstruct(path)
    local busy = quote(path .. "/busy")
    gnupg.must("mkdir %s && touch %s/file", busy, busy)
    if gnupg.run("id -u") ~= "0\n" then
      gnupg.must("chmod 500 %s", busy)
      return "chmod 700 " .. busy
    end
    if select(2, gnupg.run("mount -t tmpfs none %s", busy)) then return "umount " .. busy end
    if select(2, gnupg.run("chattr +i %s", busy)) then return "chattr -i " .. busy end
  end

  it("P4.1 says so where something is left", function()
    local home = assert(rig:create_home())
    local path = home:path()
    local undo = obstruct(path)
    if not undo then return end
    local code, text = failure(rig:destroy(home))
    gnupg.must("%s", undo)
    assert.are.equal("io", code)
    assert.truthy(text:find(path, 1, true))
  end)

  -- without a single descriptor neither /proc nor a directory can be read
  local function starved(f)
    assert(socket.starve())
    local ok, problem = pcall(f)
    assert(socket.feed())
    if not ok then error(problem, 0) end
  end

  it("P4.1 is destroyed later, keys first, where there is no descriptor for it now", function()
    local made = done(rig:make_discussion {})
    local path = made.home:path()
    starved(function()
      assert.are.equal("io", (failure(rig:destroy(made.home))))
    end)
    assert.are.equal(2, #gnupg.list(path .. "/private-keys-v1.d"))
    waiting.wait("its end", function() return not gnupg.exists(path) end)
    waiting.wait("its agent's end", function() return #openpgp.agents(path) == 0 end)
  end)

  it("is not locked as long as its agent cannot even be looked for", function()
    local made = done(rig:make_discussion {})
    starved(function()
      assert.are.equal("io", (failure(rig:lock(made.home))))
    end)
    assert.are.equal(1, #openpgp.agents(made.home:path()))
    done(rig:lock(made.home))
    assert.are.same({}, openpgp.agents(made.home:path()))
  end)

  it("P4.1 ends its agent and stays when it is closed", function()
    local made = done(rig:make_discussion {})
    local path, name = made.home:path(), made.home:name()
    done(rig:close_home(made.home))
    assert.are.same({}, openpgp.agents(path))
    assert.are.equal(2, #gnupg.list(path .. "/private-keys-v1.d"))
    local home = assert(rig:open_home(name))
    assert(done(rig:sign { home = home, text = "x" }).output)
    assert.are.equal(1, #openpgp.agents(path))
  end)

  it("P4.1 is closed with the others when the core stops", function()
    local a, b = done(rig:make_discussion {}), done(rig:make_discussion {})
    local paths = { a.home:path(), b.home:path() }
    rig:stop()
    for _, path in ipairs(paths) do
      assert.are.same({}, openpgp.agents(path))
      assert.is_true(gnupg.exists(path))
    end
    rig = assert(openpgp.new(directory .. "/homes"))
  end)

  it("works in a path of 200 bytes", function()
    local long = long_rig()
    assert.are.equal(200, #long)
    local a, b = done(rig:make_discussion {}), done(rig:make_general { name = "Anna" })
    local alias = assert(a.home:gnupg_path())
    assert.is_true(#alias < 86)
    assert.are_not.equal(a.home:path(), alias)
    assert.are.equal("700", mode(alias:match("^(.*)/")))
    done(rig:import { home = a.home, certificate = b.certificate })
    done(rig:import { home = b.home, certificate = a.certificate })
    local to = { b.info.encryption }
    local message = done(rig:seal { home = a.home, text = "far away", to = to }).output
    local opened = done(rig:open { home = b.home, message = message, to = to, signer = a.info.primary.fingerprint })
    assert.are.equal("far away", opened.output)
    assert.are.equal(1, #openpgp.agents(a.home:path()))
    local path = a.home:path()
    done(rig:lock(a.home))
    assert.are.same({}, openpgp.agents(path))
    done(rig:sign { home = a.home, text = "x" })
    done(rig:destroy(a.home))
    assert.are.same({}, openpgp.agents(path))
    assert.is_false(gnupg.exists(path))
    assert.are_not.equal("", aliases()) -- the other home's
    rig:stop()
    assert.are.equal("", aliases())
    rig = assert(openpgp.new(directory .. "/homes"))
  end)

  it("makes its short name anew where a cleaner took it", function()
    long_rig()
    local made = done(rig:make_discussion {})
    local alias = made.home:gnupg_path()
    gnupg.must("rm %s && rmdir %s", quote(alias), quote(alias:match("^(.*)/")))
    done(rig:sign { home = made.home, text = "x" })
    local path = made.home:path()
    done(rig:destroy(made.home))
    assert.are.same({}, openpgp.agents(path))
  end)

  it("keeps its short names where XDG_RUNTIME_DIR says, if that is ours alone", function()
    local runtime = directory .. "/run"
    gnupg.must("mkdir -m 700 %s", quote(runtime))
    openpgp.set_environment("XDG_RUNTIME_DIR", runtime)
    finally(function() openpgp.set_environment("XDG_RUNTIME_DIR", nil) end)
    long_rig()
    local home = assert(rig:create_home())
    assert.are.equal(runtime .. "/sotto-", assert(home:gnupg_path()):sub(1, #runtime + 7))
    rig:stop()
    assert.are.same({}, gnupg.list(runtime))
    gnupg.must("chmod 755 %s", quote(runtime))
    long_rig()
    home = assert(rig:create_home())
    assert.are.equal("/tmp/sotto-", assert(home:gnupg_path()):sub(1, 11))
  end)

  -- Another core on these homes: makes two discussion keys, then kills itself. Their names.
  local function killed_core(homes)
    local script = directory .. "/core.lua"
    gnupg.write(script, ([[
      package.cpath = %q
      local rig = assert(require "support.openpgp".new(%q))
      for _ = 1, 2 do print(assert(assert(rig:make_discussion {}):wait()).home:name()) end
      io.stdout:flush()
      os.execute("kill -9 $PPID")
    ]]):format(package.cpath, homes))
    local names = {}
    for name in gnupg.lua(script):gmatch("(%x+)\n") do
      if #name == 32 then names[#names + 1] = name end
    end
    assert.are.equal(2, #names)
    return names[1], names[2]
  end

  it("P4.1 sweeps what a killed core left, with its agents, and keeps what is listed", function()
    local kept, gone = killed_core(directory .. "/homes")
    local function path(name) return directory .. "/homes/" .. name end
    assert.are.equal(1, #openpgp.agents(path(kept)))
    assert.are.equal(1, #openpgp.agents(path(gone)))
    gnupg.write(path("junk"), "x")
    gnupg.must("mkdir %s && ln -s / %s", quote(path("other")), quote(path("link")))
    done(rig:sweep { kept, ("0"):rep(32) })
    assert.are.same({ kept }, gnupg.list(directory .. "/homes"))
    assert.are.same({}, openpgp.agents(path(kept)))
    assert.are.same({}, openpgp.agents(path(gone)))
    local home = assert(rig:open_home(kept))
    done(rig:sign { home = home, text = "still there" })
  end)

  it("P4.1 sweeps a killed core's agents that do not listen, and its short names", function()
    local long = long_rig()
    local a, b = killed_core(long)
    assert.are_not.equal("", aliases())
    for _, name in ipairs { a, b } do
      gnupg.stop_process(assert(openpgp.agents(long .. "/" .. name)[1]))
    end
    done(rig:sweep {})
    assert.are.same({}, gnupg.list(long))
    assert.are.equal("", aliases())
    assert.are.equal("", (gnupg.run("pgrep -f %s", quote("^gpg-agent.*sotto-.*(" .. a .. "|" .. b .. ")"))))
  end)

  it("P4.1 waits for an agent that a killed gpg was only starting, and ends it", function()
    local home = done(rig:make_discussion {}).home
    local path, go = home:path(), directory .. "/go"
    done(rig:lock(home))
    -- as after gpg's fork: a child of ours, in that home, with another name until it is told to go on
    gnupg.must("mkfifo %s", quote(go))
    gnupg.must("(GNUPGHOME=%s sh -c 'read go <\"$0\"; exec gpg-agent --homedir \"$GNUPGHOME\" --daemon' %s >%s 2>&1 &)",
      quote(path), quote(go), quote(directory .. "/said"))
    local told = assert(io.open(go, "w")) -- once it reads there
    local closing = rig:close_home(home)
    for _ = 1, 5 do rig:turn(0.01) end
    assert.is_false(closing:done())
    told:write("go\n")
    told:close()
    done(closing)
    assert.are.same({}, openpgp.agents(path))
    assert.are.equal("", (gnupg.run("pgrep -f %s", quote("^gpg-agent.*" .. path))))
  end)

  it("P4.1 leaves the short names of other cores alone", function()
    long_rig()
    local home = assert(rig:create_home())
    local alias = assert(home:gnupg_path())
    local script = directory .. "/sweep.lua"
    gnupg.write(script, ([[
      package.cpath = %q
      local rig = assert(require "support.openpgp".new(%q))
      assert(assert(rig:sweep {}):wait())
      rig:stop()
    ]]):format(package.cpath, directory .. "/others"))
    assert.is_true(select(2, gnupg.lua(script)))
    assert.is_true(gnupg.exists(alias))
  end)

  it("brings kept keys back where a change of passphrase was cut off", function()
    local made = done(rig:make_discussion {})
    local path, name = made.home:path(), made.home:name()
    done(rig:close_home(made.home))
    gnupg.must("cp -a %s/private-keys-v1.d %s/private-keys-kept", quote(path), quote(path))
    gnupg.must("for f in %s/private-keys-v1.d/*; do echo half > $f; done", quote(path))
    local home = assert(rig:open_home(name))
    assert.is_false(gnupg.exists(path .. "/private-keys-kept"))
    done(rig:sign { home = home, text = "x" })
    -- and not where they were only being kept
    done(rig:close_home(home))
    gnupg.must("cp -a %s/private-keys-v1.d %s/private-keys-keeping", quote(path), quote(path))
    gnupg.must("for f in %s/private-keys-keeping/*; do echo half > $f; done", quote(path))
    home = assert(rig:open_home(name))
    assert.is_false(gnupg.exists(path .. "/private-keys-keeping"))
    done(rig:sign { home = home, text = "x" })
  end)

  it("keeps what is started while it is being locked waiting, and then does it", function()
    local made = done(rig:make_discussion {})
    local first = rig:sign { home = made.home, text = "x" }
    local locked = { rig:lock(made.home), rig:lock(made.home) }
    local second = rig:sign { home = made.home, text = "x" }
    assert.are.equal("canceled", (failure(first)))
    for _ = 1, 3 do
      rig:turn(0)
      assert.is_true(not second:done() or locked[2]:done())
    end
    assert(done(second).output)
    done(locked[1])
    done(locked[2])
    locked = rig:lock(made.home) -- and is closed meanwhile
    local third = rig:sign { home = made.home, text = "x" }
    done(rig:close_home(made.home))
    assert.are.equal("canceled", (failure(third)))
    done(locked)
  end)

  it("P3.6 leaves GNUPGHOME as it was", function()
    local home = assert(rig:create_home())
    done(rig:generate { home = home, user_id = "sotto" })
    assert.is_nil(os.getenv("GNUPGHOME"))
    openpgp.set_environment("GNUPGHOME", "/nowhere")
    finally(function() openpgp.set_environment("GNUPGHOME", nil) end)
    done(rig:sign { home = home, text = "x" })
    assert.are.equal("/nowhere", os.getenv("GNUPGHOME"))
  end)

  it("stops an agent of a home in use only when told to", function()
    local made = done(rig:make_discussion {})
    local agent = openpgp.agents(made.home:path())[1]
    openpgp.send_signal(agent, SIGCONT)
    done(rig:sign { home = made.home, text = "x" })
    assert.are.same({ agent }, openpgp.agents(made.home:path()))
  end)
end)
