local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"

local done, failure, quote = gnupg.done, gnupg.failure, gnupg.quote

describe("key", function()
  local directory, rig

  setup(function()
    directory = gnupg.directory()
    rig = assert(openpgp.new(directory .. "/homes"))
  end)

  teardown(function()
    rig:stop()
    gnupg.remove(directory)
  end)

  local function homes() return #gnupg.list(directory .. "/homes") end

  local function turn_until(condition) gnupg.turn_until(rig, condition) end

  local function seal_to_self(person, text)
    local to = { person.info.encryption }
    return done(rig:seal { home = person.home, text = text, to = to }).output
  end

  local function open_own(person, message)
    return rig:open {
      home = person.home, message = message, to = { person.info.encryption }, signer = person.info.primary.fingerprint,
    }
  end

  local function unlock(person, passphrase, message)
    return rig:unlock { home = person.home, certificate = person.certificate, passphrase = passphrase, message = message }
  end

  -- how far the making of a key has come, by what there is of it
  local function is_at(path, mark)
    if mark ~= "settling" then return gnupg.exists(path .. "/" .. mark) end
    return gnupg.exists(path .. "/pubring.kbx") and not gnupg.exists(path .. "/openpgp-revocs.d")
  end

  it("P4.1 leaves nothing where all homes are closed while it is cancelled, at any moment of its making", function()
    local other = directory .. "/closed"
    for _, mark in ipairs { "private-keys-v1.d", "pubring.kbx", "settling" } do
      local short = assert(openpgp.new(other))
      local pending, home
      -- a moment that was over before anybody looked comes again with the next key
      repeat
        pending, home = short:make_discussion {}, nil
        turn_until(function()
          short:turn(0.0005)
          home = home or gnupg.list(other)[1]
          return pending:done() or home and is_at(other .. "/" .. home, mark)
        end)
        local missed = pending:done()
        if missed then done(short:destroy(done(pending).home)) end
      until not missed
      pending:cancel()
      short:stop()
      assert.are.same({}, gnupg.list(other), mark)
      -- one that gpg was about to start when it was killed finds its home gone, and ends by itself
      turn_until(function() return #openpgp.agents(other .. "/" .. home) == 0 end)
    end
  end)

  describe("of a discussion", function()
    it("P4.1 comes in a home of its own, ready, with its certificate", function()
      local made = done(rig:make_discussion {})
      local info = assert(openpgp.certificate(made.certificate, true))
      assert.are.same(info, made.info)
      assert.are.equal("sotto", info.user_id)
      assert.is_true(#made.certificate < 500)
      local fingerprint = info.primary.fingerprint
      assert.are.equal(made.certificate, done(rig:export { home = made.home, fingerprint = fingerprint }).output)
      assert.are.equal("mine", done(open_own(made, seal_to_self(made, "mine"))).output)
      local path = made.home:path()
      assert.is_false(gnupg.exists(path .. "/openpgp-revocs.d"))
      assert.is_false(gnupg.exists(path .. "/pubring.kbx~"))
      assert.is_false(gnupg.exists(path .. "/random_seed"))
      done(rig:destroy(made.home))
    end)

    it("P4.1 is another one each time", function()
      local a, b = done(rig:make_discussion {}), done(rig:make_discussion {})
      assert.are_not.equal(a.info.primary.fingerprint, b.info.primary.fingerprint)
      assert.are_not.equal(a.info.encryption, b.info.encryption)
      assert.are_not.equal(a.home:name(), b.home:name())
      done(rig:destroy(a.home))
      done(rig:destroy(b.home))
    end)

    it("leaves nothing where it is cancelled, whenever that is", function()
      for turns = 0, 60, 6 do
        local before = homes()
        local pending = rig:make_discussion {}
        for _ = 1, turns do
          if not pending:done() then rig:turn(0.002) end
        end
        pending:cancel()
        rig:turn()
        assert.is_true(pending:done())
        local made, code = pending:wait()
        if made then
          done(rig:destroy(made.home))
        else
          assert.are.equal("canceled", code)
        end
        turn_until(function() return homes() == before end)
      end
    end)
  end)

  describe("of a person", function()
    it("P1.1 has the person's name, made fit for a user id", function()
      local cases = {
        ["Anna"] = "Anna", ["Käthe Müller"] = "Käthe Müller", ["  a   b  "] = "a b", ["a\nb\27[31mc"] = "a b [31mc",
        ["<script>(x)@y"] = "script x y", [""] = "sotto", ["\255\254"] = "sotto", ["ok\255ok"] = "ok ok",
        ["a\226\128\174b"] = "a b", ["山田"] = "山田",
      }
      cases[("ä"):rep(100)] = ("ä"):rep(32)
      for name, expected in pairs(cases) do
        local made = done(rig:make_general { name = name })
        assert.are.equal(expected, made.info.user_id)
        done(rig:destroy(made.home))
      end
    end)

    it("P4.3 is not protected without a passphrase, and works at once", function()
      local made = done(rig:make_general { name = "Anna" })
      assert.is_true(made.home:unprotected())
      assert.are.equal("x", done(open_own(made, seal_to_self(made, "x"))).output)
      done(rig:destroy(made.home))
    end)

    it("P2.4 never has its secret on the disk without the passphrase", function()
      local pending = rig:make_general { name = "Anna", passphrase = "correct horse" }
      local seen = {}
      while not pending:done() do
        rig:turn(0.0005)
        local files = io.popen("ls " .. directory .. "/homes/*/private-keys-v1.d/*.key 2>/dev/null")
        for path in files:lines() do
          local file = io.open(path, "rb")
          local content = file and file:read("a") or ""
          if file then file:close() end
          if #content > 0 then
            seen[path] = true
            assert.truthy(content:find("protected-private-key", 1, true))
            assert.is_nil(content:find("(d #", 1, true))
          end
        end
        files:close()
      end
      local made = done(pending)
      local count = 0
      for _ in pairs(seen) do count = count + 1 end
      assert.are.equal(2, count)
      assert.is_false(made.home:unprotected())
      done(rig:destroy(made.home))
    end)
  end)

  describe("with a passphrase", function()
    local anna, message
    local passphrase = "correct horse battery staple"

    setup(function()
      anna = done(rig:make_general { name = "Anna", passphrase = passphrase })
      message = seal_to_self(anna, "the store's key")
    end)

    teardown(function() done(rig:destroy(anna.home)) end)

    local function is_locked()
      local a = failure(rig:sign { home = anna.home, text = "x" })
      local b = failure(rig:seal { home = anna.home, text = "x", to = { anna.info.encryption } })
      local c = failure(open_own(anna, message))
      return a == "locked" and b == "locked" and c == "locked"
    end

    it("is usable as soon as it is made, for both halves", function()
      assert(done(rig:sign { home = anna.home, text = "x" }).output)
      assert.are.equal("the store's key", done(open_own(anna, message)).output)
    end)

    it("is locked and unlocked", function()
      local path = anna.home:path()
      done(rig:lock(anna.home))
      assert.are.same({}, openpgp.agents(path))
      assert.is_true(is_locked())
      assert.are.equal("the store's key", done(unlock(anna, passphrase, message)).output)
      assert(done(rig:sign { home = anna.home, text = "x" }).output)
      assert(done(open_own(anna, message)).output)
      done(rig:lock(anna.home))
      assert.is_true(is_locked())
      assert(done(unlock(anna, passphrase, message)).output)
    end)

    it("stays locked with a wrong passphrase", function()
      done(rig:lock(anna.home))
      for _, wrong in ipairs { "wrong", passphrase .. " ", passphrase:upper(), "x" } do
        assert.are.equal("refused", (failure(unlock(anna, wrong, message))))
      end
      assert.is_true(is_locked())
      assert(done(unlock(anna, passphrase, message)).output)
    end)

    it("P3.4 unlocks with a message of its own only", function()
      local other = done(rig:make_discussion {})
      done(rig:import { home = other.home, certificate = anna.certificate })
      local foreign = done(rig:seal { home = other.home, text = "trap", to = { anna.info.encryption } }).output
      local code, _, verdict = failure(unlock(anna, passphrase, foreign))
      assert.are.equal("crypto", code)
      assert.are.equal("bad_signature", verdict)
      assert.are.equal("bad_input", (failure(unlock(anna, passphrase, "junk"))))
      done(rig:destroy(other.home))
    end)

    it("is locked after the core was stopped, and after it was killed", function()
      local name = anna.home:name()
      done(rig:close_home(anna.home))
      anna.home = assert(rig:open_home(name))
      assert.is_true(is_locked())
      assert(done(unlock(anna, passphrase, message)).output)
    end)

    it("gets another passphrase, and the old one is worth nothing", function()
      local function change(old, fresh)
        return rig:passphrase {
          home = anna.home, fingerprint = anna.info.primary.fingerprint, passphrase = old, fresh = fresh,
        }
      end
      local fresh = " new ünd spaced "
      done(change(passphrase, fresh))
      assert.is_false(anna.home:unprotected())
      assert.is_false(gnupg.exists(anna.home:path() .. "/private-keys-kept"))
      assert.is_true(is_locked())
      assert.are.equal("refused", (failure(unlock(anna, passphrase, message))))
      assert.are.equal("the store's key", done(unlock(anna, fresh, message)).output)
      -- wrong old ones change nothing, also where the new one given is the old one in fact
      assert.are.equal("refused", (failure(change("wrong", "other"))))
      assert.are.equal("refused", (failure(change("wrong", fresh))))
      assert.are.equal("refused", (failure(change(nil, "other"))))
      assert.are.equal("bad_params", (failure(change(fresh, ""))))
      assert.are.equal("bad_params", (failure(change(fresh, "a\nb"))))
      assert.are.equal("the store's key", done(unlock(anna, fresh, message)).output)
      done(change(fresh, passphrase))
      assert.are.equal("the store's key", done(unlock(anna, passphrase, message)).output)
    end)

    it("keeps one passphrase for both halves where a change is cancelled, whenever that is", function()
      for _, seconds in ipairs { 0, 0.02, 0.2, 0.5, 0.8 } do
        local pending = rig:passphrase {
          home = anna.home, fingerprint = anna.info.primary.fingerprint, passphrase = passphrase, fresh = "other one",
        }
        -- some moment or other: nothing is expected to have happened by then
        local begin = openpgp.now()
        while openpgp.now() - begin < seconds do rig:turn(0.005) end
        local was_done = pending:done()
        pending:cancel()
        rig:turn()
        assert.is_true(pending:done())
        local changed = pending:wait()
        assert.is_true(changed == nil or was_done)
        -- one of them, not a mixture: unlocking uses both halves
        assert.are.equal("refused", (failure(unlock(anna, "surely wrong", message))))
        local valid = unlock(anna, passphrase, message):wait() and passphrase or "other one"
        assert.are.equal("the store's key", done(unlock(anna, valid, message)).output)
        assert.is_false(gnupg.exists(anna.home:path() .. "/private-keys-kept"))
        if valid ~= passphrase then
          done(rig:passphrase {
            home = anna.home, fingerprint = anna.info.primary.fingerprint, passphrase = valid, fresh = passphrase,
          })
        end
      end
    end)

    it("protects a key that had no passphrase", function()
      local open = done(rig:make_general { name = "Open" })
      local own = seal_to_self(open, "x")
      local call = { home = open.home, fingerprint = open.info.primary.fingerprint, fresh = "now one" }
      call.passphrase = "some"
      assert.are.equal("refused", (failure(rig:passphrase(call))))
      call.passphrase = nil
      done(rig:passphrase(call))
      assert.is_false(open.home:unprotected())
      assert.are.equal("locked", (failure(open_own(open, own))))
      assert.are.equal("x", done(unlock(open, "now one", own)).output)
      done(rig:destroy(open.home))
    end)
  end)

  describe("of a stranger", function()
    local text = "sotto/1 presence-key\0body"
    local person, signature

    setup(function()
      person = done(rig:make_general { name = "Stranger" })
      signature = done(rig:sign { home = person.home, text = text }).output
    end)

    teardown(function() done(rig:destroy(person.home)) end)

    local function vet(changes)
      local call = { certificate = person.certificate, text = text, signature = signature }
      for k, v in pairs(changes or {}) do call[k] = v end
      return rig:vet(call)
    end

    it("P1.7 is checked in a home that is thrown away, without an agent", function()
      -- those of earlier homes may still be ending
      local function agents()
        return gnupg.run("pgrep -f %s", quote("^gpg-agent --homedir " .. directory .. "/homes/[0-9a-f]+ "))
      end
      local before, earlier = homes(), "\n" .. agents()
      local pending = vet()
      local most = 0
      while not pending:done() do
        rig:turn(0.0005)
        most = math.max(most, homes())
      end
      assert.are.equal("accepted", done(pending).verdict)
      assert.are.equal(before + 1, most)
      turn_until(function() return homes() == before end)
      for pid in agents():gmatch "%d+" do assert.truthy(earlier:find("\n" .. pid .. "\n", 1, true), pid) end
    end)

    it("P1.7 is refused where anything is wrong with it", function()
      local before = homes()
      local other = done(rig:make_discussion {})
      assert.are.equal("crypto", (failure(vet { text = text .. "x" })))
      assert.are.equal("crypto", (failure(vet { certificate = other.certificate })))
      local foreign = done(rig:sign { home = other.home, text = text }).output
      local code, _, verdict = failure(vet { signature = foreign })
      assert.are.same({ "crypto", "bad_signature" }, { code, verdict })
      assert.are.equal("bad_input", (failure(vet { signature = "junk" })))
      assert.are.equal("bad_input", (failure(vet { certificate = "junk" })))
      assert.are.equal("bad_input", (failure(vet { certificate = gnupg.packet(8, "\0" .. person.certificate) })))
      assert.are.equal("bad_input", (failure(vet { signature = signature .. signature })))
      done(rig:destroy(other.home))
      turn_until(function() return homes() == before end)
    end)

    it("P1.7 waits behind ours, and as many at once as there may be", function()
      local list = {}
      for i = 1, 8 do list[i] = assert(vet()) end
      rig:turn()
      assert.is_true(rig:load().running <= 2)
      assert.is_true(rig:load().queued_strangers >= 6)
      for i = 1, 8 do assert.are.equal("accepted", done(list[i]).verdict) end
      local known = {}
      for i = 1, 4 do known[i] = assert(vet { known = true }) end
      rig:turn()
      assert.are.equal(0, rig:load().queued_strangers)
      for i = 1, 4 do assert.are.equal("accepted", done(known[i]).verdict) end
    end)

    it("P1.7 leaves nothing where it is cancelled", function()
      for turns = 0, 20, 4 do
        local before = homes()
        local pending = vet()
        for _ = 1, turns do
          if not pending:done() then rig:turn(0.001) end
        end
        pending:cancel()
        pending:wait()
        turn_until(function() return homes() <= before end)
      end
    end)
  end)
end)
