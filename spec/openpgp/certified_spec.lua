-- SPDX-License-Identifier: GPL-3.0-or-later
local gnupg = require "support.gnupg"
local openpgp = require "support.openpgp"

describe("certified", function()
  local cli, carl, ada, bob

  setup(function()
    cli = gnupg.home()
    carl, ada, bob = cli:key "Carl", cli:key "Ada", cli:key "Bob"
  end)
  teardown(function() cli:close() end)

  local function sign(who, whom, how) cli:must(("--yes -u %s %s %s"):format(who, how or "--quick-sign-key", whom)) end

  local function signatures(key)
    return cli:must("--no-options --trust-model always --with-colons --check-signatures " .. key)
  end

  local function certifiers(key, text, now) return openpgp.certified(text or signatures(key), key, now or os.time()) end

  local function valid(list, from, to)
    local text = cli:must "--no-options --trust-model always --with-colons --list-keys"
    return openpgp.certified_valid(text, list, from, to)
  end

  it("is a key by those whose signatures gpg has checked, and not by itself", function()
    assert.are.same({}, certifiers(carl))
    sign(ada, carl)
    assert.are.same({ ada }, certifiers(carl))
    sign(bob, carl, "--quick-lsign-key")
    assert.are.same({ ada, bob }, certifiers(carl))
    assert.are.same({}, certifiers(ada))
    -- what was listed is another key's
    assert.are.same({}, openpgp.certified(signatures(carl), ada, os.time()))
  end)

  it("is not by one whose key is missing, or whose signature is damaged", function()
    local other = gnupg.home()
    local key = cli:key "Dan"
    sign(ada, key)
    other:must("--import", cli:must("--export " .. key))
    local text = other:must("--no-options --trust-model always --with-colons --check-signatures " .. key)
    assert.truthy(text:find("sig:?:", 1, true), text)
    assert.are.same({}, certifiers(key, text))
    assert.are.same({ ada }, certifiers(key))
    local damaged = signatures(key):gsub("sig:!:", "sig:-:")
    assert.are.same({}, certifiers(key, damaged))
    other:close()
  end)

  it("is no longer by one who has taken it back, unless that was said anew", function()
    local key = cli:key "Erin"
    sign(ada, key)
    cli:must(("--yes --quick-revoke-sig %s %s"):format(key, ada))
    assert.are.same({}, certifiers(key))
    local text = signatures(key)
    local time = text:match "\nrev:!::22:%x+:(%d+):"
    assert.truthy(time, text)
    -- gpg's list has the newest of each: what is signed again later counts
    local again = text:gsub("(\nsig:!::22:" .. ada:sub(-16) .. ":)%d+", ("%%1%d"):format(tonumber(time) + 1))
    assert.are.same({ ada }, certifiers(key, again))
  end)

  it("is no longer by a signature that has expired", function()
    local key = cli:key "Frank"
    sign(bob, key, "--default-cert-expire 1d --quick-sign-key")
    assert.are.same({ bob }, certifiers(key))
    assert.are.same({}, certifiers(key, nil, os.time() + 2 * 86400))
  end)

  it("is not where a user id was revoked, or the key itself", function()
    local key = cli:key "Grace"
    cli:must(("--quick-add-uid %s Other"):format(key))
    sign(ada, key .. " Grace")
    assert.are.same({ ada }, certifiers(key))
    cli:must(("--quick-revoke-uid %s Grace"):format(key))
    assert.are.same({}, certifiers(key))
    local expired = cli:key "Heidi"
    sign(ada, expired)
    assert.are.same({}, certifiers(expired, (signatures(expired):gsub("pub:[^:]*:", "pub:e:"))))
  end)

  it("is only by keys that are still good", function()
    local old = cli:key "Ivan"
    cli:must(("--quick-set-expire %s seconds=1"):format(old))
    local list = valid { ada, old, ("0"):rep(40), bob }
    if #list == 3 then
      repeat list = valid { ada, old, ("0"):rep(40), bob } until #list == 2
    end
    assert.are.same({ ada, bob }, list)
    -- some at a time: those around them stay
    local some, kept = valid({ old, old, ada, old }, 1, 3)
    assert.are.same({ old, ada, old }, some)
    assert.are.equal(1, kept)
    cli:must("--command-fd 0 --edit-key " .. bob, "disable\nsave\n")
    assert.are.same({ ada }, (valid { ada, bob }))
  end)

  it("takes any text, and as many as there is room for", function()
    for _, text in ipairs { "", "\n\n", "sig:!", "pub:u\nfpr\nuid\nsig", ("sig:!:"):rep(1000), "\0\0:\0" } do
      assert.are.same({}, certifiers(carl, text))
    end
    local lines = { "pub:u:", "fpr:::::::::" .. carl .. ":", "uid:u:" }
    for i = 1, 600 do
      lines[#lines + 1] = ("sig:!::22:0:%d::::x:10x::%040X:::8:"):format(1, i)
    end
    local found = certifiers(carl, table.concat(lines, "\n"))
    assert.are.equal(512, #found)
    assert.are.equal(("%040X"):format(1), found[1])
  end)
end)
