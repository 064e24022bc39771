-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "sotto.loop"
local patience = require "support.patience"
local sys = require "sotto.sys"
local turns = require "support.turns"

describe("sys", function()
  local directory

  before_each(function() directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-")) end)
  after_each(function() sys.remove_tree(directory) end)

  -- runs a program in Lua; gives its output, its errors and its exit status
  local function run(program)
    local out, err, status = {}, {}, nil
    assert(loop.spawn {
      program = "lua5.4", "-e", ("package.cpath = %q "):format(package.cpath) .. program,
      stdout = "pipe", stderr = "pipe",
      on_stdout = function(line) out[#out + 1] = line end,
      on_stderr = function(line) err[#err + 1] = line end,
      on_exit = function(code) status = code end,
    })
    turns.run("the program's end")
    return table.concat(out, "\n"), table.concat(err, "\n"), status
  end

  it("makes directories private, whatever they were", function()
    local path = directory .. "/a/b"
    assert.is_true(sys.make_private_directory(path))
    assert.are.equal(tonumber("700", 8), sys.stat(path).mode)
    assert.are.equal("directory", sys.stat(path).kind)
    os.execute("chmod 755 " .. path)
    assert.is_true(sys.make_private_directory(path))
    assert.are.equal(tonumber("700", 8), sys.stat(path).mode)
    assert(sys.write_file(path .. "/file", "x"))
    assert.is_nil(sys.make_private_directory(path .. "/file"))
  end)

  it("writes and reads files, with limits", function()
    local path = directory .. "/file"
    assert.is_true(sys.write_file(path, "a\0b"))
    assert.are.equal("a\0b", sys.read_file(path))
    assert.are.equal(tonumber("600", 8), sys.stat(path).mode)
    assert.are.equal(3, sys.stat(path).size)
    assert.are.equal("a\0b", sys.read_file(path, 3))
    assert.are.equal("too_large", select(3, sys.read_file(path, 2)))
    assert.are.equal("not_found", select(3, sys.read_file(path .. "x")))
    assert.are.same({ "file" }, sys.list(directory))
  end)

  it("looks at links themselves only on request", function()
    os.execute(("ln -s nowhere %s/link"):format(directory))
    assert.is_false(sys.exists(directory .. "/link"))
    assert.are.equal("link", sys.stat(directory .. "/link", false).kind)
    assert.are.equal("not_found", select(3, sys.stat(directory .. "/link")))
  end)

  it("removes trees and never follows a link out of them", function()
    os.execute(("mkdir -p %s/tree/deep %s/kept && touch %s/kept/file && ln -s ../kept %s/tree/link")
      :format(directory, directory, directory, directory))
    assert.is_true(sys.remove_tree(directory .. "/tree"))
    assert.are.same({ "kept" }, sys.list(directory))
    assert.are.same({ "file" }, sys.list(directory .. "/kept"))
    assert.is_true(sys.remove_tree(directory .. "/tree"))
  end)

  it("refuses paths that are none", function()
    for _, bad in ipairs { "", "a\0b" } do
      assert.has_error(function() sys.stat(bad) end)
    end
  end)

  it("locks a file for one process, and says who holds it", function()
    local path = directory .. "/lock"
    local lock = assert(sys.lock(path))
    local program = ([[print((select(2, require "sotto.sys".lock("%s"))))]]):format(path)
    assert.are.equal(("the process %d holds %s"):format(sys.getpid(), path), (run(program)))
    lock:release()
    lock:release()
    assert.are.equal("nil", (run(program)))
  end)

  it("waits for a lock that a dead process has left to what it was starting", function()
    local path = directory .. "/lock"
    local program = ([[print((select(2, require "sotto.sys".lock("%s"))))]]):format(path)
    local held, said
    local function try()
      said = nil
      assert(loop.spawn {
        program = "lua5.4", "-e", ("package.cpath = %q "):format(package.cpath) .. program, stdout = "pipe",
        on_stdout = function(line) said = line end,
      })
    end
    assert(sys.write_file(path, "2147483647\n"))
    local holder = assert(loop.spawn {
      program = "flock", path, "sh", "-c", "echo held; read line", stdin = "pipe", stdout = "pipe",
      on_stdout = function() held = true end,
    })
    turns.wait_for("the lock to be held", function() return held end)
    try()
    turns.wait_for("no lock", function() return said end)
    assert.are.equal("the process 2147483647 holds " .. path, said)
    try()
    loop.after(100, function() holder.stdin:close() end)
    turns.wait_for("the lock", function() return said end)
    assert.are.equal("nil", said)
    turns.run "the end of all"
  end)

  it("knows this process and this user", function()
    assert.is_true(sys.alive(sys.getpid()))
    assert.is_false(sys.alive(2 ^ 31 - 1 | 0))
    -- a child that has ended, and that this process has not waited for yet
    local child = assert(loop.spawn { program = "true" })
    local deadline = sys.monotonic_ms() + 10000 * patience
    local alive
    repeat alive = sys.alive(child.pid) until not alive or sys.monotonic_ms() > deadline
    assert.is_false(alive)
    assert.is_true(child:running())
    turns.run("the child's end")
    assert.are.equal("not_found", select(3, sys.kill(2 ^ 31 - 1 | 0, "SIGTERM")))
    assert.has_error(function() sys.kill(0, "SIGTERM") end)
    assert.has_error(function() sys.kill(-1, "SIGTERM") end)
    assert.is_string(sys.user().name)
    assert.truthy(sys.executable():find("lua"))
    assert.are.equal(32, #sys.random_hex())
    assert.are_not.equal(sys.random_hex(), sys.random_hex())
    assert.is_true(math.abs(sys.now_ms() - os.time() * 1000) < 5000)
  end)

  it("daemonise lets the parent wait for the child's word", function()
    local began = directory .. "/began"
    local out, err, status = run(([[
      local sys = require "sotto.sys"
      local daemon = assert(sys.daemonise())
      sys.write_file("%s", tostring(sys.getpid()))
      print("lost")
      daemon:ready()
    ]]):format(began))
    assert.are.equal("", out)
    assert.are.equal("", err)
    assert.are.equal(0, status)
    assert.is_true(sys.exists(began))
  end)

  it("daemonise hands on the child's failure", function()
    local out, err, status = run [[require "sotto.sys".daemonise():fail("it is broken", 3)]]
    assert.are.equal("", out)
    assert.are.equal("it is broken", err)
    assert.are.equal(3, status)
  end)

  it("daemonise fails for a child that dies without a word", function()
    local _, err, status = run [[require "sotto.sys".daemonise() os.exit(4)]]
    assert.are.equal("", err)
    assert.are.equal(4, status)
    _, _, status = run [[local s = require "sotto.sys" s.daemonise() s.kill(s.getpid(), "SIGKILL")]]
    assert.are.equal(1, status)
  end)

  it("daemonise is refused once the loop is in use", function()
    local _, err, status = run [[require "sotto.loop".now() require "sotto.sys".daemonise()]]
    assert.truthy(err:find("before the first use of the loop", 1, true))
    assert.are.equal(1, status)
  end)
end)
