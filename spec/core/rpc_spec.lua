-- SPDX-License-Identifier: GPL-3.0-or-later
local json = require "sotto.json"
local log = require "sotto.log"
local rpc = require "sotto.core.rpc"
local secret = require "sotto.secret"
local sys = require "sotto.sys"

describe("rpc", function()
  local engine, client, dispatcher

  before_each(function()
    client = { replies = {}, reply = function(self, text) self.replies[#self.replies + 1] = text end }
    engine = { calls = {}, call = function(self, method, params, answer)
      self.calls[#self.calls + 1] = { method = method, params = params, answer = answer }
      return self:run(method, params)
    end, run = function() return "{}" end }
    dispatcher = rpc.new(engine)
  end)

  local function request(fields)
    local out = { jsonrpc = "2.0", id = 1 }
    for key, value in pairs(fields) do out[key] = value end
    return out
  end

  -- the only answer, decoded
  local function answer_to(message)
    dispatcher:handle(client, message)
    assert.are.equal(1, #client.replies)
    local reply = assert(json.decode(table.remove(client.replies)))
    assert.are.equal("2.0", reply.jsonrpc)
    return reply
  end

  local function error_of(message, code, name)
    local reply = answer_to(message)
    assert.is_nil(reply.result)
    assert.are.equal(code, reply.error.code)
    assert.are.equal(name, reply.error.data.name)
    assert.truthy(#reply.error.message > 0)
    return reply
  end

  -- what the log says meanwhile
  local function logged(f)
    local directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
    assert(log.open(directory .. "/log"))
    f()
    assert(log.open(nil, "warn"))
    local text = sys.read_file(directory .. "/log")
    sys.remove_tree(directory)
    return text
  end

  describe("envelope", function()
    it("answers with the id it was asked with", function()
      for _, id in ipairs { 1, 0, -5, "", "x\"y", 1.5, 9007199254740993, json.null } do
        assert.are.equal(id, answer_to(request { id = id, method = "identity.show" }).id)
      end
    end)

    it("executes a request without an id and does not answer it", function()
      local message = request { method = "identity.lock" }
      message.id = nil
      dispatcher:handle(client, message)
      assert.are.equal("identity.lock", engine.calls[1].method)
      engine.run = function() return nil, "no", "locked" end
      dispatcher:handle(client, message)
      assert.are.equal(2, #engine.calls)
      message.method = "no.such"
      dispatcher:handle(client, message)
      message.method, message.params = "peers.show", {}
      dispatcher:handle(client, message)
      assert.are.equal(2, #engine.calls)
      assert.are.equal(0, #client.replies)
    end)

    it("refuses batches, clearly", function()
      local reply = error_of(json.array(), -32600, "unsupported")
      assert.are.equal(json.null, reply.id)
      assert.truthy(reply.error.message:find("batch", 1, true))
    end)

    it("refuses what is no request", function()
      for _, bad in ipairs { json.null, 1, "x", true } do
        assert.are.equal(json.null, error_of(bad, -32600, "bad_input").id)
      end
      for _, id in ipairs { true, {}, json.array { 1 }, secret.new "x" } do
        assert.are.equal(json.null, error_of(request { id = id, method = "system.info" }, -32600, "bad_input").id)
      end
      for _, fields in ipairs {
        { method = "system.info", jsonrpc = "1.0" }, { method = "system.info", jsonrpc = 2 }, { method = 1 },
        { method = json.null }, {},
      } do
        assert.are.equal(1, error_of(request(fields), -32600, "bad_input").id)
      end
      local without = request { method = "system.info" }
      without.jsonrpc = nil
      error_of(without, -32600, "bad_input")
      assert.are.equal(0, #engine.calls)
    end)

    it("says what a line was that could not be read", function()
      rpc.refuse(client, "not JSON (near byte 3)", "bad_input")
      rpc.refuse(client, "a line has at most 1048576 bytes", "too_large")
      local parse, long = json.decode(client.replies[1]), json.decode(client.replies[2])
      assert.are.equal(-32700, parse.error.code)
      assert.are.equal("bad_input", parse.error.data.name)
      assert.are.equal(json.null, parse.id)
      assert.are.equal("too_large", long.error.data.name)
      assert.are.equal(json.null, long.id)
    end)
  end)

  describe("checks", function()
    it("know the methods of the table only", function()
      for _, name in ipairs { "no.such", "", "peers", "peers.", "__index", ("x"):rep(100000) } do
        local reply = error_of(request { method = name }, -32601, "not_found")
        assert.is_true(#reply.error.message < 200)
      end
      assert.are.equal(0, #engine.calls)
    end)

    it("name the parameter and what is expected", function()
      local reply = error_of(request { method = "messages.send", params = { discussion = "x" } }, -32602, "bad_params")
      assert.are.equal("text", reply.error.data.param)
      reply = error_of(request { method = "peers.show", params = {} }, -32602, "bad_params")
      assert.are.equal("peer", reply.error.data.param)
      reply = error_of(request { method = "peers.show", params = { peer = 1 } }, -32602, "bad_params")
      assert.are.equal("peer", reply.error.data.param)
      assert.truthy(reply.error.data.expected:find("fingerprint", 1, true))
      reply = error_of(request { method = "peers.list", params = { all = true } }, -32602, "bad_params")
      assert.are.equal("all", reply.error.data.param)
      assert.are.equal(0, #engine.calls)
    end)

    it("call a text over the limit too_large and an empty one bad_params", function()
      local function send(text)
        return request { method = "messages.send", params = { discussion = "x", text = text } }
      end
      error_of(send(("x"):rep(65537)), -32006, "too_large")
      error_of(send(""), -32602, "bad_params")
      assert.is_nil(answer_to(send(("x"):rep(65536))).error)
    end)

    it("want parameters by name", function()
      for _, params in ipairs { json.array { "x" }, "x", true, 1, json.null } do
        error_of(request { method = "peers.show", params = params }, -32602, "bad_params")
      end
      assert.is_nil(answer_to(request { method = "peers.list", params = {} }).error)
    end)

    it("P2.4 hand a secret on as it came, and take no string for one", function()
      local word, seen = secret.new "correct horse", nil
      engine.run = function(_, _, given)
        seen = given.password == secret.new "correct horse"
        return "{}"
      end
      answer_to(request { method = "discussions.open", params = { peer = "bob", password = word } })
      assert.is_true(seen)
      -- and it is gone with the call
      assert.has_error(function() word:is_empty() end)
      error_of(request { method = "discussions.open", params = { peer = "bob", password = "x" } }, -32602, "bad_params")
      error_of(request { method = "discussions.open", params = { peer = "bob", password = secret.new "" } },
        -32602, "bad_params")
    end)
  end)

  describe("calls", function()
    it("embed the engine's text as it is", function()
      engine.run = function() return '{"z":1,"a":[]}' end
      assert.are.same({ z = 1, a = {} }, answer_to(request { method = "system.info" }).result)
      dispatcher:handle(client, request { method = "system.info" })
      assert.truthy(client.replies[1]:find('"result":{"z":1,"a":[]}', 1, true))
    end)

    it("hand on the engine's errors", function()
      for name, code in pairs {
        not_found = -32001, ambiguous = -32002, wrong_state = -32003, refused = -32004, locked = -32005,
        too_large = -32006, busy = -32007, timeout = -32008, canceled = -32009, bad_params = -32602,
        internal = -32603, io = -32011, crypto = -32010, unsupported = -32012, bad_input = -32013,
      } do
        engine.run = function() return nil, "said " .. name, name end
        local reply = error_of(request { method = "system.info" }, code, name)
        assert.are.equal("said " .. name, reply.error.message)
      end
      engine.run = function() return nil, "what", "no_such_name" end
      error_of(request { method = "system.info" }, -32603, "internal")
    end)

    it("answer later, in any order, each once", function()
      engine.run = function() return false end
      for id = 1, 3 do dispatcher:handle(client, request { id = id, method = "peers.list" }) end
      assert.are.equal(0, #client.replies)
      engine.calls[3].answer("[3]")
      engine.calls[1].answer(nil, "gone", "canceled")
      engine.calls[2].answer("[2]")
      local ids = {}
      for i, text in ipairs(client.replies) do ids[i] = json.decode(text).id end
      assert.are.same({ 3, 1, 2 }, ids)
      assert.are.equal("canceled", json.decode(client.replies[2]).error.data.name)
    end)

    it("are bounded: the 65th that waits is busy, until one was answered", function()
      engine.run = function() return false end
      for id = 1, rpc.OUTSTANDING_MAX do dispatcher:handle(client, request { id = id, method = "peers.list" }) end
      error_of(request { id = 65, method = "peers.list" }, -32007, "busy")
      assert.are.equal(64, #engine.calls)
      engine.calls[1].answer("[]")
      client.replies = {}
      dispatcher:handle(client, request { id = 66, method = "peers.list" })
      assert.are.equal(65, #engine.calls)
      -- another client is not concerned
      local other = { reply = function() end }
      dispatcher:handle(other, request { method = "peers.list" })
      assert.are.equal(66, #engine.calls)
    end)

    it("count notifications that wait, too", function()
      engine.run = function() return false end
      local message = request { method = "peers.list" }
      message.id = nil
      for _ = 1, 100 do dispatcher:handle(client, message) end
      assert.are.equal(64, #engine.calls)
      for _, call in ipairs(engine.calls) do call.answer("[]") end
      assert.are.equal(0, #client.replies)
      assert.are.equal(0, client.outstanding)
    end)

    it("refuse an answer that no queue could hold", function()
      engine.run = function() return '"' .. ("x"):rep(rpc.ANSWER_MAX) .. '"' end
      error_of(request { method = "peers.list" }, -32006, "too_large")
    end)

    it("make an exception of the engine's an internal error, logged with its traceback", function()
      engine.run = function() error("the cable is out") end
      local text = logged(function()
        local reply = error_of(request { method = "peers.list" }, -32603, "internal")
        assert.is_nil(reply.error.message:find("cable", 1, true))
      end)
      assert.truthy(text:find("the cable is out", 1, true))
      assert.truthy(text:find("stack traceback", 1, true))
      engine.run = function() return "[]" end
      assert.is_nil(answer_to(request { method = "peers.list" }).error)
    end)
  end)

  describe("handlers in Lua that answer later", function()
    local later

    before_each(function()
      dispatcher = rpc.new(engine, { ["system.methods"] = function(_, _, answer)
        later = answer
        return false
      end })
      dispatcher:handle(client, request { id = 7, method = "system.methods" })
      assert.are.equal(0, #client.replies)
      assert.are.equal(1, client.outstanding)
    end)

    it("are answered once, with what their callback was given", function()
      later { list = json.array() }
      local reply = json.decode(client.replies[1])
      assert.are.equal(7, reply.id)
      assert.are.same({ list = {} }, reply.result)
      assert.are.equal(0, client.outstanding)
    end)

    it("may fail, with a name", function()
      later(nil, "no time", "timeout")
      assert.are.equal("timeout", json.decode(client.replies[1]).error.data.name)
    end)

    it("make what is no JSON an internal error, and log it", function()
      local text = logged(function() later { print } end)
      assert.are.equal("internal", json.decode(client.replies[1]).error.data.name)
      assert.truthy(text:find("no JSON", 1, true))
    end)

    it("count among the calls that wait", function()
      for _ = 2, rpc.OUTSTANDING_MAX do dispatcher:handle(client, request { id = 8, method = "system.methods" }) end
      error_of(request { id = 9, method = "system.methods" }, -32007, "busy")
    end)
  end)

  describe("handlers in Lua", function()
    it("answer with values, errors, and exceptions", function()
      local behave
      dispatcher = rpc.new(engine, { ["system.methods"] = function(who, params)
        assert.are.equal(client, who)
        assert.are.same({}, params)
        return behave()
      end })
      behave = function() return { list = json.array(), raw = json.raw "[1]" } end
      assert.are.same({ list = {}, raw = { 1 } }, answer_to(request { method = "system.methods" }).result)
      behave = function() return nil, "not now", "wrong_state" end
      error_of(request { method = "system.methods" }, -32003, "wrong_state")
      behave = function() end
      error_of(request { method = "system.methods" }, -32603, "internal")
      logged(function()
        behave = function() error {} end
        error_of(request { method = "system.methods" }, -32603, "internal")
        behave = function() return { print } end
        error_of(request { method = "system.methods" }, -32603, "internal")
      end)
      assert.are.equal(0, #engine.calls)
    end)
  end)
end)
