local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"

local done, failure = gnupg.done, gnupg.failure

describe("gpg_message", function()
  local directory, rig
  local anna, bert, cleo -- discussion keys in homes of the engine's, that know each other
  local cli, eve, eve_certificate, mallory -- two keys in a home of the command line's, that bert knows

  setup(function()
    directory = gnupg.directory()
    rig = assert(openpgp.new(directory .. "/homes"))
    cli = gnupg.home()
    anna, bert, cleo = done(rig:make_discussion {}), done(rig:make_discussion {}), done(rig:make_discussion {})
    for _, a in ipairs { anna, bert, cleo } do
      cli:must("--import", a.certificate)
      for _, b in ipairs { anna, bert, cleo } do
        if a ~= b then done(rig:import { home = a.home, certificate = b.certificate }) end
      end
    end
    local mallory_certificate
    eve, eve_certificate = cli:key("Eve")
    mallory, mallory_certificate = cli:key("Mallory")
    done(rig:import { home = bert.home, certificate = eve_certificate })
    done(rig:import { home = bert.home, certificate = mallory_certificate })
  end)

  teardown(function()
    cli:close()
    rig:stop()
    gnupg.remove(directory)
  end)

  local function id(person) return person.info.encryption end
  local function fingerprint(person) return person.info.primary.fingerprint end

  local function seal(from, to, text)
    local ids = {}
    for i, person in ipairs(to) do ids[i] = id(person) end
    return done(rig:seal { home = from.home, text = text, to = ids }).output, ids
  end

  local function open(person, message, ids, signer)
    return rig:open { home = person.home, message = message, to = ids, signer = signer }
  end

  local function changed(bytes, at)
    return bytes:sub(1, at - 1) .. string.char(bytes:byte(at) ~ 1) .. bytes:sub(at + 1)
  end

  describe("seal and open", function()
    it("P3.1 brings a text from one member to all others", function()
      local message, ids = seal(anna, { bert, cleo }, "good morning\n")
      for _, person in ipairs { bert, cleo } do
        local opened = done(open(person, message, ids, fingerprint(anna)))
        assert.are.equal("good morning\n", opened.output)
        assert.are.equal(fingerprint(anna), opened.fingerprint)
        assert.are.equal("accepted", opened.verdict)
        assert.are.equal(10, opened.hash) -- SHA-512
      end
      assert.are.equal("not_found", (failure(open(anna, message, ids, fingerprint(anna)))))
    end)

    it("P3.1 emits the recipients in the order given, whatever it is", function()
      local people = { anna, bert, cleo }
      for _, order in ipairs { { 1, 2, 3 }, { 3, 2, 1 }, { 2, 3, 1 }, { 3, 1, 2 } } do
        local to, expected = {}, {}
        for i, n in ipairs(order) do
          to[i] = people[n]
          expected[i] = id(people[n])
        end
        local found = {}
        for _, p in ipairs(gnupg.packets((seal(anna, to, "x")))) do
          if p.kind == 1 then
            found[#found + 1] = p.body:sub(2, 9):gsub(".", function(c) return ("%02X"):format(c:byte()) end)
          end
        end
        assert.are.same(expected, found)
      end
    end)

    it("P3.1 has an empty file name, no compression, no armor and no other packet", function()
      local message = seal(anna, { bert }, ("compressible "):rep(1000))
      assert.is_true(#message > 13000)
      local shown = cli:gpg("--list-packets", message) or ""
      assert.is_nil(shown:find("compressed", 1, true))
      local kinds = {}
      for i, p in ipairs(gnupg.packets(message)) do kinds[i] = p.kind end
      assert.are.same({ 1, 18 }, kinds)
      gnupg.write(directory .. "/message", message)
      local inside = gnupg.must("gpg --homedir %s --batch --no-tty --list-packets %s/message 2>/dev/null",
        bert.home:path(), directory)
      assert.truthy(inside:find('name="",', 1, true))
      assert.is_nil(inside:find(":compressed packet:", 1, true))
      local _, signatures = inside:gsub(":onepass_sig packet:", "")
      assert.are.equal(1, signatures)
    end)

    it("P0.4 takes every length from nothing to 1 MiB less what the envelope needs", function()
      for _, n in ipairs { 0, 1, 511, 512, 513, 4095, 8192, 65535, 65536, 1040000 } do
        local text = ("\0\1\255\n\r"):rep(n // 5 + 1):sub(1, n)
        local message, ids = seal(anna, { bert }, text)
        assert.is_true(text == (done(open(bert, message, ids, fingerprint(anna))).output or ""), n)
      end
      local ids = { id(bert) }
      assert.are.equal("too_large", (failure(rig:seal { home = anna.home, text = ("x"):rep(1048577), to = ids })))
      assert.are.equal("too_large", (failure(rig:seal { home = anna.home, text = ("x"):rep(1048576), to = ids })))
    end)

    it("P3.2 seals to no doubtful list of recipients", function()
      local function code(to) return (failure(rig:seal { home = anna.home, text = "x", to = to })) end
      assert.are.equal("bad_params", code {})
      assert.are.equal("bad_params", code { id(bert), id(bert) })
      assert.are.equal("not_found", code { "0123456789ABCDEF" })
      assert.are.equal("not_found", code { id(bert), "0123456789ABCDEF" })
      assert.are.equal("not_found", code { fingerprint(bert):sub(25) }) -- its primary key cannot encrypt
    end)

    it("P3.11 yields the session key, by which stock gpg opens and verifies the message without the secret key", function()
      local message, ids = seal(anna, { bert, cleo }, "for the record")
      local key = done(open(bert, message, ids, fingerprint(anna))).session_key
      assert.truthy(key:match("^9:%x+$"))
      assert.are.equal(2 + 64, #key)
      local out = cli:must("--status-file " .. directory .. "/status --override-session-key " .. key .. " --decrypt", message)
      assert.are.equal("for the record", out)
      assert.truthy(gnupg.read(directory .. "/status"):find("VALIDSIG " .. fingerprint(anna), 1, true))
    end)

    it("P3.4 many at once, each with its own answer", function()
      local sealed, opened = {}, {}
      for i = 1, 24 do sealed[i] = assert(rig:seal { home = anna.home, text = "text " .. i, to = { id(bert) } }) end
      for i = 1, 24 do opened[i] = assert(open(bert, done(sealed[i]).output, { id(bert) }, fingerprint(anna))) end
      for i = 1, 24 do assert.are.equal("text " .. i, done(opened[i]).output) end
    end)
  end)

  describe("refusals of gpg's successes", function()
    -- a message to bert by the command line; its walk passes
    local function to_bert(arguments, text)
      return cli:must(arguments .. " --digest-algo SHA512 -r " .. id(bert) .. "!", text or "hostile")
    end

    local function refuses(message, code, verdict, signer)
      local found, text, why = failure(open(bert, message, { id(bert) }, signer or eve))
      assert.are.equal(code, found, text)
      assert.are.equal(verdict, why)
    end

    local good = "--compress-algo none --set-filename '' -s -e -u "

    it("P3.4 takes the message that all the others here differ from", function()
      local opened = done(open(bert, to_bert(good .. eve), { id(bert) }, eve))
      assert.are.equal("hostile", opened.output)
    end)

    it("P3.4 encrypted and unsigned", function()
      refuses(to_bert("--set-filename '' -e"), "crypto", "unsigned")
    end)

    it("P3.4 two signatures", function()
      refuses(to_bert(good .. eve .. " -u " .. mallory), "crypto", "several_signatures")
      refuses(to_bert(good .. mallory .. " -u " .. eve), "crypto", "several_signatures")
      refuses(to_bert(good .. eve .. " -u " .. mallory), "crypto", "several_signatures", mallory)
    end)

    it("P3.4 no MDC", function()
      local message = to_bert("--rfc2440 --cipher-algo 3DES " .. good .. eve)
      assert.are.equal(9, gnupg.packets(message)[2].kind)
      refuses(message, "bad_input", nil)
    end)

    it("P3.4 an MDC that does not fit", function()
      local message = to_bert(good .. eve, ("long "):rep(2000))
      for _, at in ipairs { #message, #message - 20, #message - 21, #message - 100, 3000, 300 } do
        refuses(changed(message, at), "crypto", "gpg_error")
      end
    end)

    it("P3.2 signed only, and a bare literal", function()
      refuses(cli:must("-s -u " .. eve, "x"), "bad_input", nil)
      refuses(cli:must("--compress-algo none -s -u " .. eve, "x"), "bad_input", nil)
      refuses(cli:must("--store", "x"), "bad_input", nil)
      refuses(cli:must("--compress-algo none --store", "x"), "bad_input", nil)
      refuses(cli:must("--clearsign -u " .. eve, "x"), "bad_input", nil)
    end)

    it("P3.2 symmetric, alone and beside a recipient", function()
      refuses(cli:must("--passphrase x -c", "x"), "bad_input", nil)
      refuses(cli:must("--passphrase x -c -s -e -u " .. eve .. " -r " .. id(bert) .. "!", "x"), "bad_input", nil)
    end)

    it("P3.5 a compression bomb, without the memory it asks for", function()
      local bomb = directory .. "/bomb"
      gnupg.must("head -c 200000000 /dev/zero | gpg --homedir %s --batch --no-tty --trust-model always --compress-algo bzip2 " ..
        "-z 9 --set-filename '' -s -e -u %s -r %s! -o %s", cli.directory, eve, id(bert), bomb)
      local message = gnupg.read(bomb)
      assert.is_true(#message < 5000, #message)
      local function high_water() return tonumber(gnupg.read("/proc/self/status"):match("VmHWM:%s*(%d+)")) end
      local before = high_water()
      refuses(message, "too_large", "gpg_error")
      assert.is_true(high_water() - before < 8192, high_water() - before)
    end)

    it("P3.2 a PKESK spliced in from another message", function()
      local ours, theirs = gnupg.packets(to_bert(good .. eve)), gnupg.packets((seal(anna, { cleo }, "x")))
      assert.are.equal(1, theirs[1].kind)
      refuses(theirs[1].raw .. gnupg.join(ours), "bad_input", nil)
      refuses(ours[1].raw .. theirs[1].raw .. ours[2].raw, "bad_input", nil)
    end)

    it("P3.2 a PKESK that stands for another session key: whom it names cannot open it", function()
      local ids = { id(bert), id(cleo) }
      local first = gnupg.packets((seal(anna, { bert, cleo }, "one")))
      local second = gnupg.packets((seal(anna, { bert, cleo }, "two")))
      local spliced = first[1].raw .. second[2].raw .. first[3].raw
      assert.are.equal("one", done(open(bert, spliced, ids, fingerprint(anna))).output)
      assert.are.equal("crypto", (failure(open(cleo, spliced, ids, fingerprint(anna)))))
    end)

    it("P3.4 signed by someone else than it is said to be by", function()
      refuses(to_bert(good .. mallory), "crypto", "wrong_signer")
      refuses(to_bert(good .. eve), "crypto", "wrong_signer", mallory)
      refuses(to_bert(good .. eve), "crypto", "wrong_signer", fingerprint(anna))
    end)

    it("P3.4 signed by a key that we do not know", function()
      local stranger = cli:key("Stranger")
      refuses(to_bert(good .. stranger), "crypto", "bad_signature")
      refuses(to_bert(good .. stranger), "crypto", "bad_signature", stranger)
    end)

    it("P3.4 a hash below SHA-256", function()
      refuses(cli:must("--digest-algo SHA1 " .. good .. eve .. " -r " .. id(bert) .. "!", "x"), "crypto", "weak_hash")
      refuses(cli:must("--digest-algo RIPEMD160 " .. good .. eve .. " -r " .. id(bert) .. "!", "x"), "crypto", "weak_hash")
      refuses(cli:must("--digest-algo SHA224 " .. good .. eve .. " -r " .. id(bert) .. "!", "x"), "crypto", "weak_hash")
      assert(done(open(bert, cli:must("--digest-algo SHA256 " .. good .. eve .. " -r " .. id(bert) .. "!", "x"),
        { id(bert) }, eve)))
    end)

    it("P3.1 a literal that names a file", function()
      refuses(to_bert("--set-filename /etc/passwd -s -e -u " .. eve), "crypto", "shape")
      assert.is_false(gnupg.exists(bert.home:path() .. "/passwd"))
    end)

    it("P3.1 a compressed text", function()
      refuses(to_bert("--compress-algo zlib --set-filename '' -s -e -u " .. eve), "crypto", "shape")
    end)

    it("P3.1 another cipher than AES-256", function()
      refuses(to_bert("--cipher-algo AES128 " .. good .. eve), "crypto", "shape")
      refuses(to_bert("--cipher-algo CAMELLIA256 " .. good .. eve), "crypto", "shape")
    end)

    it("P3.1 a text in lines", function()
      refuses(to_bert("--textmode " .. good .. eve), "crypto", "shape")
    end)

    it("P3.2 armor, hidden recipients, and recipients beside us", function()
      refuses(to_bert("--armor " .. good .. eve), "bad_input", nil)
      refuses(to_bert("--throw-keyids " .. good .. eve), "bad_input", nil)
      refuses(to_bert(good .. eve .. " -r " .. id(cleo) .. "!"), "bad_input", nil)
    end)

    it("P3.4 a message within a message", function()
      local inner = to_bert(good .. eve)
      refuses(to_bert("--set-filename '' -e", inner), "crypto", "unsigned")
      -- what was encrypted is no packet at all, or the other message itself instead of a literal
      refuses(cli:must("--no-literal -e -r " .. id(bert) .. "!", "x"), "crypto", "gpg_error")
      refuses(cli:must("--no-literal -e -r " .. id(bert) .. "!", inner), "crypto", "shape")
    end)

    it("P3.4 whatever else stands beside the one signed text", function()
      local function encrypted(packets) return cli:must("--no-literal --compress-algo none -e -r " .. id(bert) .. "!", packets) end
      local function signed(text)
        return cli:must("--compress-algo none --set-filename '' --digest-algo SHA512 -s -u " .. eve, text)
      end
      local one, two = signed("one"), signed("two")
      local parts = gnupg.packets(one) -- one-pass, literal, signature
      assert.are.equal(3, #parts)
      assert.are.equal("one", done(open(bert, encrypted(one), { id(bert) }, eve)).output)
      local literal = parts[2].raw
      for name, inside in pairs {
        ["literal after"] = one .. literal, ["literal before"] = literal .. one, ["two signed"] = one .. two,
        ["literal within"] = parts[1].raw .. literal .. literal .. parts[3].raw, ["twice"] = one .. one,
        ["signature only"] = parts[3].raw, ["no signature"] = parts[1].raw .. literal, ["literal"] = literal,
        ["two signatures"] = parts[1].raw .. literal .. parts[3].raw .. parts[3].raw,
        ["nothing"] = "", ["key"] = eve_certificate, ["one and key"] = one .. eve_certificate,
      } do
        local result, code = open(bert, encrypted(inside), { id(bert) }, eve):wait()
        assert.is_nil(result, name)
        assert.are.equal("crypto", code, name)
      end
    end)

    it("P3.4 our own message come back", function()
      local message, ids = seal(anna, { anna, bert }, "x")
      local code, _, verdict = failure(open(anna, message, ids, fingerprint(bert)))
      assert.are.equal("crypto", code)
      assert.are.equal("wrong_signer", verdict)
    end)

    it("P3.4 counts them by reason", function()
      local before = rig:load().verdicts
      refuses(to_bert("--set-filename '' -e"), "crypto", "unsigned")
      done(open(bert, to_bert(good .. eve), { id(bert) }, eve))
      local after = rig:load().verdicts
      assert.are.equal(before.unsigned + 1, after.unsigned)
      assert.are.equal(before.accepted + 1, after.accepted)
      assert.are.equal(before.wrong_signer, after.wrong_signer)
    end)
  end)

  describe("plaintext before an error", function()
    -- A marker made by the shell and never read by Lua, in a message that gpg delivers before it fails; how often it stands in our memory.
    local function left_over(spoil, expected)
      local marker, plain, sealed = directory .. "/marker", directory .. "/plain", directory .. "/sealed"
      gnupg.must("head -c 24 /dev/urandom | base64 -w0 > %s", marker)
      gnupg.must("yes \"$(cat %s)\" 2>/dev/null | head -c 200000 > %s", marker, plain)
      gnupg.must("gpg --homedir %s --batch --no-tty --yes --trust-model always --compress-algo none --set-filename '' " ..
        "--digest-algo SHA512 -s -e -u %s -r %s! -o %s %s", cli.directory, eve, id(bert), sealed, plain)
      local code = failure(open(bert, spoil(gnupg.read(sealed)), { id(bert) }, expected and mallory or eve))
      assert.are.equal("crypto", code)
      return openpgp.memory_holds(marker)
    end

    it("P3.5 is wiped where the MDC does not fit at the very end", function()
      assert.are.equal(0, left_over(function(message) return changed(message, #message) end))
    end)

    it("P3.5 is wiped where the signer is not the expected one", function()
      assert.are.equal(0, left_over(function(message) return message end, true))
    end)

    it("P3.5 is wiped when it is cancelled", function()
      local marker, plain, sealed = directory .. "/marker", directory .. "/plain", directory .. "/sealed"
      left_over(function(message) return changed(message, #message) end)
      assert.is_true(gnupg.exists(plain))
      for turns = 1, 12, 3 do
        local pending = assert(open(bert, gnupg.read(sealed), { id(bert) }, eve))
        for _ = 1, turns do rig:turn(0.002) end
        pending:cancel()
        if pending:wait() then break end -- from here on Lua itself holds it
        assert.are.equal(0, openpgp.memory_holds(marker))
      end
    end)

    it("P3.5 would be found if it were there", function()
      local marker = directory .. "/marker"
      gnupg.must("head -c 24 /dev/urandom | base64 -w0 > %s", marker)
      local kept = gnupg.read(marker)
      assert.is_true(openpgp.memory_holds(marker) > 0)
      assert.is_truthy(kept)
    end)
  end)

  describe("sign and verify", function()
    it("P2.10 a detached signature that stock gpg verifies too", function()
      local text = "sotto/1 binding\0" .. ("\255\0\1"):rep(100)
      local signature = done(rig:sign { home = anna.home, text = text }).output
      local verified = done(rig:verify { home = bert.home, text = text, signature = signature, signer = fingerprint(anna) })
      assert.are.equal(fingerprint(anna), verified.fingerprint)
      assert.are.equal("accepted", verified.verdict)
      assert.are.equal(10, verified.hash)
      gnupg.write(directory .. "/sig", signature)
      gnupg.write(directory .. "/text", text)
      cli:must(("--verify %s/sig %s/text"):format(directory, directory))
    end)

    it("P3.4 refuses another text, another signer, an unknown key, a weak hash, and two signatures", function()
      local signature = done(rig:sign { home = anna.home, text = "text" }).output
      local function verify(text, sig, signer)
        local code, _, verdict = failure(rig:verify { home = bert.home, text = text, signature = sig, signer = signer })
        return code, verdict
      end
      assert.are.same({ "crypto", "bad_signature" }, { verify("text2", signature, fingerprint(anna)) })
      assert.are.same({ "crypto", "bad_signature" }, { verify("", signature, fingerprint(anna)) })
      assert.are.same({ "crypto", "wrong_signer" }, { verify("text", signature, fingerprint(cleo)) })
      -- what is signed, and the two numbers; not the unhashed area and the numbers' lengths in bits, which are nobody's word
      local hashed = string.unpack(">I2", signature, 7)
      local numbers = 13 + hashed + string.unpack(">I2", signature, 9 + hashed)
      local places = { numbers + 2, numbers + 20, #signature - 20, #signature }
      for at = 3, 8 + hashed, 3 do places[#places + 1] = at end
      for _, at in ipairs(places) do
        local code = verify("text", changed(signature, at), fingerprint(anna))
        assert.is_true(code == "crypto" or code == "bad_input", code)
      end
      local function by_cli(arguments) return cli:must(arguments .. " --detach-sign", "text") end
      local stranger = cli:key("Second stranger")
      assert.are.same({ "crypto", "bad_signature" }, { verify("text", by_cli("-u " .. stranger), stranger) })
      assert.are.same({ "crypto", "weak_hash" }, { verify("text", by_cli("--digest-algo SHA1 -u " .. eve), eve) })
      assert.are.same({ "bad_input" }, { verify("text", by_cli("-u " .. eve .. " -u " .. mallory), eve) })
      assert.are.same({ "bad_input" }, { verify("text", by_cli("--textmode -u " .. eve), eve) })
      assert.are.same({ "bad_input" }, { verify("text", by_cli("--armor -u " .. eve), eve) })
      assert.are.same({ "bad_input" }, { verify("text", "", eve) })
      assert.are.same({ "bad_params" }, { verify("text", signature, eve:sub(25)) })
      assert.are.same({ "bad_params" }, { verify("text", signature, "") })
    end)

    it("P3.4 refuses an expired signature", function()
      local signature = cli:must("--faked-system-time 20200101T000000 --ignore-time-conflict --default-sig-expire 1d -u " .. eve ..
        " --detach-sign", "text")
      local code, _, verdict = failure(rig:verify { home = bert.home, text = "text", signature = signature, signer = eve })
      assert.are.same({ "crypto", "bad_signature" }, { code, verdict })
    end)

    it("P0.4 takes at most 1 MiB", function()
      assert(done(rig:sign { home = anna.home, text = ("x"):rep(1048576) }).output)
      assert.are.equal("too_large", (failure(rig:sign { home = anna.home, text = ("x"):rep(1048577) })))
    end)

    it("fails in a home without a secret key", function()
      local home = assert(rig:create_home())
      done(rig:import { home = home, certificate = anna.certificate })
      assert.are.equal("not_found", (failure(rig:sign { home = home, text = "x" })))
      assert.are.equal("not_found", (failure(rig:seal { home = home, text = "x", to = { id(anna) } })))
      done(rig:destroy(home))
    end)
  end)
end)
