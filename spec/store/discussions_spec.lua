local fixture = require "store.fixture"
local tools = require "support.store_tools"

describe("discussions", function()
  local f, s
  before_each(function()
    f = fixture.new()
    s = f.s
  end)
  after_each(function() f.done() end)

  local function states()
    local list = {}
    for i, d in ipairs(s:discussion_each()) do list[i] = d.id end
    return list
  end

  it("P3.7 keeps every field over a restart", function()
    local d = fixture.discussion(1, { reason = "refused", suspended_at = 3, ended = 4, epoch = 7 })
    local bare = { id = fixture.id(2), state = "requesting", reason = "", mode = "", role = "", charter = "", home = "",
      created = 0, opened = 0, ended = 0, suspended_at = 0, epoch = 0, hints = {}, read_marker = "" }
    assert(s:discussion_create(d))
    assert(s:discussion_create(bare))
    f.close()
    f.s = assert(f.open())
    assert.same(d, f.s:discussion_get(d.id))
    assert.same(bare, f.s:discussion_get(bare.id))
  end)

  it("P2.3 is created once", function()
    assert(s:discussion_create(fixture.discussion(1)))
    local _, code, text = s:discussion_create(fixture.discussion(1, { state = "closed" }))
    assert.equal("wrong_state", code)
    assert.truthy(text:find(fixture.id(1), 1, true))
    assert.equal("open", s:discussion_get(fixture.id(1)).state)
  end)

  it("updates all but id, creation and read marker", function()
    assert(s:discussion_create(fixture.discussion(1)))
    assert(s:message_insert(fixture.message(1)))
    assert(s:message_set_read(fixture.id(1), fixture.id(1)))
    local other = { id = fixture.id(1), state = "closed", reason = "closed", mode = "pinned", role = "responder",
      charter = "2", home = "", created = 99, opened = 5, ended = 6, suspended_at = 7, epoch = 8, hints = {},
      read_marker = fixture.id(1), h0 = ("h"):rep(32), certificate = "c" }
    assert(s:discussion_update(other))
    other.created = fixture.discussion(1).created
    assert.same(other, s:discussion_get(fixture.id(1)))
    assert.equal("not_found", select(2, s:discussion_update(fixture.discussion(2))))
  end)

  it("lists in order of creation, until the visitor has enough", function()
    for _, n in ipairs { 5, 3, 9 } do assert(s:discussion_create(fixture.discussion(n))) end
    assert.same({ fixture.id(5), fixture.id(3), fixture.id(9) }, states())
    local seen = 0
    s:discussion_each(function()
      seen = seen + 1
      return seen < 2
    end)
    assert.equal(2, seen)
  end)

  it("refuses malformed ids, oversized certificates, too many", function()
    for _, id in ipairs { "", fixture.id(1):upper(), fixture.id(1):sub(2), fixture.id(1):sub(2) .. "g" } do
      assert.equal("bad_params", select(2, s:discussion_create(fixture.discussion(1, { id = id }))))
      assert.equal("bad_params", select(2, s:discussion_get(id)))
      assert.equal("bad_params", select(2, s:discussion_forget(id)))
    end
    assert.equal("too_large", select(2, s:discussion_create(fixture.discussion(1, { certificate = ("c"):rep(65537) }))))
    assert.same({}, states())
    f.close()
    f.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO discussions "
      .. "SELECT i, printf('%032x', i), '', '', '', '', '', 0, 0, 1, 0, '', NULL, NULL, 0, 0, x'', '', 0, 0 FROM n")
    f.sql("INSERT INTO data_keys SELECT number, zeroblob(72) FROM discussions")
    s = f.reopen()
    assert.equal("too_large", select(2, s:discussion_create(fixture.discussion(1))))
    assert(s:discussion_prune(9999))
    assert(s:discussion_create(fixture.discussion(1)))
  end)

  describe("forgetting", function()
    local function fill(n)
      local d = fixture.id(n)
      local who = fixture.fingerprint(0)
      assert(s:discussion_create(fixture.discussion(n)))
      assert(s:epoch_create(d,
        { epoch = 0, roster = "roster " .. n, roster_hash = ("h"):rep(32), head = ("H"):rep(32) }))
      assert(s:member_put(d, 0, { fingerprint = who, position = 0, certificate = "c", binding = "b", general = "g",
        certificate_fingerprint = who, key_id = ("A"):rep(16), addresses = {} }))
      assert(s:payload_append(fixture.payload(1, { discussion = d, message = "sealed", session_key = "k" })))
      assert(s:ack_put(d, 0, fixture.fingerprint(1), 1))
      assert(s:message_insert(fixture.message(n, { discussion = d, state = "sent", epoch = 0, sequence = 1 })))
    end

    local tables = {
      "discussions", "data_keys", "epochs", "members", "payloads", "envelopes", "heads", "acks", "messages",
    }
    local function counts()
      local list = {}
      for i, name in ipairs(tables) do list[i] = f.sql("SELECT count(*) FROM " .. name)[1][1] end
      return list
    end

    it("P4.4 leaves nothing of the discussion, and all of the others", function()
      for n = 1, 3 do fill(n) end
      assert(s:discussion_forget(fixture.id(2)))
      assert.equal("not_found", select(2, s:discussion_get(fixture.id(2))))
      assert.equal("not_found", select(2, s:message_get(fixture.id(2))))
      assert.equal("not_found", select(2, s:discussion_forget(fixture.id(2))))
      for _, n in ipairs { 1, 3 } do assert.equal("text number " .. n, s:message_get(fixture.id(n)).text) end
      f.close()
      assert.same({ 2, 2, 2, 2, 2, 2, 2, 2, 2 }, counts())
      assert.same({ { 1 }, { 3 } }, f.sql("SELECT discussion FROM data_keys"))
      s = f.reopen()
      for _, n in ipairs { 1, 3 } do assert.equal("text number " .. n, s:message_get(fixture.id(n)).text) end
    end)

    -- the wrapped key of each, before it goes
    local function wrapped_keys()
      f.close()
      local keys = {}
      for _, row in ipairs(f.sql("SELECT id, wrapped FROM discussions JOIN data_keys ON discussion = number")) do
        keys[row[1]] = row[2]
      end
      s = f.reopen()
      return keys
    end

    it("P4.4 destroys the data key: its bytes, wrapped or not, are in no file, nor are the message's", function()
      fill(1)
      fill(2)
      local keys = wrapped_keys()
      f.close()
      local body = f.sql("SELECT body FROM messages WHERE number = 1")[1][1]
      s = f.reopen()
      local wrapped = keys[fixture.id(1)]
      local key = assert(tools.unseal(fixture.key, { "data_keys", "wrapped", fixture.id(1) }, wrapped))
      -- it is in use, and in the WAL, when it is forgotten
      assert.equal("text number 1", s:message_get(fixture.id(1)).text)
      assert(s:message_insert(fixture.message(11)))
      assert.truthy(f.files():find(wrapped, 1, true))
      assert(s:discussion_forget(fixture.id(1)))
      local wal = io.open(f.path .. "-wal", "rb")
      assert.equal(0, wal:seek("end"))
      wal:close()
      local all = f.files()
      for _, bytes in ipairs { wrapped, key, body } do
        for at = 1, #bytes - 15, 16 do assert.is_nil(all:find(bytes:sub(at, at + 15), 1, true)) end
      end
      assert.truthy(all:find(keys[fixture.id(2)], 1, true))
      f.close()
      assert.is_nil(f.files():find(wrapped:sub(1, 16), 1, true))
    end)

    -- SQLite's secure_delete overwrites what is deleted, but not every copy that moving rows between
    -- pages left behind: this order of growing and shrinking is one that leaves some
    it("P4.4 leaves no copy in the slack of pages that were split or merged", function()
      local living, dead, last, x = {}, {}, 0, 42
      local function below(n)
        x = (x * 1103515245 + 12345) % 0x80000000
        return (x >> 8) % n
      end
      local function step()
        if #living < 40 or below(10) < 6 then
          last = last + 1
          assert(s:discussion_create(fixture.discussion(last)))
          living[#living + 1] = last
        else
          local n = table.remove(living, below(#living) + 1)
          dead[#dead + 1] = n
          assert(s:discussion_forget(fixture.id(n)))
        end
      end
      local keys = {}
      for _ = 1, 60 do
        assert(s:begin())
        for _ = 1, 10 do step() end
        assert(s:commit())
        for id, key in pairs(wrapped_keys()) do keys[id] = key end
      end
      local all, seen = f.files(), 0
      for _, n in ipairs(dead) do
        local key = keys[fixture.id(n)]
        seen = seen + (key and 1 or 0)
        if key then assert.is_nil(all:find(key:sub(1, 24), 1, true)) end
      end
      assert.is_true(seen > 150)
      for _, n in ipairs(living) do assert.truthy(all:find(keys[fixture.id(n)], 1, true)) end
    end)

    it("works while locked, and inside a transaction", function()
      fill(1)
      fill(2)
      s:lock()
      assert(s:begin())
      assert(s:discussion_forget(fixture.id(1)))
      assert.equal("not_found", select(2, s:discussion_get(fixture.id(1))))
      s:rollback()
      assert(s:unlock(fixture.key))
      assert.equal("text number 1", s:message_get(fixture.id(1)).text)
      s:lock()
      local wrapped = wrapped_keys()[fixture.id(1)]
      assert(s:begin())
      assert(s:discussion_forget(fixture.id(1)))
      assert(s:commit())
      assert.is_nil(f.files():find(wrapped, 1, true))
      f.close()
      assert.same({ 1, 1, 1, 1, 1, 1, 1, 1, 1 }, counts())
    end)

    it("is ended by the next start where it was cut short after the key", function()
      fill(1)
      fill(2)
      f.close()
      f.sql("DELETE FROM data_keys WHERE discussion = 1")
      s = f.reopen()
      assert.same({ fixture.id(2) }, states())
      assert.equal("text number 2", s:message_get(fixture.id(2)).text)
      f.close()
      assert.same({ 1, 1, 1, 1, 1, 1, 1, 1, 1 }, counts())
    end)

    it("does not keep a store from opening on a full disk", function()
      fill(1)
      fill(2)
      f.close()
      f.sql("DELETE FROM data_keys WHERE discussion = 1")
      local pid, fd = tools.fork(function(report)
        tools.close(2) -- its warning
        tools.limit_file(1)
        local child = assert(f.open())
        assert(child:unlock(fixture.key))
        assert(child:message_get(fixture.id(2)).text == "text number 2")
        assert(select(2, child:message_get(fixture.id(1))) == "not_found")
        assert(select(2, child:discussion_forget(fixture.id(2))) == "io")
        report("x")
      end)
      assert.equal("x", tools.read(fd, 1))
      tools.close(fd)
      assert.equal(0, tools.wait(pid))
      s = f.reopen()
      assert.same({ fixture.id(2) }, states())
      assert.equal("text number 2", s:message_get(fixture.id(2)).text)
    end)

    it("never gives a forgotten row's number to another", function()
      fill(1)
      assert(s:discussion_forget(fixture.id(1)))
      fill(2)
      f.close()
      assert.same({ { 2 } }, f.sql("SELECT number FROM discussions"))
    end)
  end)

  describe("pruning", function()
    it("forgets what ended without having been open, but for the newest", function()
      for n = 1, 6 do
        assert(s:discussion_create(fixture.discussion(n, { state = "refused", opened = 0, ended = 100 - n })))
      end
      assert(s:discussion_create(fixture.discussion(7, { opened = 1, ended = 1 })))
      assert(s:discussion_create(fixture.discussion(8, { state = "requesting", opened = 0, ended = 0 })))
      assert(s:discussion_prune(2))
      assert.same({ fixture.id(1), fixture.id(2), fixture.id(7), fixture.id(8) }, states())
      assert(s:discussion_prune(2))
      assert.equal(4, #states())
      assert(s:discussion_prune(0))
      assert.same({ fixture.id(7), fixture.id(8) }, states())
      f.close()
      assert.same({ { 2 } }, f.sql("SELECT count(*) FROM data_keys"))
    end)
  end)
end)
