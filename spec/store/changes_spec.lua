-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a change of members leaves on disk (§5): statements, proposals, cuts, and who was a member before.
local fixture = require "store.fixture"

local d, other = fixture.id(1), fixture.id(2)

local function all(each)
  local list = {}
  assert(each(function(row) list[#list + 1] = row end))
  return list
end

local function statement(n, t)
  local s = { name = fixture.bytes(32, n), own = false, signed = true, envelope = "envelope " .. fixture.bytes(200, n) }
  for k, v in pairs(t or {}) do s[k] = v end
  return s
end

local function proposal(n, t)
  local p = {
    id = fixture.id(100 + n), discussion = d, epoch = 0, kind = "charter", candidate = "",
    proposer = fixture.fingerprint(1), state = "open", created = n, ended = 0, name = fixture.bytes(32, n),
    op = "op " .. fixture.bytes(90, n), answers = "[]",
  }
  for k, v in pairs(t or {}) do p[k] = v end
  return p
end

describe("changes", function()
  local f, s
  before_each(function()
    f = fixture.new(2)
    s = f.s
  end)
  after_each(function() f.done() end)

  describe("statements", function()
    local function of(epoch) return all(function(each) return s:statement_each(d, epoch, each) end) end

    it("come back in the order in which they came, each once", function()
      for n = 1, 5 do assert(s:statement_append(d, 3, statement(n))) end
      assert(s:statement_append(d, 3, statement(2, { envelope = "another signature of it" })))
      assert(s:statement_append(d, 4, statement(9)))
      s = f.reopen()
      for n, row in ipairs(of(3)) do
        assert.same(statement(n, { proof = false }), row)
      end
      assert.equal(5, #of(3))
      assert.equal(1, #of(4))
    end)

    it("§5, 4 are there before they are signed", function()
      assert(s:statement_append(d, 0, statement(1, { own = true, signed = false, envelope = "the body" })))
      s = f.reopen()
      assert.same({ false, "the body" }, { of(0)[1].signed, of(0)[1].envelope })
      assert(s:statement_sign(d, 0, statement(1, { envelope = "the envelope" })))
      assert.same({ true, true, "the envelope" }, { of(0)[1].signed, of(0)[1].own, of(0)[1].envelope })
      assert.equal("not_found", select(2, s:statement_sign(d, 0, statement(2))))
    end)

    it("make way for what proves the end of their epoch", function()
      for n = 1, 5 do assert(s:statement_append(d, 0, statement(n))) end
      assert(s:statement_append(d, 1, statement(7)))
      assert(s:statement_decide(d, 0, { statement(8), statement(2) }))
      local rows = of(0)
      assert.equal(2, #rows)
      for i, n in ipairs { 8, 2 } do assert.same(statement(n, { proof = true }), rows[i]) end
      assert.equal(1, #of(1))
    end)

    it("P5.7 that exclude each other are kept when their epoch has ended", function()
      for n = 1, 3 do assert(s:statement_append(d, 0, statement(n))) end
      assert(s:statement_decide(d, 0, { statement(8), statement(2) }))
      for _, n in ipairs { 2, 5, 6 } do assert(s:statement_append(d, 0, statement(n))) end
      assert(s:statement_append(d, 1, statement(7))) -- of the epoch that goes on
      assert(s:statement_append(other, 0, statement(9)))
      s = f.reopen()
      assert.equal(4, #of(0))
      local function lies(before) return all(function(each) return s:statement_each_lie(d, before, each) end) end
      for i, n in ipairs { 5, 6 } do
        assert.same({ epoch = 0, name = statement(n).name, envelope = statement(n).envelope }, lies(1)[i])
      end
      assert.same({ 0, 2, 3 }, { #lies(0), #lies(1), #lies(2) })
      s:lock()
      assert.equal("locked", select(2, s:statement_each_lie(d, 1, function() end)))
    end)

    it("P4.4 are sealed, each for its own place", function()
      local secret = "who refused, and why: " .. fixture.bytes(40, 5):gsub("[^%w]", "x")
      assert(s:statement_append(d, 0, statement(1, { envelope = secret })))
      s:lock()
      assert.equal("locked", select(2, s:statement_each(d, 0, function() end)))
      assert.equal("locked", select(2, s:statement_append(d, 0, statement(2))))
      f.close()
      assert.is_nil(f.files():find(secret, 1, true))
      f.sql("UPDATE statements SET epoch = 1")
      s = f.reopen()
      assert.equal("crypto", select(2, s:statement_each(d, 1, function() end)))
    end)

    it("have a limit, and belong to a discussion that is there", function()
      assert.equal("too_large", select(2, s:statement_append(d, 0, statement(1, { envelope = ("x"):rep(256 * 1024 + 1) }))))
      assert.equal("not_found", select(2, s:statement_append(fixture.id(9), 0, statement(1))))
      assert(s:statement_append(d, 0, statement(1)))
      assert(s:discussion_forget(d))
      f.close()
      assert.equal(0, #f.sql "SELECT * FROM statements")
    end)
  end)

  describe("proposals", function()
    local function of(discussion) return all(function(each) return s:proposal_each(discussion, each) end) end

    it("are kept as they are, oldest first, of one discussion or of all", function()
      for n = 1, 3 do assert(s:proposal_put(proposal(n))) end
      local without = proposal(4, { discussion = other, kind = "admit", candidate = fixture.fingerprint(7) })
      without.name, without.op, without.answers = nil, nil, nil
      assert(s:proposal_put(without))
      s = f.reopen()
      for n, row in ipairs(of(d)) do assert.same(proposal(n), row) end
      assert.same({ 3, 4 }, { #of(d), #of(nil) })
      assert.same(without, s:proposal_get(without.id))
    end)

    it("are written anew, but for what they began with", function()
      assert(s:proposal_put(proposal(1)))
      local later = proposal(1, { state = "committed", ended = 77, epoch = 2, answers = '[{"answer":"consent"}]' })
      assert(s:proposal_put(proposal(1, { state = "committed", ended = 77, epoch = 2, answers = later.answers,
        created = 99 })))
      assert.same(later, s:proposal_get(later.id))
      assert(s:proposal_drop(later.id))
      assert.equal("not_found", select(2, s:proposal_get(later.id)))
    end)

    it("that have ended make room, and open ones do not", function()
      for n = 1, 3 do assert(s:proposal_put(proposal(n))) end
      f.close()
      -- as if a thousand had ended
      f.sql(("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1005) INSERT INTO proposals "
        .. "(id, discussion, epoch, kind, candidate, proposer, state, created, ended) SELECT printf('%%032x', x), 1, 0, "
        .. "'charter', '', '%s', 'void', 1, 1 FROM n"):format(fixture.fingerprint(1)))
      s = f.reopen()
      assert(s:proposal_put(proposal(9, { state = "refused", ended = 5 })))
      local open, ended = 0, 0
      for _, row in ipairs(of(d)) do
        if row.state == "open" then open = open + 1 else ended = ended + 1 end
      end
      assert.same({ 3, 1000 }, { open, ended })
    end)

    it("P4.4 are sealed where they have words", function()
      local words = "a reason that nobody else reads"
      assert(s:proposal_put(proposal(1, { answers = words, op = words })))
      s:lock()
      assert.equal("locked", select(2, s:proposal_each(d, function() end)))
      f.close()
      assert.is_nil(f.files():find(words, 1, true))
      s = f.reopen()
      assert.equal("bad_params", select(2, s:proposal_put(proposal(2, { id = "1" }))))
      assert.equal("bad_params", select(2, s:proposal_put(proposal(2, { proposer = "bob" }))))
    end)
  end)

  describe("an epoch that has ended", function()
    it("P5.3 keeps its cut, and one only", function()
      local roster = { epoch = 0, roster = "{}", roster_hash = fixture.bytes(32, 1), head = fixture.bytes(32, 2) }
      assert(s:epoch_create(d, roster))
      assert.is_nil((s:epoch_cut(d, 0)))
      assert(s:epoch_end(d, 0, "the cut"))
      assert.equal("wrong_state", select(2, s:epoch_end(d, 0, "another")))
      assert.equal("not_found", select(2, s:epoch_end(d, 1, "the cut")))
      s = f.reopen()
      assert.equal("the cut", s:epoch_cut(d, 0))
    end)

    it("knows who was a member before, as last known", function()
      local function member(n, position, key)
        return { fingerprint = fixture.fingerprint(n), position = position, certificate = "c", binding = "b", general = "g",
          certificate_fingerprint = fixture.fingerprint(n + 50), key_id = ("%016X"):format(key), addresses = {} }
      end
      -- 1 and 2 found it, 3 comes, 1 goes, 4 comes, 2 goes; 1 comes again
      for epoch, list in pairs { [0] = { 1, 2 }, { 1, 2, 3 }, { 2, 3 }, { 2, 3, 4 }, { 3, 4 }, { 3, 4, 1 } } do
        for i, n in ipairs(list) do assert(s:member_put(d, epoch, member(n, i - 1, 16 * epoch + n))) end
      end
      local function former(epoch)
        local names = {}
        for _, m in ipairs(all(function(each) return s:member_each_former(d, epoch, each) end)) do
          names[#names + 1] = tonumber(m.key_id, 16)
        end
        return names
      end
      assert.same({ {}, {}, { 17 }, { 17 }, { 17, 50 }, { 50 } },
        { former(0), former(1), former(2), former(3), former(4), former(5) })
    end)
  end)
end)
