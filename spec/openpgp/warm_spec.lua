local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"

local done, failure = gnupg.done, gnupg.failure
local SIGKILL, SIGCONT = 9, 18

describe("warm", function()
  local directory, rig, anna, bert, cleo, ids

  setup(function()
    directory = gnupg.directory()
    rig = assert(openpgp.new(directory .. "/homes"))
    anna, bert, cleo = done(rig:make_discussion {}), done(rig:make_discussion {}), done(rig:make_discussion {})
    for _, pair in ipairs { { anna, bert }, { bert, anna }, { anna, cleo }, { cleo, anna } } do
      done(rig:import { home = pair[1].home, certificate = pair[2].certificate })
    end
    ids = { bert.info.encryption }
  end)

  teardown(function()
    rig:stop()
    gnupg.remove(directory)
  end)

  before_each(function() rig:keep_warm(4) end)
  after_each(function() rig:keep_warm(0) end)

  local function turn_until(what, condition) gnupg.turn_until(rig, condition, what) end

  -- the gpg processes below us that are not dead
  local function processes()
    local found = {}
    for _, pid in ipairs(openpgp.children()) do
      local file = io.open("/proc/" .. pid .. "/cmdline")
      if file then
        if file:read("a"):match("^[^\0]*gpg\0") then found[#found + 1] = pid end
        file:close()
      end
    end
    return found
  end

  local function none_left()
    turn_until("no gpg process is left", function() return #processes() == 0 end)
  end

  -- A process that waits for its input, as the kernel sees it: gpg has read all that it reads before. Where the kernel does not
  -- say what is slept in, sleeping has to do.
  local function is_asleep_in_read(pid)
    local where = gnupg.run("cat /proc/%d/wchan", pid)
    if where ~= "" and where ~= "0" then return where:find("pipe", 1, true) ~= nil end
    return gnupg.run("cat /proc/%d/stat", pid):match "%) (%a)" == "S"
  end

  local function expect(kind, call, count)
    rig[kind](rig, call)
    turn_until("they wait", function() return rig:load().warm == (count or 1) end)
    turn_until("gpg has come to its input", function()
      local pids = processes() -- between fork and exec it is none yet
      for _, pid in ipairs(pids) do
        if not is_asleep_in_read(pid) then return false end
      end
      return #pids >= (count or 1)
    end)
  end
  local function expect_seal(count) expect("expect_seal", { home = anna.home, to = ids }, count) end
  local function expect_open(count) expect("expect_open", { home = bert.home }, count) end

  local function seal(text, options)
    local call = { home = anna.home, text = text, to = ids }
    for k, v in pairs(options or {}) do call[k] = v end
    return rig:seal(call)
  end

  local function open(message, options)
    local call = { home = bert.home, message = message, to = ids, signer = anna.info.primary.fingerprint }
    for k, v in pairs(options or {}) do call[k] = v end
    return rig:open(call)
  end

  -- how much of this was done ahead, and how much of that in vain
  local function counted(f)
    local before = rig:load()
    f()
    local after = rig:load()
    return after.ahead - before.ahead, after.ahead_in_vain - before.ahead_in_vain
  end

  describe("a process that waits", function()
    it("P3.1 seals and opens as any other, whatever the length", function()
      for _, n in ipairs { 0, 1, 511, 513, 4096, 65535, 65536, 65537, 1040000 } do
        local text = ("\0\1\255\n\r"):rep(n // 5 + 1):sub(1, n)
        expect_seal()
        expect_open(2)
        local ahead, in_vain = counted(function()
          local message = done(seal(text)).output
          local opened = done(open(message))
          assert.is_true((opened.output or "") == text, n)
          assert.are.equal("accepted", opened.verdict)
          assert.truthy(opened.session_key)
          local kinds = {}
          for i, p in ipairs(gnupg.packets(message)) do kinds[i] = p.kind end
          assert.are.same({ 1, 18 }, kinds)
        end)
        assert.are.same({ 2, 0 }, { ahead, in_vain })
      end
      none_left()
    end)

    it("is not among the running ones, and keeps nobody waiting", function()
      expect_seal()
      local load = rig:load()
      assert.are.same({ 0, 0, 1 }, { load.running, load.queued, load.warm })
      -- nine others, of which eight may run at one time
      local pendings = {}
      for i = 1, 9 do pendings[i] = assert(rig:sign { home = anna.home, text = "x" }) end
      for _, p in ipairs(pendings) do done(p) end
      assert.are.equal(1, rig:load().warm)
    end)

    it("is started again where more is to follow, and only then", function()
      local message = done(seal("one", { soon_again = true })).output
      turn_until("a sealer waits", function() return rig:load().warm == 1 end)
      done(open(message, { soon_again = true }))
      turn_until("an opener waits, too", function() return rig:load().warm == 2 end)
      assert.are.equal(2, (counted(function() done(open(done(seal("two")).output)) end)))
      assert.are.equal(0, rig:load().warm)
      none_left()
    end)

    it("serves this very list of recipients, in that order, and this home", function()
      expect_seal()
      local both = { bert.info.encryption, cleo.info.encryption }
      assert.are.equal(0, (counted(function()
        done(rig:seal { home = anna.home, text = "x", to = both })
        done(rig:seal { home = anna.home, text = "x", to = { cleo.info.encryption } })
        done(rig:seal { home = cleo.home, text = "x", to = { anna.info.encryption } })
      end)))
      expect("expect_seal", { home = anna.home, to = both }, 2)
      assert.are.equal(0, (counted(function()
        done(rig:seal { home = anna.home, text = "x", to = { both[2], both[1] } })
      end)))
      assert.are.equal(1, (counted(function()
        local message = done(rig:seal { home = anna.home, text = "to both", to = both }).output
        for _, who in ipairs { bert, cleo } do
          assert.are.equal("to both", done(open(message, { home = who.home, to = both })).output)
        end
      end)))
    end)

    it("is not used for a stranger, nor where a passphrase is given", function()
      expect_seal()
      assert.are.equal(0, (counted(function()
        done(seal("x", { stranger = true }))
        done(seal("x", { passphrase = "none is asked for" }))
      end)))
    end)

    it("P3.2 is given nothing that the packet walk refuses, and waits on", function()
      expect_open()
      local message = done(seal("x")).output
      assert.are.equal("bad_input", (failure(open(message .. "\0"))))
      assert.are.equal("bad_input", (failure(open(message, { to = { cleo.info.encryption } }))))
      assert.are.equal(1, rig:load().warm)
      assert.are.equal("x", done(open(message)).output)
    end)

    it("P3.4 lets nothing through that another would not", function()
      local message = done(seal("x")).output
      local broken = message:sub(1, -2) .. string.char(message:byte(-1) ~ 1)
      for _, case in ipairs {
        { broken, {} },
        { message, { signer = cleo.info.primary.fingerprint } },
        { message, { home = cleo.home } },
      } do
        local cold = { failure(open(case[1], case[2])) }
        expect("expect_open", { home = case[2].home or bert.home })
        assert.are.equal(1, (counted(function() assert.are.same(cold, { failure(open(case[1], case[2])) }) end)))
      end
    end)

    it("P3.5 is killed when it is late, from when it was given its input", function()
      expect_open()
      local message = done(seal("x")).output
      gnupg.stop_process(processes()[1])
      local begin = openpgp.now()
      local code, text = failure(open(message, { timeout = 300 }))
      assert.are.equal("timeout", code)
      assert.truthy(text:find("open within 300 ms", 1, true))
      assert.is_true(openpgp.now() - begin >= 0.3)
      none_left()
      assert.are.equal("x", done(open(message)).output)
    end)

    it("can be cancelled once it was taken", function()
      expect_open()
      local message = done(seal("x")).output
      gnupg.stop_process(processes()[1])
      local pending = open(message)
      pending:cancel()
      assert.are.equal("canceled", (failure(pending)))
      none_left()
    end)
  end)

  describe("what changes meanwhile", function()
    it("a key that is imported ends the sealers of that home, for they have read the keyring", function()
      expect_seal()
      expect_open(2)
      done(rig:import { home = anna.home, certificate = cleo.certificate })
      assert.are.equal(1, rig:load().warm)
      assert.are.equal(1, (counted(function() done(open(done(seal("x")).output)) end))) -- the opener
      none_left()
    end)

    it("a key that is imported is seen by an opener that waited before", function()
      local dora = done(rig:make_discussion {})
      done(rig:import { home = dora.home, certificate = bert.certificate })
      local message = done(rig:seal { home = dora.home, text = "hello", to = ids }).output
      expect_open()
      done(rig:import { home = bert.home, certificate = dora.certificate })
      local ahead, in_vain = counted(function()
        assert.are.equal("hello", done(open(message, { signer = dora.info.primary.fingerprint })).output)
      end)
      assert.are.same({ 1, 0 }, { ahead, in_vain })
      done(rig:destroy(dora.home))
    end)

    it("locking a home ends what waits in it, and nothing waits before its agent runs again", function()
      expect_seal()
      done(rig:lock(anna.home))
      assert.are.equal(0, rig:load().warm)
      none_left()
      assert.are.equal(0, #openpgp.agents(anna.home:path()))
      rig:expect_seal { home = anna.home, to = ids }
      for _ = 1, 20 do rig:turn() end
      assert.are.equal(0, #openpgp.agents(anna.home:path()))
      assert.are.equal(0, (counted(function() done(seal("x")) end)))
      expect_seal()
    end)

    it("a home that is destroyed or closed leaves no process, no agent and no file", function()
      for _, how in ipairs { "destroy", "close_home" } do
        local dora = done(rig:make_discussion {})
        local path = dora.home:path()
        done(rig:import { home = dora.home, certificate = bert.certificate })
        done(rig:seal { home = dora.home, text = "x", to = ids })
        expect("expect_seal", { home = dora.home, to = ids })
        expect("expect_open", { home = dora.home }, 2)
        done(rig[how](rig, dora.home))
        none_left()
        assert.are.equal(0, #openpgp.agents(path))
        assert.are.equal(how == "close_home", gnupg.exists(path))
        assert.are.equal(0, rig:load().warm)
      end
    end)

    it("an agent that was killed makes it vain, and is started again", function()
      expect_seal()
      for _, pid in ipairs(openpgp.agents(anna.home:path())) do openpgp.send_signal(pid, SIGKILL) end
      turn_until("the agent is gone", function() return #openpgp.agents(anna.home:path()) == 0 end)
      local message
      local ahead, in_vain = counted(function() message = done(seal("after all")).output end)
      assert.are.same({ 1, 1 }, { ahead, in_vain })
      assert.are.equal("after all", done(open(message)).output)
      assert.are.equal(1, #openpgp.agents(anna.home:path()))
    end)
  end)

  describe("a process that is killed", function()
    it("while it waits, is not missed", function()
      expect_seal()
      expect_open(2)
      for _, pid in ipairs(processes()) do openpgp.send_signal(pid, SIGKILL) end
      turn_until("it is known", function() return rig:load().warm == 0 end)
      assert.are.same({ 0, 0 }, { counted(function()
        assert.are.equal("x", done(open(done(seal("x")).output)).output)
      end) })
    end)

    it("just before it is taken, or with its input in hand, is replaced without a word", function()
      local message = done(seal("earlier")).output
      for _, stop in ipairs { false, true } do
        expect_seal()
        expect_open(2)
        local pids = processes()
        if stop then
          for _, pid in ipairs(pids) do gnupg.stop_process(pid) end
        else
          for _, pid in ipairs(pids) do openpgp.send_signal(pid, SIGKILL) end
        end
        local ahead, in_vain = counted(function()
          local sealing, opening = seal("once more"), open(message)
          if stop then
            for _ = 1, 5 do rig:turn() end
            for _, pid in ipairs(pids) do openpgp.send_signal(pid, SIGKILL) end
          end
          assert.are.equal("once more", done(open(done(sealing).output)).output)
          assert.are.equal("earlier", done(opening).output)
        end)
        assert.are.same({ 2, 2 }, { ahead, in_vain })
        none_left()
      end
    end)

    it("ends with a core that is killed", function()
      local script, list = directory .. "/script.lua", directory .. "/pids"
      gnupg.write(script, ([[
        package.path, package.cpath = %q, %q
        local openpgp, gnupg = require "support.openpgp", require "support.gnupg"
        local rig = assert(openpgp.new %q)
        local anna = gnupg.done(rig:make_discussion {})
        rig:keep_warm(2)
        rig:expect_open { home = anna.home }
        rig:expect_seal { home = anna.home, to = { anna.info.encryption } }
        while rig:load().warm < 2 do rig:turn() end
        gnupg.write(%q, anna.home:path() .. "\n" .. table.concat(openpgp.children(), "\n"))
        openpgp.send_signal(assert(tonumber(io.open("/proc/self/stat"):read "a":match "^%%d+")), 9)
      ]]):format(package.path, package.cpath, directory .. "/other", list))
      gnupg.lua(script)
      local home, rest = gnupg.read(list):match "^([^\n]+)\n(.*)$"
      local pids = {}
      for pid in rest:gmatch "%d+" do
        if not gnupg.run("cat /proc/%s/cmdline", pid):find("gpg-agent", 1, true) then pids[#pids + 1] = pid end
      end
      turn_until("they have ended", function()
        for _, pid in ipairs(pids) do
          if gnupg.run("cat /proc/%s/cmdline", pid):find("gpg", 1, true) then return false end
        end
        return true
      end)
      gnupg.run("gpgconf --homedir %s --kill gpg-agent", gnupg.quote(home))
    end)
  end)

  describe("few of them", function()
    it("wait at a time: the least recently used gives way", function()
      rig:keep_warm(2)
      expect_open()
      expect_seal(2)
      rig:expect_open { home = bert.home } -- used again
      rig:expect_open { home = cleo.home }
      turn_until("the third waits", function() return rig:load().warm == 2 and #processes() == 2 end)
      assert.are.equal(1, (counted(function() done(open(done(seal("x")).output)) end))) -- the seal gave way
      rig:expect_open { home = anna.home, maybe = true }
      for _ = 1, 20 do rig:turn() end
      assert.are.equal(1, rig:load().warm) -- cleo's; bert's place is kept, and there is no third
      rig:expect_open { home = bert.home, maybe = true }
      turn_until("it waits again", function() return rig:load().warm == 2 end)
      rig:keep_warm(0)
      assert.are.equal(0, rig:load().warm)
      none_left()
      rig:expect_open { home = bert.home }
      for _ = 1, 20 do rig:turn() end
      assert.are.equal(0, #processes())
    end)

    it("are given up after a while without use", function()
      rig:keep_warm(2, 100)
      local begin = openpgp.now()
      rig:expect_open { home = bert.home }
      turn_until("it waits", function() return rig:load().warm == 1 end)
      turn_until("it is given up", function() return rig:load().warm == 0 end)
      assert.is_true(openpgp.now() - begin >= 0.1)
      none_left()
    end)

    it("are ended at once by cool", function()
      expect_seal()
      expect_open(2)
      rig:cool()
      assert.are.equal(0, rig:load().warm)
      none_left()
    end)

    it("leak no descriptor, taken or not", function()
      local function descriptors() return #gnupg.list "/proc/self/fd" end
      local function round()
        expect_seal()
        expect_open(2)
        done(open(done(seal("x")).output))
        rig:expect_seal { home = anna.home, to = ids }
        turn_until("it waits", function() return rig:load().warm == 1 end)
        rig:cool()
        none_left()
      end
      for _ = 1, 3 do round() end
      local before = descriptors()
      for _ = 1, tonumber(os.getenv "SOTTO_SPEC_ROUNDS") or 25 do round() end
      assert.are.equal(before, descriptors())
    end)
  end)

  it("nothing recipients_check refuses is expected", function()
    rig:expect_seal { home = anna.home, to = {} }
    rig:expect_seal { home = anna.home, to = { ids[1], ids[1] } }
    rig:expect_seal { home = anna.home, to = { "0123456789ABCDEF" } } -- gpg itself finds no such key
    turn_until("it has been seen", function() return rig:load().warm == 1 end)
    turn_until("it has ended", function() return rig:load().warm == 0 end)
    none_left()
  end)

  it("a stopped process that is discarded is killed", function()
    expect_open()
    local pid = processes()[1]
    gnupg.stop_process(pid)
    rig:cool()
    none_left()
    openpgp.send_signal(pid, SIGCONT)
  end)
end)
