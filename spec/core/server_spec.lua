-- SPDX-License-Identifier: GPL-3.0-or-later
-- The control socket as other programs see it, over an engine that is a table.
local api = require "sotto.core.api"
local control = require "sotto.control"
local json = require "sotto.json"
local loop = require "sotto.loop"
local secret = require "sotto.secret"
local server = require "sotto.core.server"
local sys = require "sotto.sys"
local turns = require "support.turns"

describe("server", function()
  local directory, engine, core, streams

  before_each(function()
    directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
    streams = {}
    engine = { calls = {}, call = function(self, method, params, answer)
      self.calls[#self.calls + 1] = { method = method, params = params, answer = answer }
      return self.run(params)
    end, run = function() return "{}" end }
    core = assert(server.open(directory .. "/run/control.sock", engine))
  end)

  after_each(function()
    for _, stream in ipairs(streams) do stream:close() end
    core:close(loop.stop)
    turns.run("the server's end")
    sys.remove_tree(directory)
  end)

  -- a front end: sends lines, and waits for what comes
  local function connect(options)
    local client = { lines = {} }
    options = options or {}
    options.line = function(line) client.lines[#client.lines + 1] = line end
    options.close = function() client.closed = true end
    options.max_line = 16 << 20
    client.stream = assert(loop.connect_unix(directory .. "/run/control.sock", options))
    streams[#streams + 1] = client.stream
    function client:next()
      turns.wait_for("a line", function() return self.lines[1] end)
      return assert(json.decode(table.remove(self.lines, 1)))
    end
    function client:ask(fields)
      assert(self.stream:send_json(fields))
      return self:next()
    end
    function client:call(method, params)
      return self:ask { jsonrpc = "2.0", id = 1, method = method, params = params }
    end
    return client
  end

  it("marks who answers a proposal: a person, whoever claims something else", function()
    local c = connect()
    assert.are.same({}, c:call("proposals.answer", { proposal = "12345678", answer = "consent" }).result)
    assert.are.same({ proposal = "12345678", answer = "consent", by = "person" }, engine.calls[1].params)
    local claimed = c:call("proposals.answer", { proposal = "12345678", answer = "consent", by = "policy" })
    assert.are.equal("bad_params", claimed.error.data.name)
    engine.run = function() return false end
    assert(c.stream:send_json { jsonrpc = "2.0", id = 2, method = "proposals.answer",
      params = { proposal = "12345678", answer = "refuse" } })
    local waits = turns.wait_for("the call", function() return engine.calls[2] end)
    waits.answer(nil, "it has ended", "wrong_state")
    assert.are.equal("wrong_state", c:next().error.data.name)
  end)

  it("answers requests, one object a line", function()
    local c = connect()
    assert.are.same({ jsonrpc = "2.0", id = 1, result = {} }, c:call("peers.list"))
    assert.are.equal("peers.list", engine.calls[1].method)
  end)

  it("is a socket of mode 0600 in a directory of mode 0700", function()
    assert.are.equal(tonumber("600", 8), sys.stat(directory .. "/run/control.sock").mode)
    assert.are.equal(tonumber("700", 8), sys.stat(directory .. "/run").mode)
  end)

  it("describes every method", function()
    local result = connect():call("system.methods").result
    assert.are.equal(api.version, result.api)
    local names = {}
    for _, method in ipairs(result.methods) do names[method.name] = method end
    for name in pairs(api.methods) do assert.is_table(names[name]) end
    assert.are.equal("secret", names["discussions.open"].params[2].type)
  end)

  it("discards a line of 10 MB, says so once, and serves on", function()
    local c = connect { max_queue = 32 << 20 }
    assert(c.stream:send(('{"jsonrpc":"2.0","id":1,"method":"%s"}'):format(("x"):rep(10 << 20))))
    assert(c.stream:send_json { jsonrpc = "2.0", id = 2, method = "peers.list" })
    local first, second = c:next(), c:next()
    assert.are.equal(json.null, first.id)
    assert.are.equal("too_large", first.error.data.name)
    assert.are.equal(2, second.id)
    assert.are.same({}, second.result)
    assert.are.equal(0, #c.lines)
  end)

  it("takes a line of exactly 1 MiB, and not a byte more", function()
    local c = connect()
    local function line_of(size)
      local head, tail = '{"jsonrpc":"2.0","id":7,"method":"peers.list"', "}"
      return head .. (" "):rep(size - #head - #tail) .. tail
    end
    assert(c.stream:send(line_of(control.line_max)))
    assert.are.same({}, c:next().result)
    assert(c.stream:send(line_of(control.line_max + 1)))
    local reply = c:next()
    assert.are.equal("too_large", reply.error.data.name)
    assert.are.equal(json.null, reply.id)
    assert.are.same({}, c:call("peers.list").result)
  end)

  it("answers junk with a parse error each, and serves on", function()
    local c = connect()
    for _, junk in ipairs {
      "{", "\xff\xfe", '{"jsonrpc":"2.0","id":1,"method":"\xc3("}', '{"a":1,"a":2}', '"\\u0000"', "[1,", "\0\0\0",
      '{"jsonrpc":"2.0","id":1,"method":"peers.list","params":{"p":"\xed\xa0\x80"}}',
    } do
      assert(c.stream:send(junk))
      local reply = c:next()
      assert.are.equal(-32700, reply.error.code, junk)
      assert.are.equal("bad_input", reply.error.data.name)
      assert.are.equal(json.null, reply.id)
    end
    for _, junk in ipairs { "[]", '[{"jsonrpc":"2.0","id":1,"method":"peers.list"}]', "1", "null", '"x"', "{}" } do
      assert(c.stream:send(junk))
      assert.are.equal(-32600, c:next().error.code, junk)
    end
    assert.are.equal(0, #engine.calls)
    assert.are.same({}, c:call("peers.list").result)
  end)

  it("refuses a line that would blow up in memory", function()
    local c = connect()
    assert(c.stream:send("[" .. ("[],"):rep(300000) .. "[]]"))
    assert.are.equal("too_large", c:next().error.data.name)
    assert(c.stream:send(("["):rep(2000) .. ("]"):rep(2000)))
    assert.are.equal(-32600, c:next().error.code)
    assert(c.stream:send('{"jsonrpc":"2.0","id":1,"method":"x","params":' .. ('{"a":'):rep(80) .. "1" .. ("}"):rep(81)))
    assert.is_table(c:next().error)
    assert.are.same({}, c:call("peers.list").result)
  end)

  it("P2.4 gives a secret to the engine as a secret, and nobody a string of it", function()
    local c = connect()
    local kind, same
    engine.run = function(params)
      kind, same = type(params.password), params.password == secret.new "hunter2"
      return "{}"
    end
    c:call("discussions.open", { peer = "bob", password = secret.new "hunter2" })
    assert.are.equal("userdata", kind)
    assert.is_true(same)
    -- under such a name nothing is a string, whatever the method is
    for _, line in ipairs {
      '{"jsonrpc":"2.0","id":1,"method":"discussions.opne","params":{"password":"hunter2"}}',
      '{"jsonrpc":"2.0","id":1,"params":{"passphrase":"hunter2","old":"hunter2","new":"hunter2"}}',
      '{"id":1,"params":["hunter2"]}', '["hunter2"]', '"hunter2"', '{"params":"hunter2"}',
    } do
      local seen = {}
      local function look(value)
        if type(value) == "table" then
          for key, inner in pairs(value) do
            look(key)
            look(inner)
          end
        end
        seen[#seen + 1] = value
      end
      look(control.parse(line))
      for _, value in ipairs(seen) do assert.are_not.equal("hunter2", value) end
    end
  end)

  it("P2.4 quotes no secret in an error", function()
    local c = connect()
    for _, line in ipairs {
      '{"jsonrpc":"2.0","id":1,"method":"discussions.open","params":{"peer":"b","password":"hunter2"}',
      '{"jsonrpc":"2.0","id":1,"method":"identity.create","params":{"passphrase":"hunter2"}}',
      '{"jsonrpc":"2.0","id":1,"method":"identity.show","params":{"password":"hunter2"}}',
      '{"jsonrpc":"2.0","id":1,"method":"identity.unlock","params":{"passphrase":["hunter2"]}}',
      '{"jsonrpc":"2.0","id":1,"method":"identity.unlock","params":"hunter2"}',
      '{"jsonrpc":"2.0","id":1,"method":"identity.unlock","params":{"passphrase":"' .. ("hunter2"):rep(200) .. '"}}',
    } do
      assert(c.stream:send(line))
      turns.wait_for("an error", function() return c.lines[1] end)
      assert.truthy(c.lines[1]:find('"error"', 1, true))
      assert.is_nil(c.lines[1]:find("hunter", 1, true))
      table.remove(c.lines)
    end
  end)

  it("sends events to those who asked, and goes on answering", function()
    local c, other = connect(), connect()
    assert.are.same({ seq = 0 }, c:call("events.subscribe", { types = json.array { "message.*" } }).result)
    other:call("peers.list")
    core:publish("peer.seen", "peer", "{}")
    core:publish("message.received", "message", '{"text":"hi"}')
    local event = c:next()
    assert.are.equal("event", event.method)
    assert.is_nil(event.id)
    assert.are.equal(2, event.params.seq)
    assert.are.same({ text = "hi" }, event.params.message)
    assert.are.same({}, c:call("peers.list").result)
    assert.are.same({}, c:call("events.unsubscribe").result)
    core:publish("message.received", "message", "{}")
    assert.are.same({}, c:call("peers.list").result)
    assert.are.equal(0, #c.lines)
    assert.are.equal(0, #other.lines)
    assert.are.equal("bad_params", c:call("events.subscribe", { types = json.array { "x" } }).error.data.name)
  end)

  it("never waits for a subscriber that does not read, and tells it what it lost", function()
    local slow, quick = connect(), connect()
    slow:call("events.subscribe", {})
    quick:call("events.subscribe", {})
    slow.stream:pause()
    local text, total = ('{"text":"%s"}'):format(("x"):rep(2000)), 12000
    -- as fast as the quick one reads
    local published = 0
    local _ <close> = loop.every(1, function()
      while published < total and published - #quick.lines < 500 do
        published = published + 1
        core:publish("message.received", "message", text)
      end
    end)
    turns.wait_for("the quick one", function() return #quick.lines == total end, 60000)
    for i = 1, total, 1000 do assert.are.equal(i, json.decode(quick.lines[i]).params.seq) end
    slow.stream:resume()
    local last, lagged = 0, 0
    turns.wait_for("the slow one", function()
      for _, line in ipairs(slow.lines) do
        local params = json.decode(line).params
        if params.type == "events.lagged" then
          lagged = lagged + 1
          assert(params.dropped == params.resume_after - last)
          last = params.resume_after
        else
          assert(params.seq == last + 1)
          last = params.seq
        end
      end
      slow.lines = {}
      return last == total
    end, 60000)
    assert.is_true(lagged >= 1)
  end)

  it("asks no more of a client that does not read its answers, and answers all when it does", function()
    local c = connect { max_queue = 64 << 20 }
    local big = '"' .. ("x"):rep(100000) .. '"'
    engine.run = function() return big end
    c.stream:pause()
    for id = 1, 500 do c.stream:send_json { jsonrpc = "2.0", id = id, method = "peers.list" } end
    turns.settle()
    turns.settle()
    assert.is_true(#engine.calls < 200)
    c.stream:resume()
    turns.wait_for("500 answers", function() return #c.lines == 500 end, 60000)
    for id = 1, 500, 50 do assert.are.equal(id, json.decode(c.lines[id]).id) end
    assert.is_nil(c.closed)
  end)

  it("forgets a client that left with calls under way", function()
    engine.run = function() return false end
    local c = connect()
    c.stream:send_json { jsonrpc = "2.0", id = 1, method = "peers.list" }
    turns.wait_for("the call", function() return engine.calls[1] end)
    c.stream:close()
    turns.wait_for("its end", function() return next(core.clients) == nil end)
    engine.calls[1].answer("{}")
    collectgarbage()
    engine.run = function() return "{}" end
    assert.are.same({}, connect():call("peers.list").result)
  end)

  it("brings out the last answers when it closes, and takes no one new", function()
    local c = connect()
    c:call("peers.list")
    engine.run = function() return false end
    c.stream:send_json { jsonrpc = "2.0", id = 5, method = "system.stop" }
    turns.wait_for("the call", function() return #engine.calls == 2 end)
    local finished = false
    engine.calls[2].answer("{}")
    core:close(function() finished = true end)
    turns.wait_for("the end", function() return c.closed and finished end)
    assert.are.equal(5, json.decode(c.lines[1]).id)
    assert.is_false(sys.exists(directory .. "/run/control.sock"))
    assert.is_nil(loop.connect_unix(directory .. "/run/control.sock", {}))
    core = assert(server.open(directory .. "/run/control.sock", engine))
  end)

  it("works over a socket whose path is 250 bytes long", function()
    local long = directory .. "/" .. ("d"):rep(120) .. "/" .. ("e"):rep(120)
    local second = assert(server.open(long .. "/control.sock", engine))
    local got
    local stream = assert(loop.connect_unix(long .. "/control.sock", { line = function(line) got = line end }))
    stream:send_json { jsonrpc = "2.0", id = 1, method = "peers.list" }
    turns.wait_for("an answer", function() return got end)
    stream:close()
    second:close(loop.stop)
    turns.run("the second server's end")
  end)

  it("is usable from ten lines of Python", function()
    local lines = {}
    assert(loop.spawn {
      program = "python3", "-c", [[
import json, os, socket, sys
os.chdir(sys.argv[1])
s = socket.socket(socket.AF_UNIX)
s.connect("control.sock")
s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"peers.list","params":{}}\r\n\n')
s.shutdown(socket.SHUT_WR)
print(json.loads(s.makefile().readline())["result"])
]], directory .. "/run", stdout = "pipe", on_stdout = function(line) lines[#lines + 1] = line end,
    })
    turns.wait_for("its output", function() return lines[1] end)
    assert.are.equal("{}", lines[1])
  end)
end)
