-- SPDX-License-Identifier: GPL-3.0-or-later
local json = require "sotto.json"
local secret = require "sotto.secret"
local sys = require "sotto.sys"

-- for programs in Lua: where the modules are
local FIND_MODULES = ("package.cpath = %q "):format(package.cpath)

-- Runs a program in Lua on a terminal of its own (python's pty), types the text, and gives what the terminal showed.
local function on_terminal(program, typed)
  local directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
  local script = directory .. "/program.lua"
  assert(sys.write_file(script, FIND_MODULES .. program))
  assert(sys.write_file(directory .. "/run.py", [==[
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("lua5.4", ["lua5.4", sys.argv[1]])
shown, typed = b"", sys.argv[2].encode().decode("unicode_escape").encode("latin-1")
while True:
    try:
        got = os.read(fd, 4096)
    except OSError:
        break
    if not got:
        break
    shown += got
    if typed and b"? " in shown:
        os.write(fd, typed)
        typed = b""
os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
]==]))
  local pipe = assert(io.popen(("python3 '%s/run.py' '%s' '%s' </dev/null"):format(directory, script, typed)))
  local shown = pipe:read("a")
  pipe:close()
  sys.remove_tree(directory)
  return shown
end

describe("secret", function()
  it("P2.4 shows nothing of its content to Lua", function()
    local s = secret.new "hunter2"
    assert.are.equal("secret", tostring(s))
    assert.is_nil(json.encode(s))
    assert.is_nil(json.encode { s })
    assert.has_error(function() return s .. "" end)
    assert.has_error(function() return #s end)
    assert.has_error(function() return ("%d"):format(s) end)
    assert.are.equal("secret", ("%s"):format(s))
    for key, value in pairs(debug.getmetatable(s).__index) do
      assert.is_string(key)
      assert.is_function(value)
    end
    assert.is_nil(debug.getuservalue(s))
  end)

  it("compares contents", function()
    assert.is_true(secret.new "a" == secret.new "a")
    assert.is_false(secret.new "a" == secret.new "b")
    assert.is_false(secret.new "a" == secret.new "aa")
    assert.is_false(secret.new "a" == "a")
  end)

  it("tells whether it is empty, or too long", function()
    assert.is_true(secret.new(""):is_empty())
    assert.is_false(secret.new("a"):is_empty())
    assert.is_true(secret.new("abc"):is_longer_than(2))
    assert.is_false(secret.new("abc"):is_longer_than(3))
    assert.has_error(function() secret.new(("x"):rep(1025)) end)
  end)

  it("cannot be used once it was wiped", function()
    local s = secret.new "x"
    s:wipe()
    s:wipe()
    assert.has_error(function() s:is_empty() end)
    assert.is_false(s == secret.new "x")
    assert.is_nil(json.encode(s))
  end)

  it("is read from a pipe up to the line's end", function()
    local program = FIND_MODULES .. [[
      local secret = require "sotto.secret"
      print(secret.read_line(0) == secret.new "pass word", secret.read_line(0):is_empty(),
        select(3, secret.read_line(0)))
      print(secret.read_line(0):is_empty(), secret.read_line(0) == secret.new "last", secret.read_line(0):is_empty())
    ]]
    local input = "pass word\\r\\n\\n" .. ("x"):rep(1025)
    local command = ("printf '%s\\nlast' | lua5.4 -e '%s'"):format(input, program:gsub("\n", " "))
    local pipe = assert(io.popen(command))
    local lines = pipe:read("a")
    pipe:close()
    -- the line that was too long is read up to its 1025th byte; its end is the empty rest
    assert.are.equal("true\ttrue\ttoo_large\ntrue\ttrue\ttrue\n", lines)
  end)

  it("is asked for without an echo", function()
    local shown = on_terminal([[
      local secret = require "sotto.secret"
      local s = secret.ask("Password? ")
      print(s == secret.new "hunté2", tostring(s))
    ]], [[hunt\xc3\xa9\xc3\xa9\x7f2\r]])
    assert.truthy(shown:find("Password? ", 1, true))
    assert.truthy(shown:find("true\tsecret", 1, true))
    assert.is_nil(shown:find("hunt", 1, true))
  end)

  it("gives up at Ctrl-C, and leaves the terminal as it was", function()
    local shown = on_terminal([[
      local before = io.popen("stty -a"):read("a")
      print(select(3, require "sotto.secret".ask("Password? ")))
      print(before == io.popen("stty -a"):read("a") and "as before" or "changed")
    ]], [[hunt\x03]])
    assert.truthy(shown:find("canceled", 1, true))
    assert.truthy(shown:find("as before", 1, true))
    assert.is_nil(shown:find("hunt", 1, true))
  end)

  it("says so where there is no terminal", function()
    local program = FIND_MODULES .. [[print(select(3, require "sotto.secret".ask("? ")))]]
    local pipe = assert(io.popen(("setsid lua5.4 -e '%s' </dev/null"):format(program)))
    assert.are.equal("unsupported\n", pipe:read("a"))
    pipe:close()
  end)
end)
