-- SPDX-License-Identifier: GPL-3.0-or-later
-- What `make` says to a newcomer, on machines that this one is made to look like: a folder of programs for PATH, in which
-- dpkg-query knows of nothing, and apt-get writes down what it is asked for.
local sys = require "sotto.sys"
local system = require "support.system"

describe("make", function()
  local root

  before_each(function()
    root = assert(sys.make_temporary_directory "/tmp/sotto-spec-")
    assert(sys.make_private_directory(root .. "/bin"))
  end)
  after_each(function() sys.remove_tree(root) end)

  local function add(name, script)
    local path = root .. "/bin/" .. name
    system.write(path, "#!/bin/sh\n" .. script .. "\n")
    assert(os.execute("chmod +x " .. path))
  end

  local function borrow(...)
    for _, name in ipairs { ... } do
      assert(os.execute(("ln -s $(command -v %s) %s/bin/"):format(name, root)))
    end
  end

  local function make(arguments, path)
    return system.shell(("env -u MAKEFLAGS -u MAKELEVEL PATH=%s make BUILD=%s/build %s"):format(
      path or root .. "/bin", root, arguments))
  end

  -- a machine without any of the packages, and somebody with that number
  local function bare_machine(uid)
    borrow("make", "sh", "env")
    add("dpkg-query", "exit 1")
    add("id", "echo " .. uid)
  end

  local function asked()
    return system.read(root .. "/asked") or ""
  end

  it("names the packages where there is no sudo to install them with", function()
    bare_machine(1000)
    add("apt-get", ('echo "$@" >>%s/asked'):format(root))
    local output, status = make "deps"
    assert.are_not.equal(0, status)
    assert.truthy(output:find("There is no sudo here", 1, true), output)
    assert.truthy(output:find("libgpgme-dev", 1, true))
    assert.are.equal("", asked())
  end)

  it("names the packages where this is no Debian", function()
    bare_machine(0)
    local output, status = make "deps"
    assert.are_not.equal(0, status)
    assert.truthy(output:find("There is no apt-get here", 1, true), output)
    assert.truthy(output:find("libgpgme-dev", 1, true))
  end)

  it("says what it installs, asks apt-get for it, and says where that fails", function()
    bare_machine(1000)
    add("sudo", 'exec "$@"')
    add("apt-get", ('echo "$@" >>%s/asked'):format(root))
    local output, status = make "deps"
    assert.are.equal(0, status, output)
    assert.truthy(output:find("Installing with sudo apt-get, once: gcc", 1, true), output)
    assert.truthy(asked():find("^update"), asked())
    assert.truthy(asked():find("install [^\n]*libgpgme%-dev"))
    add("apt-get", "exit 1")
    output, status = make "deps"
    assert.are_not.equal(0, status)
    assert.truthy(output:find("Could not install: gcc", 1, true), output)
  end)

  it("has a short line for each file, its command with V=1, dots with PROGRESS=1, and nothing with -s", function()
    local path, target = os.getenv "PATH", root .. "/build/obj/engine/base/err.o"
    local output = make(target, path)
    assert.are.equal("  cc  engine/base/err.c\n", output)
    os.remove(target)
    output = make("V=1 " .. target, path)
    assert.truthy(output:find("^cc [^\n]* %-c engine/base/err.c [^\n]*\n$"), output)
    os.remove(target)
    assert.are.equal("", (make("-s " .. target, path)))
    local more = {}
    for i, name in ipairs { "buf", "hash", "mem" } do more[i] = target:gsub("err", name) end
    assert.are.equal(".", (make("-s PROGRESS=1 " .. table.concat(more, " "), path)))
  end)
end)
