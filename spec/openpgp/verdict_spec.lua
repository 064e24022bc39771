local openpgp = require "support.openpgp"

describe("verdict", function()
  local us, them = ("A"):rep(40), ("B"):rep(40)
  local SHA256, SHA384, SHA512 = 8, 9, 10

  -- the facts of a message that is to be accepted, with some of them changed
  local function facts(changes)
    local f = { encrypted = true, mdc = true, shape = true, signatures = 1, status = 0, hash = SHA512, signer = us }
    for k, v in pairs(changes or {}) do f[k] = v end
    return f
  end

  local function verdict(changes, signer) return openpgp.verdict(facts(changes), signer or us) end

  it("P3.4 accepts a good message by the expected signer, with any of the three hashes", function()
    for _, hash in ipairs { SHA256, SHA384, SHA512 } do
      assert.are.equal("accepted", verdict { hash = hash })
    end
  end)

  it("P3.4 refuses for each single fact that is not as it must be", function()
    assert.are.equal("gpg_error", verdict { failed = true })
    assert.are.equal("no_mdc", verdict { mdc = false })
    assert.are.equal("wrong_key_usage", verdict { wrong_key_usage = true })
    assert.are.equal("shape", verdict { shape = false })
    assert.are.equal("unsigned", verdict { signatures = 0 })
    assert.are.equal("several_signatures", verdict { signatures = 2 })
    assert.are.equal("several_signatures", verdict { signatures = 1000 })
    assert.are.equal("bad_signature", verdict { status = 1 })
    assert.are.equal("bad_signature", verdict { status = 0x7000009 })
    assert.are.equal("wrong_signer", verdict { signer = them })
  end)

  it("P3.4 refuses every hash but SHA-256, SHA-384 and SHA-512", function()
    for hash = 0, 255 do
      local expected = hash >= SHA256 and hash <= SHA512 and "accepted" or "weak_hash"
      assert.are.equal(expected, verdict { hash = hash })
    end
  end)

  it("P3.4 compares whole fingerprints", function()
    assert.are.equal("wrong_signer", verdict { signer = us:sub(1, 39) .. "B" })
    assert.are.equal("wrong_signer", verdict { signer = "B" .. us:sub(2) })
    assert.are.equal("wrong_signer", verdict { signer = us:sub(25) }) -- its key id
    assert.are.equal("wrong_signer", verdict { signer = us:lower() })
    assert.are.equal("wrong_signer", verdict({ signer = us:sub(25) }, us:sub(25)))
    assert.are.equal("wrong_signer", verdict({ signer = "" }, ""))
  end)

  it("P3.4 asks nothing about encryption of a detached signature, and the rest all the same", function()
    local detached = { encrypted = false, mdc = false, shape = false }
    assert.are.equal("accepted", verdict(detached))
    detached.signatures = 0
    assert.are.equal("unsigned", verdict(detached))
    detached.signatures, detached.wrong_key_usage = 1, true
    assert.are.equal("wrong_key_usage", verdict(detached))
  end)

  it("P3.4 never accepts where two facts are wrong", function()
    local wrong = {
      { failed = true }, { mdc = false }, { wrong_key_usage = true }, { shape = false }, { signatures = 0 },
      { signatures = 2 }, { status = 9 }, { hash = 2 }, { signer = them },
    }
    for _, a in ipairs(wrong) do
      for _, b in ipairs(wrong) do
        local both = {}
        for k, v in pairs(a) do both[k] = v end
        for k, v in pairs(b) do both[k] = v end
        assert.are_not.equal("accepted", verdict(both))
      end
    end
  end)
end)
