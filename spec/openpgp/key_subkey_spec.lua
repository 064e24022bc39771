local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"

local done, failure, quote = gnupg.done, gnupg.failure, gnupg.quote

-- P4.2: a discussion key gets one subkey after the other, and the old ones' secrets die.
describe("a subkey", function()
  local directory, rig, anna, ben

  setup(function()
    directory = gnupg.directory()
    rig = assert(openpgp.new(directory .. "/homes"))
  end)

  before_each(function()
    anna, ben = done(rig:make_discussion {}), done(rig:make_discussion {})
    done(rig:import { home = ben.home, certificate = anna.certificate })
    done(rig:import { home = anna.home, certificate = ben.certificate })
  end)

  after_each(function()
    for _, person in ipairs { anna, ben } do done(rig:destroy(person.home)) end
  end)

  teardown(function()
    rig:stop()
    gnupg.remove(directory)
  end)

  local function keys(person)
    local names = gnupg.list(person.home:path() .. "/private-keys-v1.d")
    table.sort(names)
    return names
  end

  local function key_file(person, grip) return ("%s/private-keys-v1.d/%s.key"):format(person.home:path(), grip) end

  local function homes() return #gnupg.list(directory .. "/homes") end

  local function turn_until(condition) gnupg.turn_until(rig, condition) end

  local function subkey(person) return rig:subkey { home = person.home, certificate = person.certificate } end

  local function seal(from, to, text)
    return done(rig:seal { home = from.home, text = text, to = { to } }).output
  end

  local function open(person, message, to, from)
    return rig:open { home = person.home, message = message, to = { to }, signer = from.info.primary.fingerprint }
  end

  it("P4.2 is bound by the same primary key, and what travels has the shape of every discussion certificate", function()
    local made = done(subkey(anna))
    local info = assert(openpgp.certificate(made.certificate, true))
    assert.are.equal(anna.info.primary.fingerprint, info.primary.fingerprint)
    assert.are_not.equal(anna.info.encryption, info.encryption)
    assert.is_nil(made.certificate:find(anna.info.subkeys[1].fingerprint, 1, true))
    -- and once more, from what was told last
    anna.certificate = made.certificate
    local again = done(subkey(anna))
    assert.are_not.equal(info.encryption, openpgp.certificate(again.certificate, true).encryption)
    assert.are.equal(4, #keys(anna))
  end)

  it("P4.2 opens what is sealed to it, while the old ones still do", function()
    local made = done(subkey(anna))
    local fresh = openpgp.certificate(made.certificate, true).encryption
    done(rig:import { home = ben.home, certificate = made.certificate })
    assert.are.equal("new", done(open(anna, seal(ben, fresh, "new"), fresh, ben)).output)
    local old = anna.info.encryption
    assert.are.equal("old", done(open(anna, seal(ben, old, "old"), old, ben)).output)
    -- and the key signs as before, for who has heard of the new subkey and for who has not
    local to = ben.info.encryption
    assert.are.equal("mine", done(open(ben, seal(anna, to, "mine"), to, anna)).output)
  end)

  it("P4.2 keeps its secret under the name that gpg gives it", function()
    local grips = assert(openpgp.grips(anna.certificate))
    assert.are.same({ grips.primary, grips.subkey }, (function()
      local found = {}
      local listing = gnupg.must("gpg --homedir %s --batch --with-colons --with-keygrip --list-keys %s 2>/dev/null",
        quote(anna.home:path()), anna.info.primary.fingerprint)
      for grip in listing:gmatch("\ngrp:::::::::(%x+):") do found[#found + 1] = grip end
      return found
    end)())
    local made = done(subkey(anna))
    local new = assert(openpgp.grips(made.certificate))
    assert.are.equal(grips.primary, new.primary)
    assert.is_true(gnupg.exists(key_file(anna, new.subkey)))
    assert.are.equal("bad_input", select(2, openpgp.grips(anna.certificate .. "x")))
  end)

  it("P4.2 is of no use any more once its secret is erased, for the agent neither", function()
    local made = done(subkey(anna))
    local old, fresh = anna.info.encryption, openpgp.certificate(made.certificate, true).encryption
    done(rig:import { home = ben.home, certificate = made.certificate })
    local message = seal(ben, old, "late")
    assert.are.equal("late", done(open(anna, message, old, ben)).output) -- its agent has used it a moment ago
    local path = key_file(anna, openpgp.grips(anna.certificate).subkey)
    -- whoever holds the file open sees what becomes of its content
    local held = assert(io.open(path, "rb"))
    assert.truthy(held:read("a"):find("private-key", 1, true))
    assert.is_true(anna.home:erase_key(openpgp.grips(anna.certificate).subkey))
    assert.is_false(gnupg.exists(path))
    held:seek("set", 0)
    assert.is_truthy(held:read("a"):match("^%z+$"))
    held:close()
    assert.are.equal("not_found", failure(open(anna, message, old, ben)))
    assert.are.equal("new", done(open(anna, seal(ben, fresh, "new"), fresh, ben)).output)
    assert.are.equal("mine", done(open(ben, seal(anna, ben.info.encryption, "mine"), ben.info.encryption, anna)).output)
    assert.is_true(anna.home:erase_key(openpgp.grips(anna.certificate).subkey)) -- not there: fine
  end)

  it("P4.2 does not hold up messages: its maker works elsewhere", function()
    local pending = subkey(anna)
    while not pending:done() do
      local message = seal(anna, ben.info.encryption, "meanwhile")
      assert.are.equal("meanwhile", done(open(ben, message, ben.info.encryption, anna)).output)
    end
    done(pending)
    turn_until(function() return homes() == 2 end)
  end)

  it("P4.2 leaves nothing behind but what the home may sweep, wherever it is cut short", function()
    local grips = openpgp.grips(anna.certificate)
    local cancelled = 0
    for turns = 0, 60, 4 do
      local pending = subkey(anna)
      for _ = 1, turns do
        if not pending:done() then rig:turn(0.002) end
      end
      pending:cancel()
      rig:turn()
      assert.is_true(pending:done())
      local made, code = pending:wait()
      if not made then
        cancelled = cancelled + 1
        assert.are.equal("canceled", code)
      end
      turn_until(function() return homes() == 2 end)
    end
    assert.is_true(cancelled > 2)
    gnupg.write(anna.home:path() .. "/private-keys-v1.d/half.key.tmp-abcdef", "half a secret")
    assert.is_true(anna.home:keep_only(grips.primary, grips.subkey))
    local left = { grips.primary .. ".key", grips.subkey .. ".key" }
    table.sort(left)
    assert.are.same(left, keys(anna))
    local old = anna.info.encryption
    assert.are.equal("old", done(open(anna, seal(ben, old, "old"), old, ben)).output)
    done(subkey(anna))
  end)

  it("P4.1 goes with its home, at any moment of its making", function()
    for _, turns in ipairs { 0, 3, 10, 25 } do
      local carla = done(rig:make_discussion {})
      local pending = subkey(carla)
      for _ = 1, turns do
        if not pending:done() then rig:turn(0.002) end
      end
      done(rig:destroy(carla.home))
      if not pending:wait() then assert.are.equal("canceled", select(2, pending:wait())) end
      turn_until(function() return homes() == 2 end)
    end
  end)

  it("P4.2 is refused for what is no discussion certificate, or has no secret here", function()
    local none, code = rig:subkey { home = anna.home, certificate = anna.certificate .. anna.certificate }
    assert.is_nil(none)
    assert.are.equal("bad_input", code)
    none, code = rig:subkey { home = anna.home, certificate = ben.certificate }
    assert.is_nil(none)
    assert.are.equal("not_found", code)
    turn_until(function() return homes() == 2 end)
  end)

  it("P4.2 is cut out of a certificate with all that belongs to it", function()
    local made = done(subkey(anna))
    done(rig:import { home = ben.home, certificate = made.certificate })
    local both = gnupg.must("gpg --homedir %s --batch --export-options export-minimal --export %s 2>/dev/null",
      quote(ben.home:path()), anna.info.primary.fingerprint)
    local info = assert(openpgp.certificate(both))
    assert.are.equal(2, #info.subkeys)
    assert.are.equal(anna.certificate, openpgp.cut(both, anna.info.subkeys[1].fingerprint))
    local fresh = openpgp.certificate(made.certificate, true).subkeys[1].fingerprint
    assert.are.equal(made.certificate, openpgp.cut(both, fresh))
    assert.are.equal("not_found", select(2, openpgp.cut(both, ben.info.subkeys[1].fingerprint)))
    assert.are.equal("bad_input", select(2, openpgp.cut(both:sub(1, -2), fresh)))
  end)
end)
