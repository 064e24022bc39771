local fixture = require "store.fixture"

describe("identity", function()
  local f, s
  local secret = fixture.bytes(64, 99)
  before_each(function()
    f = fixture.new()
    s = f.s
  end)
  after_each(function() f.done() end)

  it("has none at first", function()
    assert.equal("not_found", select(2, s:identity_get()))
    assert.equal("not_found", select(2, s:identity_presence_secret()))
    assert.equal("not_found", select(2, s:identity_set("sequence", 9)))
    assert.equal("not_found", select(2, s:identity_set("has_passphrase", true)))
  end)

  it("keeps every field over a restart, and reads them while locked", function()
    local i = fixture.identity { has_passphrase = true }
    assert(s:identity_create(i, secret))
    f.close()
    f.s = assert(f.open())
    assert.same(i, f.s:identity_get())
  end)

  it("P4.4 gives the presence secret only while unlocked", function()
    assert(s:identity_create(fixture.identity(), secret))
    assert.equal(secret, s:identity_presence_secret())
    s:lock()
    assert.equal("locked", select(2, s:identity_presence_secret()))
    assert(s:unlock(fixture.key))
    assert.equal(secret, s:identity_presence_secret())
    f.close()
    assert.is_nil(f.files():find(secret, 1, true))
  end)

  it("P4.4 is not created while locked", function()
    s:lock()
    assert.equal("locked", select(2, s:identity_create(fixture.identity(), secret)))
    assert.equal("not_found", select(2, s:identity_get()))
  end)

  it("P4.4 notices a presence secret that was changed, or moved to another fingerprint", function()
    assert(s:identity_create(fixture.identity(), secret))
    f.close()
    f.sql("UPDATE identity SET fingerprint = '" .. fixture.fingerprint(7) .. "'")
    s = f.reopen()
    local _, code, text = s:identity_presence_secret()
    assert.equal("crypto", code)
    assert.truthy(text:find("identity.presence_secret", 1, true))
    assert.truthy(text:find(fixture.fingerprint(7), 1, true))
  end)

  it("is one", function()
    assert(s:identity_create(fixture.identity(), secret))
    assert.equal("wrong_state", select(2, s:identity_create(fixture.identity { name = "eve" }, secret)))
    assert.equal("alice", s:identity_get().name)
  end)

  it("P1.1 lets the presence sequence rise only", function()
    assert(s:identity_create(fixture.identity(), secret))
    assert.equal("wrong_state", select(2, s:identity_set("sequence", 5)))
    assert(s:identity_set("sequence", 6))
    assert.equal("wrong_state", select(2, s:identity_set("sequence", 5)))
    assert.equal(6, f.reopen():identity_get().presence_sequence)
  end)

  it("changes the passphrase flag", function()
    assert(s:identity_create(fixture.identity(), secret))
    assert(s:identity_set("has_passphrase", true))
    assert.same(fixture.identity { has_passphrase = true }, s:identity_get())
  end)

  it("P3.6 keeps what an adopted key is today, and makes no other key one", function()
    local i = fixture.identity { signer = fixture.fingerprint(1), card = true }
    assert(s:identity_create(i, secret))
    assert.same(i, f.reopen():identity_get())
    s = f.s
    local renewed = fixture.identity {
      signer = fixture.fingerprint(2), card = false, certificate = "newer", store_key = "sealed anew",
    }
    assert(s:identity_set_adopted(renewed))
    assert.same(renewed, s:identity_get())
    local other = fixture.identity { fingerprint = fixture.fingerprint(9), signer = fixture.fingerprint(2) }
    assert.equal("wrong_state", select(2, s:identity_set_adopted(other)))
    assert.same(renewed, s:identity_get())
    f.close()
    f.sql("UPDATE identity SET signer = ''")
    assert.equal("wrong_state", select(2, f.reopen():identity_set_adopted(renewed)))
  end)

  it("refuses malformed values and lengths", function()
    assert.equal("bad_params", select(2, s:identity_create(fixture.identity { fingerprint = ("a"):rep(40) }, secret)))
    assert.equal("bad_params", select(2, s:identity_create(fixture.identity { fingerprint = ("A"):rep(39) }, secret)))
    assert.equal("bad_params", select(2, s:identity_create(fixture.identity(), secret:sub(2))))
    assert.equal("too_large", select(2, s:identity_create(fixture.identity { certificate = ("c"):rep(65537) }, secret)))
    assert(s:identity_create(fixture.identity { certificate = ("c"):rep(65536) }, secret))
  end)
end)
