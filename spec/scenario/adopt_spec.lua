-- SPDX-License-Identifier: GPL-3.0-or-later
-- An adopted key: one of the user's own GnuPG, used through that user's own agent and pinentry.
local cores = require "support.cores"
local gnupg = require "support.gnupg"
local own_gnupg = require "support.own_gnupg"
local sys = require "sotto.sys"
local system = require "support.system"

describe("an adopted key", function()
  local own, others -- GnuPGs

  before_each(function()
    own = own_gnupg.new(cores.root(), "alice")
    others = {}
  end)

  after_each(function()
    own:close()
    for _, other in ipairs(others) do other:close() end
    cores.clean()
  end)

  -- a core of somebody with a GnuPG, without an identity
  local function absent(name, gnupg_home, options)
    options = options or {}
    options.environment = { GNUPGHOME = (gnupg_home or own).directory }
    options.identity = false
    return cores.absent(name or "alice", options)
  end

  local function another(name)
    others[#others + 1] = own_gnupg.new(cores.root(), name)
    return others[#others]
  end

  local function adopt(who, fingerprint, params)
    params = params or {}
    params.fingerprint = fingerprint
    local identity = who:call("identity.adopt", params)
    who.fingerprint = identity.fingerprint
    return identity
  end

  local function unlocked(who)
    cores.ask(who.name .. " is unlocked", function() return not who:call("identity.show").locked end)
  end

  -- the secret numbers of a key that has no passphrase, as bytes
  local function secrets(fingerprint)
    local found = {}
    for _, part in ipairs(own:parts(fingerprint)) do
      local text = gnupg.read(own:key_file(part.keygrip)):gsub("%s+", "")
      for _, hex in text:gmatch("%(([dpu])#(%x+)#%)") do
        if #hex >= 64 then
          found[#found + 1] = (hex:gsub("^00", ""):gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end))
        end
      end
      -- the curves' numbers stand between # or, in canonical form, behind their length
      local raw = gnupg.read(own:key_file(part.keygrip)):match("%(1:d(%d+:.*)$")
      if raw then
        local length = tonumber(raw:match("^(%d+):"))
        found[#found + 1] = raw:sub(#tostring(length) + 2, #tostring(length) + 1 + length)
      end
    end
    assert(#found > 0, "no secrets are known")
    return found
  end

  -- what a core's home holds of them: in bytes, in hex, or as a key's file
  local function check_no_secret(who, fingerprint)
    local needles = secrets(fingerprint)
    local files = system.files(who.home)
    assert.is_true(#files > 3, table.concat(files, " "))
    for _, path in ipairs(files) do
      local content = assert(system.read(path))
      local lower = content:lower()
      for _, needle in ipairs(needles) do
        assert.is_nil(content:find(needle, 1, true), path)
        local hex = needle:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
        assert.is_nil(lower:find(hex, 1, true), path)
      end
      for _, part in ipairs(own:parts(fingerprint)) do
        assert.is_nil(path:find(part.keygrip, 1, true), path)
        assert.is_nil(content:find(part.keygrip, 1, true), path)
      end
    end
  end

  describe("of the usual kind", function()
    it("P3.6 opens, chats and comes back after a restart, and no secret of it is below our home", function()
      local fingerprint = own:key()
      local alice = absent():start()
      local identity = adopt(alice, fingerprint)
      assert.are.same({ fingerprint, "Alice Example", false, true, false },
        { identity.fingerprint, identity.name, identity.locked, identity.adopted, identity.card })
      local bob = cores.person("bob")
      cores.meet(alice, bob)
      local id = cores.open_between(alice, bob)
      cores.talk(id, alice, bob)
      check_no_secret(alice, fingerprint)
      alice:restart()
      unlocked(alice)
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
    end)
  end)

  describe("that is RSA", function()
    local VECTORS = sys.cwd() .. "/spec/vectors/"

    it("P1.2 is proven and opened though no datagram holds its certificate", function()
      local theirs = another "bob"
      local alice, bob = absent():start(), absent("bob", theirs):start()
      adopt(alice, own:import(VECTORS .. "rsa4096_a.asc"))
      adopt(bob, theirs:import(VECTORS .. "rsa4096_b.asc"))
      assert.are.equal("RSA a", alice:call("identity.show").name)
      cores.meet(alice, bob)
      local fetched = alice:metrics()["introductions_asked:taken"]
      assert.are.equal(1, fetched)
      local id = cores.open_between(alice, bob)
      cores.talk(id, alice, bob)
      -- who is known stays proven, and is not asked again
      alice:restart()
      unlocked(alice)
      assert.is_true(alice:call("peers.show", { peer = bob.fingerprint }).proven)
      alice:event("discussion.resumed", { id = id })
      cores.talk(id, bob, alice)
      cores.meet(alice, bob)
      assert.is_nil(alice:metrics()["introductions_asked:taken"])
      check_no_secret(alice, alice.fingerprint)
    end)
  end)
end)
