local gnupg = require "support.gnupg"
local openpgp = require "support.openpgp"

describe("listing", function()
  local cli

  setup(function() cli = gnupg.home() end)
  teardown(function() cli:close() end)

  local function list(arguments)
    return cli:must("--no-options --with-colons --with-keygrip " .. (arguments or "--list-secret-keys"))
  end

  local function find(fingerprint, text)
    for _, key in ipairs(openpgp.listing(text or list())) do
      if key.fingerprint == fingerprint then return key end
    end
  end

  local function edit(fingerprint, commands)
    cli:must("--command-fd 0 --edit-key " .. fingerprint, commands)
  end

  local function add(fingerprint, algorithm, usage, expires)
    cli:must(("--quick-add-key %s %s %s %s"):format(fingerprint, algorithm, usage, expires or "never"))
  end

  -- primary key first: { fingerprint =, keygrip = }
  local function parts(fingerprint)
    local found = {}
    for line in list("--list-keys " .. fingerprint):gmatch("[^\n]+") do
      local kind, field = line:match("^(%l%l%l):"), line:match("^%l%l%l:::::::::(%x+):")
      if kind == "pub" or kind == "sub" then
        found[#found + 1] = {}
      elseif kind == "fpr" then
        found[#found].fingerprint = field
      elseif kind == "grp" then
        found[#found].keygrip = field
      end
    end
    return found
  end

  local function lose(part) os.remove(("%s/private-keys-v1.d/%s.key"):format(cli.directory, part.keygrip)) end

  it("P3.6 takes the usual key: its primary key signs, its subkey decrypts", function()
    local fingerprint = cli:key("Åsa: Öhman <asa@example.org>")
    local key, keys = find(fingerprint), parts(fingerprint)
    assert.are.equal("it can be adopted", key.obstacle)
    assert.are.equal("Åsa: Öhman <asa@example.org>", key.user_id)
    assert.are.equal("ed25519", key.algorithm)
    assert.are.equal(fingerprint, key.signer)
    assert.are.equal(keys[2].fingerprint, key.decrypter)
    assert.are.equal(0, key.expires)
    assert.is_true(math.abs(key.created - os.time()) < 86400)
    assert.is_false(key.card)
    -- the same of a key that was asked for
    assert.are.same(key, find(fingerprint, list("--with-secret --list-keys " .. fingerprint)))
  end)

  it("P3.6 takes one whose primary key is kept elsewhere, by its newest subkeys", function()
    local fingerprint = cli:key("Offline", "rsa2048", "rsa2048")
    add(fingerprint, "rsa2048", "sign", "2y")
    local keys = parts(fingerprint)
    lose(keys[1])
    local key = find(fingerprint)
    assert.are.equal("it can be adopted", key.obstacle)
    assert.are.equal("rsa2048", key.algorithm)
    assert.are.equal(keys[3].fingerprint, key.signer)
    assert.are.equal(keys[2].fingerprint, key.decrypter)
    assert.is_true(key.expires > os.time()) -- what is needed of it does expire
    lose(keys[3])
    assert.are.equal("your agent does not have the secret of its signing key", find(fingerprint).obstacle)
  end)

  it("P3.6 passes over a subkey whose secret is not here, or that is revoked", function()
    local fingerprint = cli:key("Moved")
    add(fingerprint, "cv25519", "encrypt")
    add(fingerprint, "ed25519", "sign")
    local keys = parts(fingerprint)
    assert.are.equal(keys[4].fingerprint, find(fingerprint).signer)
    edit(fingerprint, "key 3\nrevkey\ny\n0\n\ny\nsave\n")
    lose(keys[3])
    local key = find(fingerprint)
    assert.are.equal("it can be adopted", key.obstacle)
    assert.are.equal(fingerprint, key.signer)
    assert.are.equal(keys[2].fingerprint, key.decrypter)
    lose(keys[2])
    assert.are.equal("your agent does not have the secret of its encryption subkey", find(fingerprint).obstacle)
  end)

  it("P3.6 says why another is not taken", function()
    local sign_only = cli:key("Signs", "ed25519", false)
    assert.are.equal("it has no valid encryption subkey", find(sign_only).obstacle)
    local revoked = cli:key("Revoked")
    cli:must("--import", (gnupg.read(("%s/openpgp-revocs.d/%s.rev"):format(cli.directory, revoked)):gsub("\n:%-", "\n-")))
    assert.are.equal("it is revoked", find(revoked).obstacle)
    local disabled = cli:key("Disabled")
    edit(disabled, "disable\nsave\n")
    assert.are.equal("it is disabled in your GnuPG", find(disabled).obstacle)
    cli:must("--quick-gen-key Weak rsa1024 cert,sign never")
    local weak = list("--list-keys =Weak"):match("\nfpr:::::::::(%x+):")
    add(weak, "rsa2048", "encrypt")
    assert.are.equal("it has fewer than 2048 bits", find(weak).obstacle)
    cli:must("--quick-gen-key Certifies ed25519 cert never")
    local certifies = list("--list-keys =Certifies"):match("\nfpr:::::::::(%x+):")
    add(certifies, "cv25519", "encrypt")
    assert.are.equal("it has no valid key that signs", find(certifies).obstacle)
    local old = "--faked-system-time 20200101T000000 --ignore-time-conflict "
    cli:must(old .. "--quick-gen-key Old ed25519 cert,sign 1y")
    local expired = list("--list-keys =Old"):match("\nfpr:::::::::(%x+):")
    assert.are.equal("it has expired", find(expired).obstacle)
    cli:must(old .. "--quick-gen-key Half ed25519 cert,sign never")
    local half = list("--list-keys =Half"):match("\nfpr:::::::::(%x+):")
    -- a day later: gpg's false clock begins anew, and what is older than its primary key counts for nothing
    cli:must(old:gsub("20200101", "20200102") .. ("--quick-add-key %s cv25519 encrypt 1y"):format(half))
    assert.are.equal("its encryption subkey has expired", find(half).obstacle)
    -- gpg itself does not revoke the last one
    local nameless = list("--list-secret-keys " .. sign_only):gsub("\nuid:%-:", "\nuid:r:")
    assert.are.equal("no user id of it is valid", find(sign_only, nameless).obstacle)
    assert.are.equal("Signs", find(sign_only, nameless).user_id)
  end)

  it("P3.6 knows a smart card by its number", function()
    local fingerprint = cli:key("Card")
    local text = list("--list-secret-keys " .. fingerprint):gsub(":%+:", ":D2760001240100000006123456780000:")
    local key = find(fingerprint, text)
    assert.are.equal("it can be adopted", key.obstacle)
    assert.is_true(key.card)
    text = text:gsub("\nssb:(.-):D27600[^:]*:", "\nssb:%1:+:")
    assert.is_true(find(fingerprint, text).card)
  end)

  it("takes a key without an agent's word for one without a secret", function()
    local fingerprint = cli:key("Unasked")
    local key = find(fingerprint, list("--list-keys " .. fingerprint))
    assert.are.equal("your agent does not have the secret of its signing key", key.obstacle)
    assert.are.equal("", key.signer)
  end)

  it("reads no more than it has room for, and survives every other text", function()
    local text = list()
    assert.is_true(#openpgp.listing(text) > 3)
    assert.are.equal(2, #openpgp.listing(text, 2))
    assert.are.equal(0, #openpgp.listing(text, 0))
    assert.are.same({}, openpgp.listing(""))
    assert.are.same({}, openpgp.listing("sec"))
    assert.are.same({}, openpgp.listing(":::\nfpr:::::::::" .. ("A"):rep(40) .. ":\nuid:\nssb:\n\n\0"))
    math.randomseed(4711)
    for _ = 1, 3000 do
      local bytes = { text:byte(1, -1) }
      for _ = 1, math.random(8) do
        local at = math.random(#bytes)
        if math.random() < 0.5 then table.remove(bytes, at) else bytes[at] = math.random(0, 255) end
      end
      local from = math.random(#bytes)
      local changed = string.char(table.unpack(bytes, from, math.min(#bytes, from + 3000)))
      for _, key in ipairs(openpgp.listing(changed)) do
        local fits = key.obstacle == "it can be adopted"
        assert.are.equal(fits, openpgp.fingerprint(key.signer) and openpgp.fingerprint(key.decrypter))
      end
    end
  end)

  it("P3.6 refuses kinds that the packet walk does not know", function()
    local fingerprint = cli:key("Kinds")
    local text = list("--list-secret-keys " .. fingerprint)
    assert.are.equal("it is of a kind that sotto does not know", find(fingerprint, (text:gsub("cv25519", "cv448"))).obstacle)
    assert.are.equal("it is of a kind that sotto does not know", find(fingerprint, (text:gsub("ed25519", "ed448"))).obstacle)
    local fifth = openpgp.listing((text:gsub("fpr:::::::::(%x+):", "fpr:::::::::%1%1:")))[1]
    assert.are.equal("it is of a kind that sotto does not know", fifth.obstacle)
  end)
end)
