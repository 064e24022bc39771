local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"

describe("certificate", function()
  local home, fingerprint, certificate, rsa, rsa_certificate

  setup(function()
    home = gnupg.home()
    fingerprint, certificate = home:key("Anna")
    rsa, rsa_certificate = home:key("Rosa", "rsa2048", "rsa2048")
  end)

  teardown(function() home:close() end)

  local function refuses(bytes, pattern, discussion, code)
    local ok, name, text = openpgp.certificate(bytes, discussion)
    assert.is_nil(ok)
    assert.are.equal(code or "bad_input", name)
    if pattern then assert.truthy(text:find(pattern, 1, true), text) end
  end

  -- the certificate's packets, some of them replaced, dropped (false) or added by position
  local function changed(bytes, changes)
    local list = gnupg.packets(bytes)
    local out = {}
    for i = 1, #list + 1 do
      local c = changes[i]
      if c then out[#out + 1] = c end
      if c == nil and list[i] then out[#out + 1] = list[i].raw end
    end
    return table.concat(out)
  end

  it("P1.7 reads what gpg reads", function()
    for _, case in ipairs { { fingerprint, certificate, "Anna", 22, 18 }, { rsa, rsa_certificate, "Rosa", 1, 1 } } do
      local info = assert(openpgp.certificate(case[2]))
      assert.are.equal(case[1], info.primary.fingerprint)
      assert.are.equal(case[1]:sub(25), info.primary.id)
      assert.are.equal(case[4], info.primary.algorithm)
      assert.are.equal(case[3], info.user_id)
      assert.are.equal(1, #info.subkeys)
      assert.are.equal(case[5], info.subkeys[1].algorithm)
      assert.is_true(info.subkeys[1].encrypts)
      assert.are.equal(home:subkeys(case[1])[1], info.encryption)
      assert.are.equal(info.subkeys[1].fingerprint:sub(25), info.encryption)
    end
  end)

  it("P1.7 finds the subkey that encrypts: the newest, not revoked, by algorithm or key flags", function()
    local many = home:key("Many", "ed25519", false)
    refuses(home:certificate(many), "no subkey that encrypts")
    home:must(("--quick-add-key %s ed25519 sign never"):format(many))
    home:must(("--quick-add-key %s rsa2048 sign never"):format(many))
    refuses(home:certificate(many), "no subkey that encrypts")
    home:must(("--faked-system-time 20300101T000000 --quick-add-key %s rsa2048 encrypt never"):format(many))
    home:must(("--faked-system-time 20310101T000000 --quick-add-key %s cv25519 encrypt never"):format(many))
    home:must(("--faked-system-time 20290101T000000 --quick-add-key %s cv25519 encrypt never"):format(many))
    local info = assert(openpgp.certificate(home:certificate(many)))
    local encrypts = {}
    for i, key in ipairs(info.subkeys) do encrypts[i] = key.encrypts end
    assert.are.same({ false, false, true, true, true }, encrypts)
    assert.are.equal(home:subkeys(many)[4], info.encryption)
    -- revoke the newest: the fourth subkey
    home:must(("--faked-system-time 20320101T000000 --command-fd 0 --no-batch --edit-key %s"):format(many),
      "key 4\nrevkey\ny\n0\n\ny\nsave\n")
    info = assert(openpgp.certificate(home:certificate(many)))
    assert.is_false(info.subkeys[4].encrypts)
    assert.are.equal(home:subkeys(many)[3], info.encryption)
  end)

  it("P1.7 refuses a secret key, and armor", function()
    refuses(home:must("--export-secret-keys " .. fingerprint), "kind 5")
    refuses(changed(certificate, { [4] = gnupg.packets(home:must("--export-secret-keys " .. fingerprint))[4].raw }), "kind 7")
    refuses(home:must("--armor --export " .. fingerprint), "not a binary")
  end)

  it("P1.7 refuses a compressed certificate, which gpg would take", function()
    local compressed = gnupg.packet(8, "\0" .. certificate) -- algorithm 0: not compressed at all
    refuses(compressed, "kind 8 (compressed data)")
    refuses(certificate .. compressed, "kind 8")
    local other = gnupg.home()
    local took = other:gpg("--import", compressed)
    other:close()
    assert.is_truthy(took)
  end)

  it("P1.7 refuses every other packet, wherever it stands", function()
    for kind = 0, 63 do
      if kind ~= 2 and kind ~= 13 then
        for at = 1, 6 do
          local extra = gnupg.packet(kind, "\4" .. ("x"):rep(50))
          refuses(changed(certificate, { [at] = extra .. (gnupg.packets(certificate)[at] or { raw = "" }).raw }))
        end
      end
    end
  end)

  it("P1.7 refuses a second primary key, and one that is not first", function()
    refuses(certificate .. rsa_certificate, "second primary key")
    refuses(changed(certificate, { false }), "does not begin")
    local list = gnupg.packets(certificate)
    refuses(list[4].raw .. gnupg.join(list), "does not begin")
    refuses(changed(certificate, { list[1].raw .. list[1].raw }), "second primary key")
  end)

  it("P1.7 refuses missing user ids, subkeys and signatures, and those in the wrong place", function()
    local list = gnupg.packets(certificate) -- key, user id, signature, subkey, signature
    assert.are.equal(5, #list)
    refuses(gnupg.join { list[1], list[4], list[5] }, "no user id")
    refuses(gnupg.join { list[1], list[2], list[3] }, "no subkey that encrypts")
    refuses(gnupg.join { list[1], list[2], list[4], list[5] }, "without a signature")
    refuses(gnupg.join { list[1], list[2], list[3], list[4] }, "without a signature")
    refuses(gnupg.join { list[1], list[4], list[5], list[2], list[3] }, "a user id in the wrong place")
    refuses(gnupg.join { list[1], list[2], list[5], list[4], list[5] }, "type 0x18 in the wrong place")
    refuses(gnupg.join { list[1], list[3], list[2], list[3], list[4], list[5] }, "type 0x13 in the wrong place")
    refuses(gnupg.join { list[3], list[1], list[2], list[3], list[4], list[5] }, "does not begin")
    refuses(gnupg.join { list[1] }, "no user id")
    refuses("", nil)
  end)

  it("P1.7 refuses more than 16 packets and more than 8 KiB", function()
    local list = gnupg.packets(certificate)
    local function with(count) -- 5 packets and so many user signatures more
      return gnupg.join(list, 1, 3) .. list[3].raw:rep(count) .. gnupg.join(list, 4)
    end
    assert(openpgp.certificate(with(11)))
    refuses(with(12), "more than 16 packets")
    local function of_size(bytes) -- with a user id that fills it up
      local rest = #changed(certificate, { [2] = gnupg.packet(13, "", 5) })
      return changed(certificate, { [2] = gnupg.packet(13, ("u"):rep(bytes - rest), 5) })
    end
    local info = assert(openpgp.certificate(of_size(8192)))
    assert.are.equal(("u"):rep(255), info.user_id)
    refuses(of_size(8193), nil, nil, "too_large")
  end)

  it("P1.7 refuses other versions and unknown algorithms of keys, and inner lengths that do not fit", function()
    local list = gnupg.packets(certificate)
    for i, kind in pairs { 6, [4] = 14 } do
      local body = list[i].body
      for version = 0, 255 do
        if version ~= 4 then
          refuses(changed(certificate, { [i] = gnupg.packet(kind, string.char(version) .. body:sub(2)) }), "version 4")
        end
      end
      local function algorithm(n) return gnupg.packet(kind, body:sub(1, 5) .. string.char(n) .. body:sub(7)) end
      for _, n in ipairs { 0, 2, 3, 20, 21, 23, 25, 26, 99, 255 } do
        refuses(changed(certificate, { [i] = algorithm(n) }), "unknown algorithm " .. n)
      end
      refuses(changed(certificate, { [i] = gnupg.packet(kind, body .. "\0") }), "inner lengths")
      for n = 1, #body - 1 do
        refuses(changed(certificate, { [i] = gnupg.packet(kind, body:sub(1, n)) }))
      end
      refuses(changed(certificate, { [i] = gnupg.packet(kind, "") }))
    end
  end)

  it("P1.7 refuses packets in parts or without a definite length", function()
    local list = gnupg.packets(certificate)
    refuses(changed(certificate, { [2] = gnupg.partial_packet(13, ("u"):rep(600), 9) }), "in parts")
    refuses(changed(certificate, { [5] = gnupg.old_packet(2, list[5].body, 3) }))
  end)

  it("P1.7 refuses a certificate cut short at any byte", function()
    for _, whole in ipairs { certificate, rsa_certificate } do
      for n = 0, #whole - 1 do refuses(whole:sub(1, n)) end
      refuses(whole .. "\0")
    end
  end)

  it("P1.7 stands any single changed byte", function()
    for i = 1, #certificate do
      for _, value in ipairs { 0, 1, 0x7f, 0x80, 0xff, certificate:byte(i) ~ 1 } do
        local bytes = certificate:sub(1, i - 1) .. string.char(value) .. certificate:sub(i + 1)
        openpgp.certificate(bytes)
        openpgp.certificate(bytes, true)
      end
    end
  end)

  describe("of a discussion key", function()
    it("P1.7 is ed25519 with one cv25519 subkey and nothing more", function()
      local info = assert(openpgp.certificate(certificate, true))
      assert.are.equal(fingerprint, info.primary.fingerprint)
      assert.are.equal(info.subkeys[1].id, info.encryption)
    end)

    it("P1.7 is of no other kind", function()
      refuses(rsa_certificate, nil, true, "too_large") -- over 1 KiB already
      local nist = select(2, home:key("Nist", "nistp256", "cv25519"))
      refuses(nist, "not ed25519", true)
      local mixed = select(2, home:key("Mixed", "ed25519", "nistp256"))
      refuses(mixed, "not cv25519", true)
    end)

    it("P1.7 has one user id, one subkey and two signatures", function()
      local list = gnupg.packets(certificate)
      local one = "more than one user id and one subkey"
      refuses(gnupg.join { list[1], list[2], list[3], list[2], list[3], list[4], list[5] }, one, true)
      refuses(gnupg.join { list[1], list[2], list[3], list[4], list[5], list[4], list[5] }, one, true)
      refuses(gnupg.join { list[1], list[2], list[3], list[3], list[4], list[5] }, one, true)
      refuses(gnupg.join { list[1], list[2], list[3], list[4], list[5], list[5] }, one, true)
    end)

    it("P1.7 has at most 1 KiB", function()
      local function of_size(bytes)
        local rest = #changed(certificate, { [2] = gnupg.packet(13, "", 5) })
        return changed(certificate, { [2] = gnupg.packet(13, ("u"):rep(bytes - rest), 5) })
      end
      assert(openpgp.certificate(of_size(1024), true))
      refuses(of_size(1025), nil, true, "too_large")
    end)
  end)
end)
