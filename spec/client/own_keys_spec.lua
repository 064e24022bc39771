-- SPDX-License-Identifier: GPL-3.0-or-later
local own_keys = require "sotto.client.own_keys"

describe("own keys", function()
  local keys

  before_each(function()
    keys = {
      { fingerprint = ("A1"):rep(20), user_id = "Ada Lovelace <ada@example.org>", algorithm = "ed25519", usable = true },
      { fingerprint = ("B2"):rep(20), user_id = "Ada (work) <ada@work.example>", algorithm = "rsa4096", usable = true,
        card = true, expires = 1893456000000 },
      { fingerprint = ("C3"):rep(20), user_id = "Old Ada <old@example.org>", algorithm = "dsa1024", usable = false,
        reason = "it has expired" },
    }
  end)

  local function at(text) return (own_keys.find(keys, text) or {}).fingerprint end

  it("are found by number, digits, mail address or name", function()
    assert.are.equal(keys[2].fingerprint, at "2")
    assert.are.equal(keys[1].fingerprint, at(("A1"):rep(20)))
    assert.are.equal(keys[1].fingerprint, at "0xa1a1a1a1")
    assert.are.equal(keys[2].fingerprint, at "B2B2 B2B2")
    assert.are.equal(keys[2].fingerprint, at "ADA@WORK")
    assert.are.equal(keys[1].fingerprint, at "lovelace")
  end)

  it("that could be meant are not guessed at, but one that fits comes before those that do not", function()
    local key, message = own_keys.find(keys, "ada")
    assert.is_nil(key)
    assert.are.equal("2 keys have 'ada': take the number", message)
    assert.are.equal(keys[1].fingerprint, at "example.org")
    assert.are.equal(keys[3].fingerprint, at "old@")
    for _, text in ipairs { "4", "0", "A1A1", "carol", "A1A1A1A2" } do
      key, message = own_keys.find(keys, text)
      assert.is_nil(key, text)
      assert.truthy(message:find("no key of your GnuPG has '" .. text, 1, true), message)
    end
  end)

  it("are listed with what they are, and why not, in eighty columns", function()
    local lines = own_keys.lines(keys)
    assert.are.equal("  1  Ada Lovelace <ada@example.org>", lines[1])
    assert.are.equal("     " .. ("A1A1 "):rep(10) .. " ed25519", lines[2])
    assert.truthy(lines[5]:find("     smart card, until 20", 1, true))
    assert.are.equal("     not to be adopted: it has expired", lines[8])
    for _, line in ipairs(lines) do assert.is_true(#line <= 80, line) end
    keys[1].user_id = "a\27[2Jb"
    assert.are.equal("  1  a<U+001B>[2Jb", own_keys.lines(keys)[1])
  end)

  it("are offered to Tab by what names them", function()
    assert.are.same({ "ada@example.org", "ada@work.example" }, own_keys.words(keys))
    keys[1].user_id = "Ada"
    assert.are.equal(("A1"):rep(8), own_keys.words(keys)[1])
  end)
end)
