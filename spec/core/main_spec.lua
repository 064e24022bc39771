-- SPDX-License-Identifier: GPL-3.0-or-later
-- The life of a core's process: a real one, over an engine that is a table.
local json = require "sotto.json"
local loop = require "sotto.loop"
local main = require "sotto.core.main"
local paths = require "sotto.core.paths"
local sys = require "sotto.sys"
local turns = require "support.turns"

describe("sottod's arguments", function()
  it("are read in any order, with values attached or apart", function()
    assert.are.same({ home = "h", listen = "1.2.3.4:0", discover = "off", foreground = true, verbose = true },
      main.parse_arguments { "-v", "--home", "h", "--listen=1.2.3.4:0", "--foreground", "--discover", "off" })
    assert.are.same({ config = "c" }, main.parse_arguments { "--config", "c" })
    assert.are.same({ help = true }, main.parse_arguments { "-h" })
    assert.are.same({}, main.parse_arguments {})
  end)

  it("are refused where they make no sense", function()
    for _, bad in ipairs {
      { "--nope" }, { "x" }, { "--home" }, { "--home", "" }, { "--home=" }, { "--listen", "x" },
      { "--listen", "1.2.3.4:70000" }, { "--discover", "on" }, { "--foreground=1" }, { "" }, { "-x" },
    } do
      local options, message = main.parse_arguments(bad)
      assert.is_nil(options)
      assert.is_string(message)
      assert.is_nil(message:find("\n"))
    end
  end)
end)

describe("sottod", function()
  local home, running

  before_each(function()
    home = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
    running = {}
  end)

  after_each(function()
    for _, process in ipairs(running) do
      process.handle:kill("SIGKILL")
      turns.wait_for("a process's end", function() return not process.handle:running() end)
    end
    sys.remove_tree(home)
  end)

  local function start(behaviour, ...)
    local process = { out = {}, err = {} }
    local options = { program = "lua5.4", "spec/support/null_core.lua", behaviour, ... }
    options.stdout, options.stderr = "pipe", "pipe"
    options.on_stdout = function(line) process.out[#process.out + 1] = line end
    options.on_stderr = function(line) process.err[#process.err + 1] = line end
    options.on_exit = function(status) process.status = status or -1 end
    process.handle = assert(loop.spawn(options))
    running[#running + 1] = process
    return process
  end

  -- what it printed may come after its end
  local function ended(process)
    turns.wait_for("its end", function() return process.status end)
    turns.settle()
    return process.status
  end

  local function connect()
    local client = {}
    client.stream = turns.wait_for("the control socket", function()
      return (loop.connect_unix(paths.find(home).socket, {
        line = function(line) client.got = json.decode(line) end, close = function() client.closed = true end,
      }))
    end)
    function client:call(method)
      self.got = nil
      assert(self.stream:send_json { jsonrpc = "2.0", id = 1, method = method })
      return turns.wait_for("an answer", function() return self.got end)
    end
    return client
  end

  local function joined(lines) return table.concat(lines, "\n") end

  it("prints help and version, and ends with 0", function()
    local help, version = start("good", "--help"), start("good", "--version")
    assert.are.equal(0, ended(help))
    assert.are.equal(0, ended(version))
    assert.truthy(joined(help.out):find("--listen ADDR:PORT", 1, true))
    assert.are.equal("sottod " .. sys.version, joined(version.out))
    assert.are.equal("", joined(help.err))
  end)

  it("ends with 2 and one line for what it does not know", function()
    local process = start("good", "--home", home, "--nope")
    assert.are.equal(2, ended(process))
    assert.are.equal(1, #process.err)
    assert.truthy(process.err[1]:find("--nope", 1, true))
    assert.are.same({}, sys.list(home))
  end)

  it("ends with 1 and one line for a configuration that is wrong", function()
    assert(sys.write_file(home .. "/config.lua", "\nlisten = 5\n"))
    local process = start("good", "--home", home, "--foreground")
    assert.are.equal(1, ended(process))
    assert.are.equal(1, #process.err)
    assert.truthy(process.err[1]:find("config.lua:2: 'listen'", 1, true))
    local missing = start("good", "--home", home, "--config", home .. "/nope.lua")
    assert.are.equal(1, ended(missing))
    assert.truthy(missing.err[1]:find("nope.lua", 1, true))
  end)

  it("serves in the foreground until SIGTERM, then ends with 0 and removes the socket", function()
    local process = start("good", "--home", home, "--foreground")
    local client = connect()
    assert.are.same({}, client:call("peers.list").result)
    process.handle:kill("SIGTERM")
    assert.are.equal(0, ended(process))
    assert.is_true(client.closed)
    assert.is_false(sys.exists(home .. "/run/control.sock"))
    assert.truthy(joined(process.err):find("stopping: SIGTERM", 1, true))
    assert.are.same({ "lock" }, sys.list(home .. "/data"))
  end)

  it("ends at system.stop, answering it first", function()
    local process = start("good", "--home", home, "--foreground")
    local client = connect()
    assert.are.same({}, client:call("system.stop").result)
    assert.are.equal(0, ended(process))
  end)

  it("is alone in its home: the second one says who holds it", function()
    local first = start("good", "--home", home, "--foreground")
    connect()
    for _, arguments in ipairs { { "--foreground" }, {} } do
      local second = start("good", "--home", home, table.unpack(arguments))
      assert.are.equal(1, ended(second))
      assert.truthy(joined(second.err):find(("the process %d holds"):format(first.handle.pid), 1, true))
    end
    assert.is_nil(first.status)
    assert.are.same({}, connect():call("peers.list").result)
  end)

  it("starts again over what a killed one left", function()
    local first = start("good", "--home", home, "--foreground")
    connect()
    first.handle:kill("SIGKILL")
    ended(first)
    assert.is_true(sys.exists(home .. "/run/control.sock"))
    start("good", "--home", home, "--foreground")
    assert.are.same({}, connect():call("peers.list").result)
  end)

  it("goes to the background when it is ready, and logs to its file", function()
    local process = start("good", "--home", home)
    assert.are.equal(0, ended(process))
    assert.are.equal("", joined(process.out) .. joined(process.err))
    -- no waiting: the parent's end means that it serves
    local client = assert(loop.connect_unix(home .. "/run/control.sock", {}))
    client:close()
    local pid = tonumber(sys.read_file(home .. "/data/lock"))
    assert.are_not.equal(process.handle.pid, pid)
    assert.are.same({}, connect():call("system.stop").result)
    turns.wait_for("its end", function() return not sys.alive(pid) end)
    assert.truthy(sys.read_file(home .. "/data/log"):find("ready:", 1, true))
    assert.are.equal(tonumber("600", 8), sys.stat(home .. "/data/log").mode)
  end)

  it("reports a failed start, in the foreground and from the background", function()
    for behaviour, text in pairs {
      no_open = "the null engine does not open", not_ready = "the null engine is not ready",
    } do
      for _, arguments in ipairs { { "--foreground" }, {} } do
        local process = start(behaviour, "--home", home, table.unpack(arguments))
        assert.are.equal(1, ended(process))
        assert.are.same({ "sottod: " .. text }, process.err)
        assert.are.equal("", joined(process.out))
      end
    end
  end)

  it("can be stopped before it is ready", function()
    local process = start("never_ready", "--home", home, "--foreground")
    turns.wait_for("its lock", function() return (sys.read_file(home .. "/data/lock") or "") ~= "" end)
    process.handle:kill("SIGINT")
    assert.are.equal(0, ended(process))
  end)
end)
