local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"

local done, failure = gnupg.done, gnupg.failure

-- What an adopted key may be: one whose primary key stays at home, and whose subkeys work.
describe("a signature by a subkey", function()
  local GOOD = "--compress-algo none --set-filename '' -s -e -u "
  local directory, rig, bert
  local cli, owner, subkey, eve

  setup(function()
    directory = gnupg.directory()
    rig = assert(openpgp.new(directory .. "/homes"))
    bert = done(rig:make_discussion {})
    cli = gnupg.home()
    cli:must("--import", bert.certificate)
    eve = cli:key("Eve")
    done(rig:import { home = bert.home, certificate = cli:certificate(eve) })
  end)

  teardown(function()
    cli:close()
    rig:stop()
    gnupg.remove(directory)
  end)


  -- what gpg lists of a key's subkeys: { fingerprint, capabilities }
  local function subkeys(of)
    local found, capabilities = {}, nil
    for line in cli:must("--with-colons --list-keys " .. of):gmatch("[^\n]+") do
      capabilities = line:match("^sub:" .. ("[^:]*:"):rep(10) .. "(%a*):") or capabilities
      local fpr = line:match("^fpr:::::::::(%x+):")
      if fpr and capabilities then found[#found + 1] = { fpr, capabilities } end
    end
    return found
  end

  local function verify(text, signature, signer)
    return rig:verify { home = bert.home, text = text, signature = signature, signer = signer }
  end

  before_each(function()
    owner = cli:key(("Owner %d"):format(cli.count))
    cli:must(("--quick-add-key %s ed25519 sign never"):format(owner))
    for _, key in ipairs(subkeys(owner)) do
      if key[2] == "s" then subkey = key[1] end
    end
    done(rig:import { home = bert.home, certificate = cli:certificate(owner) })
  end)

  it("P3.4 is the general key's, as gpg has checked that each binds the other", function()
    local signature = cli:must(("-u %s! --detach-sign"):format(subkey), "text")
    assert.are.equal(owner, done(verify("text", signature, owner)).fingerprint)
    assert.are_not.equal(owner, subkey)
    local code, _, verdict = failure(verify("text", signature, subkey))
    assert.are.same({ "crypto", "wrong_signer" }, { code, verdict })
    code, _, verdict = failure(verify("text", signature, eve))
    assert.are.same({ "crypto", "wrong_signer" }, { code, verdict })
    local id = bert.info.encryption
    local message = cli:must(GOOD .. subkey .. "! -r " .. id .. "!", "x")
    local function opened_by(signer)
      return rig:open { home = bert.home, message = message, to = { id }, signer = signer }
    end
    assert.are.equal(owner, done(opened_by(owner)).fingerprint)
    code, _, verdict = failure(opened_by(eve))
    assert.are.same({ "crypto", "wrong_signer" }, { code, verdict })
  end)

  it("P3.4 is nobody's where the subkey is not in the certificate, or revoked", function()
    local signature = cli:must(("-u %s! --detach-sign"):format(subkey), "text")
    local parts = gnupg.packets(cli:certificate(owner))
    local home = assert(rig:create_home())
    -- primary, user id, signature, encryption subkey, signature: the other subkey left out
    done(rig:import { home = home, certificate = gnupg.join(parts, 1, 5) })
    local code, _, verdict = failure(rig:verify { home = home, text = "text", signature = signature, signer = owner })
    assert.are.same({ "crypto", "bad_signature" }, { code, verdict })
    done(rig:destroy(home))
    cli:must(("--command-fd 0 --edit-key %s"):format(owner), "key 2\nrevkey\ny\n0\n\ny\nsave\n")
    done(rig:import { home = bert.home, certificate = cli:certificate(owner) })
    code, _, verdict = failure(verify("text", signature, owner))
    assert.are.same({ "crypto", "bad_signature" }, { code, verdict })
  end)

  it("P3.4 is nobody's where the subkey does not bind the primary key", function()
    -- a subkey that may sign, and says so, but has not signed back: as if somebody had taken another's as its own
    local parts = gnupg.packets(cli:certificate(owner))
    local binding = parts[#parts].body
    local hashed = string.unpack(">I2", binding, 5)
    local unhashed = string.unpack(">I2", binding, 7 + hashed)
    local areas = binding:sub(1, 6 + hashed) .. "\0\0" .. binding:sub(9 + hashed + unhashed)
    assert.is_true(unhashed > 60) -- that is where it was
    local home = assert(rig:create_home())
    done(rig:import { home = home, certificate = gnupg.join(parts, 1, #parts - 1) .. gnupg.packet(2, areas) })
    local signature = cli:must(("-u %s! --detach-sign"):format(subkey), "text")
    local code, _, verdict = failure(rig:verify { home = home, text = "text", signature = signature, signer = owner })
    assert.are.same({ "crypto", "bad_signature" }, { code, verdict })
    done(rig:destroy(home))
  end)
end)
