local fixture = require "store.fixture"
local store = require "support.store"
local tools = require "support.store_tools"

describe("store", function()
  local f, s
  before_each(function()
    f = fixture.new()
    s = f.s
  end)
  after_each(function()
    tools.limit_file(nil)
    f.done()
  end)

  describe("opening", function()
    it("makes a 0600 file in a 0700 directory, and its WAL alike", function()
      assert.equal("700", ("%o"):format(tools.mode(f.directory .. "/data")))
      assert(s:setting_put("a", "b"))
      assert.equal("600", ("%o"):format(tools.mode(f.path)))
      assert.equal("600", ("%o"):format(tools.mode(f.path .. "-wal")))
      assert.is_nil(tools.mode(f.path .. "-shm"))
    end)

    it("takes loose modes back", function()
      f.close()
      tools.chmod(f.path, 420)
      tools.chmod(f.directory .. "/data", 493)
      f.reopen()
      assert.equal("700", ("%o"):format(tools.mode(f.directory .. "/data")))
      assert.equal("600", ("%o"):format(tools.mode(f.path)))
    end)

    it("is one process's at a time", function()
      local other, code, text = f.open()
      assert.is_nil(other)
      assert.equal("busy", code)
      assert.truthy(text:find("another process", 1, true))
      assert(s:setting_put("a", "b"))
      f.close()
      other = assert(f.open())
      assert.equal("b", other:setting_get("a"))
      other:close()
    end)

    it("says what is in the way of its file", function()
      local _, code, text = store.open(f.path .. "/below")
      assert.equal("io", code)
      assert.truthy(text:find(f.path, 1, true))
      assert(tools.make_directory(f.directory .. "/data/dir"))
      assert.is_nil((store.open(f.directory .. "/data/dir")))
    end)

    -- what the other specs rely on
    it("damage to its file is found", function()
      assert(s:begin())
      for i = 1, 200 do assert(s:setting_put("key " .. i, fixture.bytes(500, i))) end
      assert(s:commit())
      assert(s:check())
      f.close()
      local file = io.open(f.path, "r+b")
      file:seek("set", 4096 * 25)
      file:write(fixture.bytes(4096 * 3))
      file:close()
      f.s = assert(f.open())
      assert.is_false((f.s:check()))
    end)
  end)

  describe("transactions", function()
    it("commits all or rolls all back", function()
      assert(s:begin())
      assert.is_true(s:in_transaction())
      assert(s:setting_put("a", "1"))
      assert(s:discussion_create(fixture.discussion(1)))
      assert.equal("1", s:setting_get("a"))
      s:rollback()
      assert.is_false(s:in_transaction())
      assert.equal("not_found", select(2, s:setting_get("a")))
      assert.equal("not_found", select(2, s:discussion_get(fixture.id(1))))
      assert(s:begin())
      assert(s:setting_put("a", "1"))
      assert(s:discussion_create(fixture.discussion(1)))
      assert(s:message_insert(fixture.message(1)))
      assert(s:commit())
      s = f.reopen()
      assert.equal("1", s:setting_get("a"))
      assert.equal("text number 1", s:message_get(fixture.id(1)).text)
    end)

    it("does not nest", function()
      assert.equal("wrong_state", select(2, s:commit()))
      s:rollback()
      assert(s:begin())
      assert.equal("wrong_state", select(2, s:begin()))
      assert(s:setting_put("a", "1"))
      assert(s:commit())
      assert.equal("wrong_state", select(2, s:commit()))
      assert.equal("1", s:setting_get("a"))
    end)

    it("is rolled back where the store is closed before its commit", function()
      assert(s:begin())
      assert(s:setting_put("a", "1"))
      assert.equal("not_found", select(2, f.reopen():setting_get("a")))
    end)

    it("goes on after a refused write", function()
      assert(s:discussion_create(fixture.discussion(1)))
      assert(s:begin())
      assert(s:message_insert(fixture.message(1)))
      assert.equal("wrong_state", select(2, s:message_insert(fixture.message(1))))
      assert.equal("wrong_state", select(2, s:discussion_create(fixture.discussion(1))))
      assert.equal("wrong_state", select(2, s:payload_append(fixture.payload(2))))
      assert(s:message_insert(fixture.message(2)))
      assert(s:commit())
      assert.same({ fixture.id(1), fixture.id(2) }, fixture.ids(s:message_list(fixture.id(1), { limit = 9 })))
    end)

    it("forgets a data key that was made in it", function()
      assert(s:begin())
      assert(s:discussion_create(fixture.discussion(1)))
      assert(s:message_insert(fixture.message(1)))
      s:rollback()
      assert(s:discussion_create(fixture.discussion(1)))
      assert(s:message_insert(fixture.message(1)))
      assert.equal("text number 1", f.reopen():message_get(fixture.id(1)).text)
    end)

    it("refuses to write, begin or commit from inside a visit, and reads there", function()
      for i = 1, 3 do assert(s:discussion_create(fixture.discussion(i))) end
      local visits = 0
      assert(s:discussion_each(function(d)
        visits = visits + 1
        assert.equal("wrong_state", select(2, s:setting_put("a", "1")))
        assert.equal("wrong_state", select(2, s:discussion_forget(d.id)))
        assert.equal("wrong_state", select(2, s:begin()))
        assert.equal(3, #s:discussion_each())
        assert.same(d, s:discussion_get(d.id))
      end))
      assert.equal(3, visits)
      assert(s:begin())
      s:discussion_each(function() assert.equal("wrong_state", select(2, s:commit())) end)
      assert(s:setting_put("a", "1"))
      assert(s:commit())
    end)
  end)

  describe("locking", function()
    it("P4.4 fails with locked what needs a sealed column, and nothing else", function()
      local d = fixture.id(1)
      assert(s:discussion_create(fixture.discussion(1)))
      assert(s:message_insert(fixture.message(1)))
      assert(s:payload_append(fixture.payload(1)))
      local search = assert(s:search("text"))
      s:lock()
      assert.is_false(s:unlocked())
      local key = { discussion = d, epoch = 0, sender = fixture.fingerprint(0), sequence = 1 }
      for name, call in pairs {
        create = function() return s:discussion_create(fixture.discussion(2)) end,
        insert = function() return s:message_insert(fixture.message(2)) end,
        get = function() return s:message_get(fixture.id(1)) end,
        list = function() return s:message_list(d, { limit = 1 }) end,
        waiting = function() return s:message_each_waiting(d, "queued", 1) end,
        placed = function() return s:message_each_placed(d, 0, fixture.fingerprint(0), 1, 1, 1) end,
        append = function() return s:payload_append(fixture.payload(2)) end,
        set_message = function() return s:payload_set_message(key, "sealed") end,
        payload = function() return s:payload_get(key) end,
        payloads = function() return s:payload_each_after(key, 1) end,
        search = function() return search:slice(10, 10) end,
      } do
        local got, code = call()
        assert.is_nil(got, name)
        assert.equal("locked", code, name)
      end
      assert.equal(1, #s:discussion_each())
      assert(s:message_set_state(fixture.id(1), "failed"))
      assert.equal(1, s:head_get(d, 0, fixture.fingerprint(0)).sequence)
      assert(s:ack_put(d, 0, fixture.fingerprint(1), 1))
      assert(s:discussion_forget(d))
      search:free()
    end)

    it("P4.4 takes the first key for good, and refuses another", function()
      assert(s:discussion_create(fixture.discussion(1)))
      s:lock()
      local wrong = ("w"):rep(32)
      local _, code, text = s:unlock(wrong)
      assert.equal("crypto", code)
      assert.truthy(text:find("vault.proof", 1, true))
      assert.is_false(s:unlocked())
      f.close()
      f.s = assert(f.open())
      s = f.s
      assert.equal("crypto", select(2, s:unlock(wrong)))
      assert(s:unlock(fixture.key))
      assert(s:unlock(fixture.key))
      assert.equal("crypto", select(2, s:unlock(wrong)))
      assert.is_true(s:unlocked())
      assert(s:message_insert(fixture.message(1)))
      assert.equal("bad_params", select(2, s:unlock("short")))
    end)

    it("P4.4 stops a list whose visitor locks the store", function()
      assert(s:discussion_create(fixture.discussion(1)))
      for i = 1, 3 do
        assert(s:message_insert(fixture.message(i)))
        assert(s:payload_append(fixture.payload(i)))
      end
      local seen = 0
      local _, code = s:message_list(fixture.id(1), { limit = 3 }, function()
        seen = seen + 1
        s:lock()
      end)
      assert.same({ "locked", 1 }, { code, seen })
      assert(s:unlock(fixture.key))
      local first = { discussion = fixture.id(1), epoch = 0, sender = fixture.fingerprint(0), sequence = 0 }
      _, code = s:payload_each_after(first, 3, function() s:lock() end)
      assert.equal("locked", code)
      assert(s:unlock(fixture.key))
      local search = assert(s:search("text"))
      _, code = search:slice(10, 10, function() s:lock() end)
      assert.equal("locked", code)
      search:free()
      assert(s:unlock(fixture.key))
      assert.equal(3, #s:message_list(fixture.id(1), { limit = 3 }))
    end)

    it("P4.4 leaves no text, payload or key in any file", function()
      local text, payload, message = "a recognisable text", "a recognisable payload", "a recognisable envelope"
      local session, secret = "a session key to see", fixture.bytes(64, 5)
      assert(s:identity_create(fixture.identity(), secret))
      assert(s:discussion_create(fixture.discussion(1)))
      local function look()
        local all = f.files()
        assert.truthy(all:find(fixture.id(1), 1, true))
        for _, needle in ipairs { text, payload, message, session, secret, fixture.key } do
          assert.is_nil(all:find(needle, 1, true))
        end
      end
      for i = 1, 50 do
        assert(s:message_insert(fixture.message(i, { text = text })))
        assert(s:payload_append(fixture.payload(i,
          { payload = payload, message = message, session_key = session })))
      end
      look()
      local search = assert(s:search("recognisable"))
      assert.equal(50, #search:slice(100, 100))
      search:free()
      look()
      f.close()
      look()
    end)
  end)

  describe("tampering", function()
    local function filled()
      for n = 1, 2 do assert(s:discussion_create(fixture.discussion(n))) end
      assert(s:message_insert(fixture.message(1)))
      assert(s:message_insert(fixture.message(2)))
      assert(s:message_insert(fixture.message(3, { discussion = fixture.id(2) })))
      assert(s:payload_append(fixture.payload(1, { message = "envelope 1", session_key = "9:AA" })))
      assert(s:payload_append(fixture.payload(2, { message = "envelope 2", session_key = "9:BB" })))
      f.close()
    end

    local function refused(what, row, got, code, text)
      assert.is_nil(got)
      assert.equal("crypto", code)
      assert.truthy(text:find(what, 1, true), text)
      assert.truthy(text:find(row, 1, true), text)
    end

    -- the sealed column of rows 1 and 2
    local function swap(name, column)
      local rows = f.sql(("SELECT %s FROM %s WHERE number < 3 ORDER BY number"):format(column, name))
      for n = 1, 2 do
        f.sql(("UPDATE %s SET %s = ? WHERE number = %d"):format(name, column, n), rows[3 - n][1])
      end
    end

    local function payload(sequence)
      return s:payload_get {
        discussion = fixture.id(1), epoch = 0, sender = fixture.fingerprint(0), sequence = sequence,
      }
    end

    it("P4.4 names the row whose body was changed", function()
      filled()
      local body = f.sql("SELECT body FROM messages WHERE number = 1")[1][1]
      f.sql("UPDATE messages SET body = ? WHERE number = 1", body:sub(1, -2) .. string.char(body:byte(-1) ~ 1))
      s = f.reopen()
      refused("messages.body", fixture.id(1), s:message_get(fixture.id(1)))
      refused("messages.body", fixture.id(1), s:message_list(fixture.id(1), { limit = 5 }))
      assert.equal("text number 2", s:message_get(fixture.id(2)).text)
      -- a search goes on behind it
      local search = assert(s:search("text"))
      assert.same({ fixture.id(3), fixture.id(2) }, fixture.ids((search:slice(2, 10))))
      refused("messages.body", fixture.id(1), search:slice(2, 10))
      local hits, done = search:slice(2, 10)
      assert.same({ {}, true }, { hits, done })
      search:free()
    end)

    it("P4.4 notices two sealed rows that were swapped", function()
      filled()
      swap("messages", "body")
      s = f.reopen()
      refused("messages.body", fixture.id(1), s:message_get(fixture.id(1)))
      refused("messages.body", fixture.id(2), s:message_get(fixture.id(2)))
    end)

    it("P4.4 notices a message put into another discussion, or another mouth, or under another id", function()
      filled()
      f.sql("UPDATE messages SET discussion = 2 WHERE number = 1")
      f.sql("UPDATE messages SET sender = '" .. fixture.fingerprint(5) .. "' WHERE number = 2")
      f.sql("UPDATE messages SET id = '" .. fixture.id(9) .. "' WHERE number = 3")
      s = f.reopen()
      refused("messages.body", fixture.id(1), s:message_get(fixture.id(1)))
      refused("messages.body", fixture.id(2), s:message_get(fixture.id(2)))
      refused("messages.body", fixture.id(9), s:message_get(fixture.id(9)))
    end)

    it("P3.11 notices payloads, envelopes and session keys that were swapped or exchanged", function()
      filled()
      swap("payloads", "payload")
      s = f.reopen()
      refused("payloads.payload", fixture.fingerprint(0) .. " 1", payload(1))
      f.close()
      swap("payloads", "payload")
      s = f.reopen()
      assert.equal("envelope 1", payload(1).message)
      f.close()
      f.sql("UPDATE envelopes SET session_key = message WHERE payload = 1")
      f.sql("UPDATE envelopes SET message = (SELECT message FROM envelopes e WHERE e.payload = 1) WHERE payload = 2")
      s = f.reopen()
      refused("envelopes.session_key", fixture.fingerprint(0) .. " 1", payload(1))
      refused("envelopes.message", fixture.fingerprint(0) .. " 2", payload(2))
      f.close()
      f.sql("UPDATE payloads SET sequence = 3 WHERE sequence = 2")
      s = f.reopen()
      refused("payloads.payload", fixture.fingerprint(0) .. " 3", payload(3))
    end)

    it("P3.10 notices a payload's hash that was changed", function()
      filled()
      f.sql("UPDATE payloads SET hash = ? WHERE sequence = 1", fixture.bytes(32))
      s = f.reopen()
      refused("payloads.hash", fixture.fingerprint(0) .. " 1", payload(1))
    end)

    it("P4.4 notices data keys that were swapped", function()
      filled()
      f.sql("UPDATE data_keys SET discussion = 3 - discussion + 100")
      f.sql("UPDATE data_keys SET discussion = discussion - 100")
      s = f.reopen()
      refused("data_keys.wrapped", fixture.id(1), s:message_get(fixture.id(1)))
      refused("data_keys.wrapped", fixture.id(2), s:message_insert(fixture.message(4, { discussion = fixture.id(2) })))
    end)
  end)
end)
