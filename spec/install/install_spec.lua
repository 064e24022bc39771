-- SPDX-License-Identifier: GPL-3.0-or-later
-- make install into a directory of its own: what is there runs from there, and uninstall takes all of it away.
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo \"status $?\""))
  local text = pipe:read "a"
  pipe:close()
  local out, status = text:match "^(.*)status (%d+)\n$"
  return tonumber(status), out
end

local function done(command)
  local status, out = run(command)
  assert.are.equal(0, status, out)
  return out
end

describe("make install", function()
  local root, there

  setup(function()
    root = cores.root() .. "/staged"
    there = root .. "/opt/sotto"
    done(("make -s install DESTDIR=%s PREFIX=/opt/sotto BUILD=%s"):format(system.quote(root), cores.BUILD))
  end)
  teardown(cores.clean)

  it("puts programs there that find their Lua beside them", function()
    local out = done(("cd / && env -i HOME=%s %s/bin/sotto --home %s/home start"):format(root, there, root))
    assert.truthy(out:find("running: process", 1, true), out)
    local maps = system.read_proc(tonumber(out:match "process (%d+)"), "cmdline")
    assert.truthy(maps:find(there .. "/bin/sottod", 1, true), maps)
    done(("env -i HOME=%s %s/bin/sotto --home %s/home stop"):format(root, there, root))
  end)

  it("makes and tries scripts there, and has the plugins", function()
    local setting = ("cd %s && env -i HOME=%s PATH=%s TMPDIR=%s %s/bin/sotto"):format(cores.root(), root, os.getenv "PATH",
      cores.root(), there)
    done(setting .. " new bot hello")
    local out = done(setting .. " test hello.lua " .. there .. "/share/sotto/plugins/dice.lua")
    assert.truthy(out:find "[1-9]%d* passed, 0 failed\n$", out)
  end)

  it("puts a module there for Lua programs", function()
    local code = 'package.cpath = arg[1] .. "/lib/lua/5.4/?.so"; print(require("sotto.json").encode { a = 1 })'
    system.write(cores.root() .. "/embed.lua", code)
    assert.are.equal('{"a":1}\n', done(("lua5.4 %s/embed.lua %s"):format(cores.root(), there)))
  end)

  it("puts pages there that man shows, for every method and key", function()
    for _, page in ipairs { "man1/sotto.1", "man1/sottod.1", "man5/sotto-config.5", "man7/sotto-api.7" } do
      assert.truthy(system.read(there .. "/share/man/" .. page), page)
    end
    local text = assert(system.read(there .. "/share/man/man7/sotto-api.7")):gsub("\\", "")
    for name in pairs(require("sotto.core.api").methods) do assert.truthy(text:find(name, 1, true), name) end
    local config = assert(system.read(there .. "/share/man/man5/sotto-config.5")):gsub("\\", "")
    for _, option in ipairs(require("sotto.engine").options) do assert.truthy(config:find(option.name, 1, true), option.name) end
  end)

  it("puts a unit there that names the installed program, and bash's completion", function()
    local unit = assert(system.read(there .. "/lib/systemd/user/sottod.service"))
    assert.truthy(unit:find("ExecStart=/opt/sotto/bin/sottod --foreground", 1, true))
    local completion = assert(system.read(there .. "/share/bash-completion/completions/sotto"))
    assert.truthy(completion:find("complete -F _sotto sotto", 1, true))
  end)

  it("names no path of the checkout", function()
    local here = assert(sys.cwd())
    for _, path in ipairs(system.files(root .. "/opt")) do
      if not path:find("/bin/", 1, true) and not path:find("%.so$") then
        assert.is_nil(assert(system.read(path)):find(here, 1, true), path)
      end
    end
  end)

  it("is undone by make uninstall", function()
    done(("make -s uninstall DESTDIR=%s PREFIX=/opt/sotto BUILD=%s"):format(system.quote(root), cores.BUILD))
    assert.are.same({}, system.files(root .. "/opt"))
  end)
end)
