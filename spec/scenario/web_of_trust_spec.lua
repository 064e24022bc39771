-- SPDX-License-Identifier: GPL-3.0-or-later
-- OpenPGP's web of trust as a policy sees it: an introducer signs a peer's general key with stock gpg, and the user's own GnuPG
-- says so.
local adopting = require "support.adopting"
local cores = require "support.cores"
local sys = require "sotto.sys"

describe("the web of trust", function()
  local alice, bob, own, introducer, id

  setup(function()
    own = adopting.gnupg "bob"
    introducer = own:key { user_id = "An introducer" }
    alice = cores.person "alice"
    bob = cores.person("bob", { environment = { GNUPGHOME = own.directory } })
    cores.meet(alice, bob)
    id = cores.open_between(alice, bob)
    bob:call("scripts.load", { path = sys.cwd() .. "/plugins/web-of-trust.lua", grant = true })
    bob:call("scripts.command", { name = "web-of-trust", command = "trust", arguments = { introducer } })
  end)
  teardown(adopting.clean)

  local function certifiers() return bob:call("peers.certifiers", { peer = "alice" }).certifiers end
  local function verdict() return bob:call("scripts.explain", { candidate = alice.fingerprint, discussion = id }).verdict end

  it("takes in whom an introducer has signed, until that is taken back", function()
    assert.are.same({}, certifiers())
    assert.are.equal("ask", verdict().answer)
    -- what bob knows of alice's key goes into his GnuPG
    local path = cores.root() .. "/export"
    bob:call("discussions.export", { discussion = id, path = path })
    own:gpg(("--import %s/certificates/%s.general.pgp"):format(path, alice.fingerprint))
    assert.are.same({}, certifiers())
    own:gpg(("-u %s --quick-sign-key %s"):format(introducer, alice.fingerprint))
    assert.are.same({ introducer }, certifiers())
    assert.are.same({ answer = "consent", script = "web-of-trust", reason = "signed by " .. introducer:sub(1, 8) }, verdict())
    -- somebody else's word is none
    bob:call("scripts.command", { name = "web-of-trust", command = "distrust", arguments = { introducer } })
    bob:call("scripts.command", { name = "web-of-trust", command = "trust", arguments = { ("A1"):rep(20) } })
    assert.are.equal("ask", verdict().answer)
    own:gpg(("--quick-revoke-sig %s %s"):format(alice.fingerprint, introducer))
    assert.are.same({}, certifiers())
  end)

  it("knows of those who are no peers, and not of those who are nobody", function()
    assert.are.same({}, bob:call("peers.certifiers", { peer = ("0"):rep(40) }).certifiers)
    own:gpg(("-u %s --quick-sign-key %s"):format(own:key { user_id = "Another" }, introducer))
    assert.are.equal(1, #bob:call("peers.certifiers", { peer = introducer }).certifiers)
    assert.are.equal("not_found", (bob:fails("peers.certifiers", { peer = "nobody" })))
    -- without a GnuPG of one's own there is nothing to look at
    assert.are.same({}, alice:call("peers.certifiers", { peer = "bob" }).certifiers)
  end)
end)
