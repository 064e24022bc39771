-- SPDX-License-Identifier: GPL-3.0-or-later
local files = require "sotto.core.scripts.files"
local sys = require "sotto.sys"
local system = require "support.system"

describe("a script's files", function()
  local root, given, own

  before_each(function()
    root = assert(sys.make_temporary_directory "/tmp/sotto-spec-")
    given = root .. "/given"
    assert(sys.make_private_directory(given .. "/inner"))
    system.write(root .. "/secret", "secret")
    own = files.new({ "messages", "files:" .. given }, 1000)
  end)
  after_each(function() sys.remove_tree(root) end)

  local function call(op, path, fields)
    local params = fields or {}
    params.op, params.path = op, path
    return own:call(params)
  end

  local function refused(op, path)
    local result, message, name = call(op, path, { text = "x" })
    assert.is_nil(result, op .. " " .. path)
    return name, message
  end

  it("are none without a grant", function() assert.is_nil(files.new({ "messages" }, 1000)) end)

  it("are written, read, added to, listed and removed", function()
    assert.are.same({}, call("write", "a.txt", { text = "one\n" }))
    assert.are.same({}, call("append", given .. "/a.txt", { text = "two\n" }))
    assert.are.equal("one\ntwo\n", call("read", "a.txt").text)
    assert.are.equal("two\n", call("read", "a.txt", { offset = 4 }).text)
    assert.are.equal("one\ntwo\n", system.read(given .. "/a.txt"))
    assert.are.same({}, call("write", "inner/b", { text = "" }))
    local names = {}
    for i, entry in ipairs(call("list", "")) do names[i] = entry.name .. " " .. entry.kind .. " " .. entry.size end
    assert.are.equal("a.txt file 8", names[1])
    assert.truthy(names[2]:find "^inner directory")
    assert.are.same({}, call("remove", "a.txt"))
    assert.are.equal("not_found", refused("read", "a.txt"))
  end)

  it("keep a file's mode, and leave nothing behind", function()
    system.write(given .. "/a", "x")
    assert(os.execute("chmod 644 " .. given .. "/a"))
    call("write", "a", { text = "y" })
    assert.are.equal(tonumber("644", 8), sys.stat(given .. "/a").mode)
    assert.are.equal(2, #sys.list(given))
  end)

  it("are those beneath the folder: nothing leads out of it", function()
    assert(os.execute(("ln -s ../secret %s/link && ln -s .. %s/up && ln -s / %s/inner/slash"):format(given, given, given)))
    for _, path in ipairs {
      "../secret", "inner/../../secret", "link", "up/secret", "inner/slash/etc/passwd", given .. "/../secret",
    } do
      assert.are.equal("refused", refused("read", path), path)
      assert.are.equal("refused", refused("append", path), path)
    end
    for _, path in ipairs { root .. "/secret", "/etc/passwd", given .. "2/x", "~/x", root } do
      local name, message = refused("read", path)
      assert.are.equal("refused", name)
      assert.truthy(message:find "was not granted")
    end
    for _, path in ipairs { "../new", "up/new", "inner/slash/tmp/new" } do
      assert.are.equal("refused", refused("write", path), path)
      assert.are.equal("refused", refused("remove", path), path)
      assert.are.equal("refused", refused("list", path), path)
    end
    -- what is replaced is the link, never what it leads to
    assert.are.equal("wrong_state", refused("write", "link"))
    assert.are.equal("secret", system.read(root .. "/secret"))
    assert.are.same({}, call("remove", "link"))
    assert.are.equal("secret", system.read(root .. "/secret"))
  end)

  it("are regular ones, and nobody waits for a pipe", function()
    assert(os.execute(("mkfifo %s/pipe"):format(given)))
    assert.are.equal("wrong_state", refused("read", "pipe"))
    assert.is_string(refused("append", "pipe"))
    assert.are.equal("wrong_state", refused("read", "inner"))
    for _, path in ipairs { "", ".", "..", "inner/", "a/" } do refused("write", path) end
  end)

  it("have a size", function()
    assert.are.equal("too_large", (select(3, call("write", "a", { text = ("x"):rep(1001) }))))
    assert.are.same({}, call("append", "a", { text = ("x"):rep(900) }))
    assert.are.equal("too_large", (select(3, call("append", "a", { text = ("x"):rep(101) }))))
    assert.are.equal("too_large", (select(3, call("append", "b", { text = ("x"):rep(files.PIECE_MAX + 1) }))))
    assert.are.equal(900, sys.stat(given .. "/a").size)
  end)

  it("may be a single one, which need not be there yet", function()
    own = files.new({ "files:" .. root .. "/one.log" }, 1000)
    assert.are.same({}, call("append", root .. "/one.log", { text = "x" }))
    assert.are.same({}, call("append", "one.log", { text = "y" }))
    assert.are.equal("xy", system.read(root .. "/one.log"))
    for _, path in ipairs { root .. "/secret", "secret", root, root .. "/one.log/x" } do
      assert.are.equal("refused", refused("read", path), path)
    end
  end)

  it("carry any bytes", function()
    system.write(given .. "/octets", "\0\255ü")
    local read = call("read", "octets")
    assert.is_true(read.octets)
    assert.are.equal(4, read.size)
    assert.are.same({}, call("write", "copy", { text = read.text, octets = true }))
    assert.are.equal("\0\255ü", system.read(given .. "/copy"))
  end)
end)
