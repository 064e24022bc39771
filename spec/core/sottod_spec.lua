-- SPDX-License-Identifier: GPL-3.0-or-later
-- The program itself: what it is before and around the engine. Conversations are spec/scenario's.
local api = require "sotto.core.api"
local json = require "sotto.json"
local loop = require "sotto.loop"
local person = require "support.person"
local secret = require "sotto.secret"
local sys = require "sotto.sys"
local turns = require "support.turns"

describe("sottod", function()
  local home, program, process, stream, got

  before_each(function()
    home = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
    program = person.BUILD .. "/sottod"
    process, stream = nil, nil
  end)

  local function start(...)
    process = { out = {}, err = {} }
    local options = { program = program, directory = "/", ... }
    options.stdout, options.stderr = "pipe", "pipe"
    options.on_stdout = function(line) process.out[#process.out + 1] = line end
    options.on_stderr = function(line) process.err[#process.err + 1] = line end
    options.on_exit = function(status) process.status = status or -1 end
    process.handle = assert(loop.spawn(options))
    return process
  end

  local function ended()
    turns.wait_for("its end", function() return process.status end, 20000)
    turns.settle()
    return process.status
  end

  local function call(method, params)
    if not stream then
      stream = turns.wait_for("the control socket", function()
        return (loop.connect_unix(home .. "/run/control.sock", { line = function(line) got = line end }))
      end)
    end
    got = nil
    assert(stream:send_json { jsonrpc = "2.0", id = 1, method = method, params = params })
    turns.wait_for("an answer", function() return got end, 20000)
    return assert(json.decode(got))
  end

  local function serve(...) start("--home", home, "--listen", "127.0.0.1:0", "--foreground", ...) end

  after_each(function()
    if stream then stream:close() end
    if process and not process.status then
      process.handle:kill("SIGTERM")
      ended()
    end
    sys.remove_tree(home)
  end)

  it("tells its version and its usage", function()
    start("--version")
    assert.are.equal(0, ended())
    assert.are.same({ "sottod " .. sys.version }, process.out)
    start("--nope")
    assert.are.equal(2, ended())
    assert.are.equal(1, #process.err)
    assert.truthy(process.err[1]:find("^sottod: unknown argument '%-%-nope'; usage: sottod "))
  end)

  it("P2.4 writes no core file, and no file that others may read", function()
    serve()
    call("system.info")
    local limits = sys.read_file(("/proc/%d/limits"):format(process.handle.pid))
    assert.truthy(limits:match("Max core file size%s+0%s+0"))
    local status = sys.read_file(("/proc/%d/status"):format(process.handle.pid))
    assert.truthy(status:match("Umask:%s+0077"))
    local pipe = assert(io.popen("find " .. home .. " -perm /077 ! -type l -print"))
    assert.are.equal("", pipe:read("a"))
    pipe:close()
  end)

  it("says who and where it is", function()
    serve()
    local info = call("system.info").result
    assert.are.equal(sys.version, info.version)
    assert.are.equal(api.version, info.api)
    assert.are.equal(process.handle.pid, info.pid)
    assert.are.equal(home, info.home)
    assert.truthy(info.listen.tcp:match("^127%.0%.0%.1:%d+$"))
    assert.are.equal(info.listen.tcp, info.listen.udp)
    assert.are.equal(json.null, call("identity.show").result.fingerprint)
  end)

  it("knows every method of its table, and answers all mistakes by name", function()
    serve()
    for name, method in pairs(api.methods) do
      if name ~= "system.stop" then
        local reply = call(name, { nope = 1 })
        assert.are.equal("bad_params", reply.error.data.name, name)
        local needs = false
        for _, param in ipairs(method.params) do needs = needs or param.required end
        if not needs and name ~= "identity.lock" then
          reply = call(name)
          local problem = reply.error and reply.error.message or ""
          assert.is_nil(problem:find("no method", 1, true), name)
        end
      end
    end
    assert.are.equal("wrong_state", call("peers.probe", { address = "127.0.0.1:9" }).error.data.name)
    assert.are.equal("not_found", call("peers.show", { peer = "nobody" }).error.data.name)
    assert.are.equal("not_found", call("discussions.show", { discussion = ("0"):rep(32) }).error.data.name)
  end)

  it("hands each method to an engine that knows it", function()
    serve()
    local samples = {
      string = "x", secret = secret.new "x", integer = 5, boolean = true, strings = json.array { "x" },
      address = "127.0.0.1:9", path = home .. "/nope", peer = "nobody", discussion = ("0"):rep(32),
      message = ("0"):rep(32),
    }
    for name, method in pairs(api.methods) do
      local params = {}
      for _, param in ipairs(method.params) do
        if param.required then params[param.name] = samples[param.type] end
      end
      if method.one_of then params[method.one_of[1]] = "x" end
      if name ~= "system.stop" and name ~= "identity.create" then
        local reply = call(name, params)
        local problem = reply.error or { message = "", data = {} }
        assert.is_nil(problem.message:find("no method", 1, true), name)
        assert.are_not.equal("internal", problem.data.name, name)
      end
    end
  end)

  it("makes a password of words", function()
    serve()
    for _, words in ipairs { 4, 6 } do
      local password = call("system.password", { words = words }).result.password
      local _, gaps = password:gsub("[^%a]+", "")
      assert.are.equal(words - 1, gaps)
    end
    assert.are_not.equal(call("system.password").result.password, call("system.password").result.password)
  end)

  it("answers system.stop, ends with 0 and leaves no socket", function()
    serve()
    assert.are.same({}, call("system.stop").result)
    assert.are.equal(0, ended())
    assert.is_false(sys.exists(home .. "/run/control.sock"))
  end)

  it("ends with 1 and one line where it cannot listen", function()
    serve()
    local taken = call("system.info").result.listen.tcp
    local other = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
    finally(function() sys.remove_tree(other) end)
    local first = process
    start("--home", other, "--listen", taken)
    assert.are.equal(1, ended())
    assert.are.equal(1, #process.err)
    assert.truthy(process.err[1]:find(taken, 1, true))
    process = first
  end)
end)
