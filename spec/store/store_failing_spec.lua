-- A full disk, and kill -9.
local fixture = require "store.fixture"
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

  local function count(name) return f.sql("SELECT count(*) FROM " .. name)[1][1] end

  describe("a full disk", function()
    local big = ("x"):rep(30000)

    local function full(call)
      local got, code, text = call()
      assert.is_nil(got)
      assert.equal("io", code)
      assert.truthy(text:find("disk is full", 1, true), text)
    end

    before_each(function()
      assert(s:discussion_create(fixture.discussion(1)))
      assert(s:message_insert(fixture.message(1)))
      assert(s:payload_append(fixture.payload(1)))
    end)

    it("leaves the previous state, outside a transaction", function()
      assert(s:limit_pages(1))
      full(function() return s:payload_append(fixture.payload(2, { payload = big, message = big })) end)
      full(function() return s:message_insert(fixture.message(2, { text = big })) end)
      assert.equal(1, s:head_get(fixture.id(1), 0, fixture.fingerprint(0)).sequence)
      assert(s:message_set_state(fixture.id(1), "failed"))
      assert(s:limit_pages(0))
      assert(s:payload_append(fixture.payload(2, { payload = big, message = big })))
      assert(s:message_insert(fixture.message(2, { text = big })))
      f.close()
      assert.same({ 2, 2, 1 }, { count("messages"), count("payloads"), count("envelopes") })
    end)

    it("takes the whole transaction with it, whatever its owner overlooks", function()
      assert(s:begin())
      assert(s:setting_put("a", "1"))
      assert(s:limit_pages(1))
      full(function() return s:message_insert(fixture.message(2, { text = big })) end)
      assert(s:limit_pages(0))
      -- already gone, and nothing more gets in
      assert.equal("not_found", select(2, s:setting_get("a")))
      full(function() return s:setting_put("b", "1") end)
      full(function() return s:payload_append(fixture.payload(2)) end)
      full(function() return s:discussion_forget(fixture.id(1)) end)
      full(function() return s:commit() end)
      assert.is_false(s:in_transaction())
      assert.equal("not_found", select(2, s:setting_get("b")))
      assert.equal(1, s:head_get(fixture.id(1), 0, fixture.fingerprint(0)).sequence)
      assert(s:begin())
      assert(s:setting_put("b", "2"))
      assert(s:commit())
      assert.equal("2", s:setting_get("b"))
    end)

    it("may be rolled back too", function()
      assert(s:begin())
      assert(s:limit_pages(1))
      full(function() return s:message_insert(fixture.message(2, { text = big })) end)
      s:rollback()
      assert(s:limit_pages(0))
      assert(s:message_insert(fixture.message(2, { text = big })))
    end)

    it("P3.10 holds where the file system itself refuses to grow a file (EFBIG)", function()
      local limit = select(2, tools.mode(f.path .. "-wal")) + 20000
      f.close()
      local pid, fd = tools.fork(function(report)
        local child = assert(f.open())
        assert(child:unlock(fixture.key))
        tools.limit_file(limit)
        local done = 0
        for i = 2, 1000 do
          assert(child:begin())
          local ok = child:payload_append(fixture.payload(i, { message = "sealed" }))
          ok = child:message_insert(fixture.message(i, { state = "sent", epoch = 0, sequence = i })) and ok
          local committed, code, text = child:commit()
          assert(not committed or ok)
          if not committed then
            assert(code == "io" and text:find("disk is full", 1, true), text)
            break
          end
          done = i
        end
        assert(child:head_get(fixture.id(1), 0, fixture.fingerprint(0)).sequence == done)
        report(tostring(done))
      end)
      local done = tonumber(tools.read(fd))
      tools.close(fd)
      assert.equal(0, tools.wait(pid))
      assert.is_true(done > 1 and done < 1000)
      s = f.reopen()
      assert(s:check())
      assert.equal(done, s:head_get(fixture.id(1), 0, fixture.fingerprint(0)).sequence)
      assert.equal(done, #s:message_list(fixture.id(1), { limit = 1000 }))
      assert(s:payload_append(fixture.payload(done + 1)))
    end)
  end)

  describe("kill -9", function()
    -- a child commits batches of message, payload and setting until it is killed at some point
    local function run(round)
      f.close()
      local pid, fd = tools.fork(function(report)
        local child = assert(f.open())
        assert(child:unlock(fixture.key))
        local base = child:head_get(fixture.id(1), 0, fixture.fingerprint(0)).sequence
        for i = base + 1, base + 100000 do
          assert(child:begin())
          assert(child:payload_append(fixture.payload(i, { message = ("m"):rep(3000) })))
          for k = 0, 2 do
            assert(child:message_insert(fixture.message(i * 10 + k,
              { state = "sent", epoch = 0, sequence = i, index = k })))
          end
          assert(child:setting_put("last", i))
          assert(child:commit())
          report(string.pack(">I4", i))
        end
      end)
      -- after a different number of acknowledged commits each time
      local acknowledged
      for _ = 1, 3 + round * 7 do acknowledged = string.unpack(">I4", tools.read(fd, 4)) end
      tools.kill(pid)
      assert.equal(-9, tools.wait(pid))
      while true do
        local more = tools.read(fd, 4)
        if #more < 4 then break end
        acknowledged = string.unpack(">I4", more)
      end
      tools.close(fd)
      return acknowledged
    end

    it("P3.7 keeps every acknowledged commit and no half of one", function()
      assert(s:discussion_create(fixture.discussion(1)))
      for round = 1, 12 do
        local acknowledged = run(round)
        s = f.reopen()
        assert(s:check())
        local head = s:head_get(fixture.id(1), 0, fixture.fingerprint(0)).sequence
        assert.is_true(head == acknowledged or head == acknowledged + 1)
        assert.equal(head, s:setting_get_int("last"))
        assert.equal(3, #s:message_each_placed(fixture.id(1), 0, fixture.fingerprint(0), head, head, 10))
        local last = { discussion = fixture.id(1), epoch = 0, sender = fixture.fingerprint(0), sequence = head }
        assert.equal(("m"):rep(3000), s:payload_get(last).message)
        f.close()
        assert.same({ head, head, head * 3 }, { count("payloads"), count("envelopes"), count("messages") })
      end
    end)
  end)
end)
