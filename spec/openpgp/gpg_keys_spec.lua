local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"

local done, failure = gnupg.done, gnupg.failure

describe("gpg_keys", function()
  local directory, rig, cli, fingerprint, certificate

  setup(function()
    directory = gnupg.directory()
    rig = assert(openpgp.new(directory .. "/homes"))
    cli = gnupg.home()
    fingerprint, certificate = cli:key("Cli")
  end)

  teardown(function()
    cli:close()
    rig:stop()
    gnupg.remove(directory)
  end)

  local home
  before_each(function() home = assert(rig:create_home()) end)
  after_each(function() done(rig:destroy(home)) end)

  local function keys(secret)
    local out = gnupg.must("gpg --homedir %s --batch --no-tty --with-colons --list%s-keys 2>/dev/null || true",
      home:path(), secret and "-secret" or "")
    local list = {}
    for fpr in ("\n" .. out):gmatch("\n%l%l%l:[^\n]*\nfpr:::::::::(%x+):") do list[#list + 1] = fpr end
    return list -- primary keys and subkeys, as they stand
  end

  describe("import", function()
    it("P3.6 takes a public certificate, once or twice, and says whose", function()
      assert.are.same({ fingerprint }, done(rig:import { home = home, certificate = certificate }).imported)
      assert.are.same({ fingerprint }, done(rig:import { home = home, certificate = certificate }).imported)
    end)

    it("P1.7 refuses a secret key and a compressed certificate", function()
      local secret = cli:must("--export-secret-keys " .. fingerprint)
      assert.are.equal("bad_input", (failure(rig:import { home = home, certificate = secret })))
      local compressed = gnupg.packet(8, "\0" .. certificate)
      assert.are.equal("bad_input", (failure(rig:import { home = home, certificate = compressed })))
      local armored = cli:must("--armor --export " .. fingerprint)
      assert.are.equal("bad_input", (failure(rig:import { home = home, certificate = armored })))
      assert.is_false(gnupg.exists(home:path() .. "/private-keys-v1.d"))
      assert.are.same({}, keys())
    end)

    it("P1.7 refuses what passes the walk and is signed by nobody", function()
      local list = gnupg.packets(certificate)
      local function forged(i) -- with one bit of a signature's last number changed
        local raw = list[i].raw
        local bad = raw:sub(1, -2) .. string.char(raw:byte(-1) ~ 1)
        return gnupg.join(list, 1, i - 1) .. bad .. gnupg.join(list, i + 1)
      end
      assert(openpgp.certificate(forged(3)))
      local code = failure(rig:import { home = home, certificate = forged(3) })
      assert.are.equal("bad_input", code)
      -- without its binding signature the subkey is left out, and nothing can be sealed to it
      done(rig:import { home = home, certificate = forged(5) })
      local own = done(rig:make_discussion {})
      done(rig:import { home = own.home, certificate = forged(5) })
      local id = openpgp.certificate(certificate).encryption
      assert.are.equal("not_found", (failure(rig:seal { home = own.home, text = "x", to = { id } })))
      done(rig:destroy(own.home))
    end)

    it("P3.6 lets nobody read a keyring that is being written: for a moment it has none", function()
      done(rig:generate { home = home, user_id = "sotto" })
      for _ = 1, 20 do
        local writer, signs = rig:import { home = home, certificate = certificate }, {}
        for i = 1, 3 do signs[i] = rig:sign { home = home, text = "x" } end
        done(writer)
        local remover = rig:delete { home = home, fingerprint = fingerprint }
        for i = 4, 6 do signs[i] = rig:sign { home = home, text = "x" } end
        done(remover)
        for i = 1, 6 do assert(done(signs[i]).output) end
      end
    end)

    it("P3.6 waits for those that read, and is not passed by more of them", function()
      done(rig:generate { home = home, user_id = "sotto" })
      local order, pending = {}, {}
      local function add(name, operation)
        pending[#pending + 1] = { name = name, operation = operation }
      end
      add("sign 1", rig:sign { home = home, text = "x" })
      add("import", rig:import { home = home, certificate = certificate })
      add("sign 2", rig:sign { home = home, text = "x" })
      while #order < #pending do
        rig:turn(0.01)
        for _, one in ipairs(pending) do
          if not one.seen and one.operation:done() then
            one.seen = true
            order[#order + 1] = one.name
          end
        end
      end
      assert.are.same({ "sign 1", "import", "sign 2" }, order)
      for _, one in ipairs(pending) do done(one.operation) end
    end)

    it("P3.6 drops the signatures of others", function()
      local other = cli:key("Certifier")
      cli:must(("--local-user %s --quick-sign-key %s"):format(other, fingerprint))
      local signed = cli:must("--export-options no-export-minimal --export " .. fingerprint)
      assert.is_true(#signed > #certificate)
      done(rig:import { home = home, certificate = signed })
      assert.are.equal(certificate, done(rig:export { home = home, fingerprint = fingerprint }).output)
    end)
  end)

  describe("export", function()
    it("P2.1 gives the minimal certificate, byte for byte what was imported", function()
      done(rig:import { home = home, certificate = certificate })
      assert.are.equal(certificate, done(rig:export { home = home, fingerprint = fingerprint }).output)
    end)

    it("P1.9 wants a full fingerprint of a key that is there", function()
      assert.are.equal("not_found", (failure(rig:export { home = home, fingerprint = fingerprint })))
      for _, bad in ipairs { "", "Cli", fingerprint:sub(25), fingerprint:lower(), "0x" .. fingerprint } do
        assert.are.equal("bad_params", (failure(rig:export { home = home, fingerprint = bad })))
      end
    end)

    it("P1.7 does not give a key by the fingerprint of its subkey", function()
      done(rig:import { home = home, certificate = certificate })
      local subkey = openpgp.certificate(certificate).subkeys[1].fingerprint
      assert.are_not.equal("ok", (failure(rig:export { home = home, fingerprint = subkey })))
    end)
  end)

  describe("delete", function()
    it("removes a public key and no other", function()
      local other, other_certificate = cli:key("Other")
      done(rig:import { home = home, certificate = certificate })
      done(rig:import { home = home, certificate = other_certificate })
      done(rig:delete { home = home, fingerprint = fingerprint })
      assert.are.same({ other }, { keys()[1] })
      assert.are.equal("not_found", (failure(rig:delete { home = home, fingerprint = fingerprint })))
    end)

    it("P4.1 never removes a key whose secret is here", function()
      local own = done(rig:generate { home = home, user_id = "sotto" }).fingerprint
      local code = failure(rig:delete { home = home, fingerprint = own })
      assert.are.equal("wrong_state", code)
      assert.are.equal(2, #gnupg.list(home:path() .. "/private-keys-v1.d"))
      assert(done(rig:sign { home = home, text = "x" }).output)
    end)
  end)

  describe("generate", function()
    it("makes ed25519 that certifies and signs, and cv25519 that encrypts, for good", function()
      local made = done(rig:generate { home = home, user_id = "sotto" }).fingerprint
      local colons = gnupg.must("gpg --homedir %s --batch --with-colons --list-keys 2>/dev/null", home:path())
      local function field(line, n)
        local fields = {}
        for f in (line .. ":"):gmatch("(.-):") do fields[#fields + 1] = f end
        return fields[n]
      end
      local pub, sub = colons:match("(pub:[^\n]*)"), colons:match("(sub:[^\n]*)")
      assert.are.same({ "22", "", "ed25519" }, { field(pub, 4), field(pub, 7), field(pub, 17) })
      assert.are.same({ "18", "", "cv25519" }, { field(sub, 4), field(sub, 7), field(sub, 17) })
      assert.are.equal("scESC", field(pub, 12))
      assert.are.equal("e", field(sub, 12))
      assert.are.same({ made }, { keys(true)[1] })
      assert.is_true(home:unprotected())
    end)

    it("P2.4 takes a passphrase that looks odd, and protects both keys by it", function()
      for _, passphrase in ipairs { " two  blanks ", "%no-protection", "käse ✓", "%41", ("x"):rep(255), "-", "\\n" } do
        local other = assert(rig:create_home())
        done(rig:generate { home = other, user_id = "sotto", passphrase = passphrase })
        assert.is_false(other:unprotected())
        assert.are.equal("locked", (failure(rig:sign { home = other, text = "x" })))
        assert.are.equal("refused", (failure(rig:sign { home = other, text = "x", passphrase = passphrase:sub(2) .. "!" })))
        assert(done(rig:sign { home = other, text = "x", passphrase = passphrase }).output)
        done(rig:destroy(other))
      end
    end)

    it("P2.4 refuses passphrases that cannot be given to an agent", function()
      for _, bad in ipairs { "", "a\nb", "a\rb", "a\0b", "\4", "\127", ("x"):rep(256) } do
        assert.are.equal("bad_params", (failure(rig:generate { home = home, user_id = "sotto", passphrase = bad })))
      end
    end)

    it("refuses user ids that could be taken for parameters or for something else", function()
      for _, bad in ipairs {
        "", " ", "a ", " a", "a\nExpire-Date: 1", "a\r", "a\0b", "a <b>", "a (b)", "a@b", "\255", "\237\160\128",
        "\194\133", ("x"):rep(129),
      } do
        if not bad:find("\0") then
          assert.are.equal("bad_params", (failure(rig:generate { home = home, user_id = bad })), bad)
        end
      end
      local name = "%ask-passphrase </GnupgKeyParms>"
      assert.are.equal("bad_params", (failure(rig:generate { home = home, user_id = name })))
      local made = done(rig:generate { home = home, user_id = "# Käthe: Name-Real: x %no-protection" })
      local info = openpgp.certificate(done(rig:export { home = home, fingerprint = made.fingerprint }).output)
      assert.are.equal("# Käthe: Name-Real: x %no-protection", info.user_id)
    end)
  end)
end)
