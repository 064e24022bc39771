-- SPDX-License-Identifier: GPL-3.0-or-later
local base = require "support.base"
local socket = require "support.net_socket"

describe("files", function()
  local directory
  before_each(function() directory = assert(socket.temporary()) end)
  after_each(function() os.execute("rm -rf '" .. directory .. "'") end)

  local function at(name) return base.path_join(directory, name) end
  local function shell(format, ...) assert(os.execute(format:format(...))) end
  local function refused(name, value, code, text)
    assert.is_nil(value)
    assert.equal(name, code)
    assert.is_true(#text > 0)
    return text
  end
  local function listing()
    local pipe, all = assert(io.popen("ls -A '" .. directory .. "'")), {}
    for line in pipe:lines() do all[#all + 1] = line end
    pipe:close()
    return all
  end
  local function octal(text) return tonumber(text, 8) end

  describe("file_write and file_read", function()
    it("bring back exact bytes, privately", function()
      for _, data in ipairs { "", "text", "\0\255\n", ("x"):rep(100000) } do
        assert.is_true(base.file_write(at("f"), data))
        assert.equal(data, base.file_read(at("f"), 100000))
        assert.same({ "file", octal("600") }, { socket.mode(at("f")) })
      end
      assert.same({ "f" }, listing())
    end)

    it("give the mode that is asked for, whatever the umask", function()
      assert.is_true(base.file_write(at("f"), "x", octal("644")))
      assert.same({ "file", octal("644") }, { socket.mode(at("f")) })
    end)

    it("replace a link, not what it points to", function()
      base.file_write(at("target"), "old")
      shell("ln -s target '%s'", at("link"))
      assert.is_true(base.file_write(at("link"), "new"))
      assert.equal("old", base.file_read(at("target"), 10))
      assert.same({ "file", octal("600") }, { socket.mode(at("link")) })
    end)

    it("leave the old content and nothing else where writing fails", function()
      assert(socket.mkdir(at("d"), octal("700")))
      refused("io", base.file_write(at("d"), "x"))
      assert.same({ "d" }, listing())
      refused("not_found", base.file_write(at("no/such"), "x"))
    end)

    it("read at most the cap", function()
      base.file_write(at("f"), ("x"):rep(20000))
      assert.equal(20000, #base.file_read(at("f"), 20000))
      assert.truthy(refused("too_large", base.file_read(at("f"), 19999)):find("19999", 1, true))
      refused("too_large", base.file_read("/dev/zero", 100000))
    end)

    it("say what is wrong with a missing file or a directory", function()
      assert.truthy(refused("not_found", base.file_read(at("f"), 10)):find(at("f"), 1, true))
      refused("io", base.file_read(directory, 10))
    end)

    it("do not wait for the writer of a FIFO", function()
      shell("mkfifo '%s'", at("fifo"))
      assert.equal("", base.file_read(at("fifo"), 10))
    end)
  end)

  describe("directory_make_private", function()
    it("makes what is missing, and all of it private", function()
      assert.is_true(base.directory_make_private(at("a/b/c")))
      for _, name in ipairs { "a", "a/b", "a/b/c" } do
        assert.same({ "directory", octal("700") }, { socket.mode(at(name)) })
      end
      assert.is_true(base.directory_make_private(at("a/b/c")))
      assert.is_true(base.directory_make_private(at("a//b/d/")))
      assert.equal("directory", (socket.mode(at("a/b/d"))))
    end)

    it("makes an existing one private, and leaves those above it alone", function()
      assert(socket.mkdir(at("a"), octal("755")))
      assert(socket.mkdir(at("a/b"), octal("775")))
      assert.is_true(base.directory_make_private(at("a/b")))
      assert.same({ "directory", octal("755") }, { socket.mode(at("a")) })
      assert.same({ "directory", octal("700") }, { socket.mode(at("a/b")) })
    end)

    it("refuses what is no directory, and the empty path", function()
      base.file_write(at("f"), "x")
      refused("io", base.directory_make_private(at("f")))
      refused("io", base.directory_make_private(at("f/below")))
      refused("bad_params", base.directory_make_private(""))
      shell("ln -s nowhere '%s'", at("link"))
      assert.is_nil((base.directory_make_private(at("link"))))
    end)

    it("follows a link to a directory of ours", function()
      assert(socket.mkdir(at("real"), octal("755")))
      shell("ln -s real '%s'", at("link"))
      assert.is_true(base.directory_make_private(at("link")))
      assert.same({ "directory", octal("700") }, { socket.mode(at("real")) })
    end)
  end)

  describe("tree_remove", function()
    it("removes a tree, whatever is in it, and never follows a link", function()
      assert(socket.mkdir(at("kept"), octal("700")))
      base.file_write(at("kept/file"), "kept")
      base.directory_make_private(at("tree/a/b"))
      base.file_write(at("tree/a/f"), "x")
      shell("ln -s ../kept '%s' && ln -s nowhere '%s' && mkfifo '%s'", at("tree/link"), at("tree/dangling"),
        at("tree/fifo"))
      assert.is_true(base.tree_remove(at("tree")))
      assert.same({ "kept" }, listing())
      assert.equal("kept", base.file_read(at("kept/file"), 10))
    end)

    it("removes a single file or link, and is content with nothing", function()
      base.file_write(at("f"), "x")
      shell("ln -s f '%s'", at("l"))
      assert.is_true(base.tree_remove(at("l")))
      assert.same({ "f" }, listing())
      assert.is_true(base.tree_remove(at("f")))
      assert.is_true(base.tree_remove(at("f")))
      assert.same({}, listing())
    end)
  end)
end)

describe("log", function()
  local ERROR, WARN, INFO = 0, 1, 2
  local directory, path
  before_each(function()
    directory = assert(socket.temporary())
    path = directory .. "/log"
  end)
  after_each(function()
    base.log_close()
    os.execute("rm -rf '" .. directory .. "'")
  end)

  local function text() return assert(base.file_read(path, 20 << 20)) end

  it("writes one line each, with time and level, to a private file", function()
    assert.is_true(base.log_open(path, INFO))
    base.log_write(ERROR, "first")
    base.log_write(INFO, "second é")
    base.log_write(INFO + 1, "not shown")
    local stamp = "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ"
    assert.truthy(text():match("^" .. stamp .. " error first\n" .. stamp .. " info second é\n$"))
    assert.same({ "file", tonumber("600", 8) }, { socket.mode(path) })
  end)

  it("a peer's string cannot forge a line or move the cursor", function()
    base.log_open(path, WARN)
    base.log_write(WARN, "name: x\n2020-01-01T00:00:00.000Z error forged\r\27[2J\127 \u{9b}2J \u{85} é \u{a0}")
    local line = text()
    assert.equal(1, select(2, line:gsub("\n", "")))
    assert.truthy(line:find([[x\x0a2020]], 1, true))
    assert.truthy(line:find([[forged\x0d\x1b[2J\x7f \xc2\x9b2J \xc2\x85 é]], 1, true))
    assert.truthy(utf8.len(line))
  end)

  it("cuts an endless text, and still ends its line", function()
    base.log_open(path, WARN)
    base.log_write(WARN, ("\1"):rep(5000))
    base.log_write(WARN, "next")
    local line = text()
    assert.equal(2, select(2, line:gsub("\n", "")))
    assert.is_true(#line < 5000)
  end)

  it("goes on where it was, and begins anew at 8 MiB with the old one beside it", function()
    base.log_open(path, WARN)
    base.log_write(WARN, "one")
    base.log_close()
    base.log_open(path, WARN)
    local long = ("x"):rep(1000)
    for _ = 1, 8300 do base.log_write(WARN, long) end
    local old = assert(base.file_read(path .. ".1", 20 << 20))
    assert.is_true(#old <= 8 << 20 and #old > (8 << 20) - 2000)
    assert.truthy(old:find("warn one\n", 1, true))
    assert.equal(8301, select(2, (old .. text()):gsub("\n", "")))
    assert.same({ "file", tonumber("600", 8) }, { socket.mode(path) })
  end)

  it("does not write through a link", function()
    assert(os.execute(("ln -s elsewhere '%s'"):format(path)))
    assert.is_nil((base.log_open(path, WARN)))
    assert.is_nil((socket.mode(directory .. "/elsewhere")))
  end)
end)
