-- SPDX-License-Identifier: GPL-3.0-or-later
-- Second payloads of one number, as the store keeps them (P5.7).
local fixture = require "store.fixture"

describe("proofs", function()
  local f, s
  local d, other = fixture.id(1), fixture.id(2)
  local liar, honest = ("A"):rep(40), ("B"):rep(40)
  local proof = { sequence = 7, time = 42, message = "what was said to another", session_key = "9:session key" }
  before_each(function()
    f = fixture.new()
    s = f.s
    assert(s:discussion_create(fixture.discussion(1)))
    assert(s:discussion_create(fixture.discussion(2)))
  end)
  after_each(function() f.done() end)

  it("P5.7 keeps the first of a sender in an epoch, over a restart", function()
    assert(s:proof_put(d, 3, liar, proof))
    assert(s:proof_put(d, 3, liar, { sequence = 8, time = 43, message = "more", session_key = "k" }))
    assert(s:proof_put(d, 4, liar, { sequence = 1, time = 44, message = "later", session_key = "k" }))
    s = f.reopen()
    assert.same(proof, s:proof_get(d, 3, liar))
    assert.equal("later", s:proof_get(d, 4, liar).message)
    assert.equal("not_found", select(2, s:proof_get(d, 3, honest)))
    assert.equal("not_found", select(2, s:proof_get(other, 3, liar)))
    assert.equal("not_found", select(2, s:proof_put(fixture.id(3), 3, liar, proof)))
  end)

  it("P5.7 lists who is proven to have lied, and where; also while the store is locked", function()
    assert(s:proof_put(d, 3, liar, proof))
    assert(s:proof_put(d, 4, liar, { sequence = 1, time = 44, message = "later", session_key = "k" }))
    assert(s:proof_put(other, 0, honest, proof))
    f.close()
    f.s = assert(f.open())
    local list = {}
    assert(f.s:proof_each(d, function(row) list[#list + 1] = row end))
    assert.same({ { epoch = 3, sender = liar, sequence = 7 }, { epoch = 4, sender = liar, sequence = 1 } }, list)
    assert.equal("not_found", select(2, f.s:proof_each(fixture.id(3), function() end)))
  end)

  it("P4.4 seals it: nothing of it stands in the file, and it opens in its own place only", function()
    assert(s:proof_put(d, 3, liar, proof))
    assert.is_nil(f.files():find(proof.message, 1, true))
    assert.is_nil(f.files():find(proof.session_key, 1, true))
    f.close()
    f.sql "UPDATE proofs SET sequence = 8"
    s = f.reopen()
    assert.equal("crypto", select(2, s:proof_get(d, 3, liar)))
    f.close()
    f.s = assert(f.open())
    assert.equal("locked", select(2, f.s:proof_get(d, 3, liar)))
    assert.equal("locked", select(2, f.s:proof_put(d, 3, liar, proof)))
  end)

  it("goes with its discussion", function()
    assert(s:proof_put(d, 3, liar, proof))
    assert(s:discussion_forget(d))
    f.close()
    assert.same({ { 0 } }, f.sql "SELECT count(*) FROM proofs")
  end)
end)
