-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the machine gives this process. Limits are lowered in processes of their own.
local loop = require "sotto.loop"
local options = require "sotto.options"
local socket = require "support.net_socket"
local sys = require "sotto.sys"
local turns = require "support.turns"

local BUILD = os.getenv "SOTTO_SPEC_BUILD" or "build"

describe("sys, of the machine", function()
  local directory

  before_each(function() directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-")) end)
  after_each(function() sys.remove_tree(directory) end)

  -- the output of a chunk of Lua in a process of its own, which is started by the words before it
  local function run(words, chunk)
    local out, start = {}, { stdout = "pipe" }
    start.on_stdout = function(line) out[#out + 1] = line end
    local program = ('package.cpath = "./%s/?.so" local sys = require "sotto.sys" '):format(BUILD) .. chunk
    for _, word in ipairs { words, { sys.realpath "/usr/bin/lua5.4", "-e", program } } do
      table.move(word, 1, #word, #start + 1, start)
    end
    start.program = table.remove(start, 1)
    assert(loop.spawn(start))
    turns.run("the program's end")
    return table.concat(out, "\n")
  end

  it("tells a disk's size and room", function()
    local disk = assert(sys.disk(directory))
    assert.is_true(disk.size > 0 and disk.free <= disk.size and disk.files_free <= disk.files)
    assert.is_false(disk.read_only)
    assert.are.equal("not_found", select(3, sys.disk(directory .. "/no")))
    assert.is_true(sys.disk("/proc").free == 0)
  end)

  it("tells whether it may write, without writing", function()
    assert.is_true(sys.may_write(directory))
    local ok, message, name = sys.may_write(directory .. "/no")
    assert.is_nil(ok)
    assert.are.equal("not_found", name)
    assert.truthy(message:find(directory .. "/no", 1, true))
    assert.are.same({}, sys.list(directory))
  end)

  it("counts open descriptors against their limit", function()
    local before = assert(sys.descriptors())
    local file <close> = assert(io.open("/dev/null"))
    assert.are.equal(before.used + 1, sys.descriptors().used)
    assert.truthy(file)
    assert.are.equal("77", run({ "prlimit", "--nofile=77" }, "print(sys.descriptors().limit)"))
  end)

  it("finds out whether memory may be locked", function()
    -- root may, whatever the limit is, until it has lost that right
    local words = { "prlimit", "--memlock=0" }
    if sys.getuid() == 0 then words = { "setpriv", "--bounding-set=-ipc_lock", "prlimit", "--memlock=0" } end
    assert.are.equal("false", run(words, "print(sys.locks_memory())"))
    words[#words] = "--memlock=8388608"
    assert.are.equal("true", run(words, "print(sys.locks_memory())"))
  end)

  it("tries whether an address is free for TCP and UDP", function()
    local at = "127.0.0.1:0"
    assert.is_true(sys.try_listen(at))
    for _, open in ipairs { socket.listen, socket.udp } do
      local fd, taken = open("127.0.0.1:0", 1)
      local ok, message, name = sys.try_listen(taken)
      socket.close(fd)
      assert.is_nil(ok)
      assert.are.equal("busy", name)
      assert.truthy(message:find(taken, 1, true))
    end
    assert.are.equal("io", select(3, sys.try_listen("192.0.2.1:4788")))
    assert.are.equal("bad_params", select(3, sys.try_listen("nonsense")))
  end)

  it("lists interfaces with their addresses", function()
    local found
    for _, interface in ipairs(sys.interfaces()) do
      if interface.address == "127.0.0.1:0" then found = interface end
    end
    assert.are.equal("lo", found.name)
    assert.is_true(found.loopback)
    assert.is_false(found.multicast)
  end)

  it("finds GnuPG, or says what is missing", function()
    local found = sys.gnupg()
    assert.truthy(found.gpg:find("/gpg$"))
    assert.truthy(found.agent:find("/gpg%-agent$"))
    assert.truthy(found.version:find("^%d+%.%d+"))
    assert.is_nil(found.problem)
    local tell = "local g = sys.gnupg() print(g.problem, g.gpg, g.version)"
    local function under(path) return run({ "env", "PATH=" .. path }, tell) end
    assert.truthy(under(directory):find("GnuPG is missing", 1, true))
    assert(sys.write_file(directory .. "/gpg", "#!/bin/sh\necho 'gpg (GnuPG) 2.1.18'\n", tonumber("700", 8)))
    assert.truthy(under(directory):find("GnuPG 2.1.18 (" .. directory .. "/gpg) is too old", 1, true))
    assert(sys.write_file(directory .. "/gpg", "#!/bin/sh\necho 'gpg (GnuPG) 2.4.0'\n", tonumber("700", 8)))
    assert.truthy(under(directory):find("gpg-agent is missing", 1, true))
    assert(sys.write_file(directory .. "/gpg", "#!/bin/sh\nexit 1\n", tonumber("700", 8)))
    assert.truthy(under(directory):find("cannot be run", 1, true))
  end)
end)

describe("sotto.options", function()
  it("has every option of the engine's, as sotto.engine tells them", function()
    assert.are.same(require("sotto.engine").options, options)
    assert.is_true(#options > 0)
  end)
end)
