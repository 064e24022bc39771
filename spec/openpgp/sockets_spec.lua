local desktop = require "support.desktop"
local gnupg = require "support.gnupg"

local quote = gnupg.quote
local LIST = "ls /run/user/$(id -u)/gnupg | sed 's/^/left: /'"

-- Where there is a runtime directory of the user's, GnuPG keeps no socket in a home.
describe("a home's sockets in the user's runtime directory", function()
  local directory, homes

  before_each(function()
    directory = gnupg.directory()
    homes = directory .. "/homes"
  end)
  after_each(function() gnupg.remove(directory) end)

  -- Lua in a process of its own, with a rig of the homes; the shell's command for it.
  local function lua(name, text)
    local path = ("%s/%s.lua"):format(directory, name)
    gnupg.write(path, ([[
      package.cpath = %q
      local openpgp, sys = require "support.openpgp", require "sotto.sys"
      local function is_socket(path) return (sys.stat(path) or {}).kind == "socket" end
      local rig = assert(openpgp.new(%q))
      %s
    ]]):format(package.cpath, homes, text))
    return "lua5.4 " .. quote(path)
  end

  -- nil where this user may make no namespace
  local function run(script)
    if not desktop.possible() then return nil end
    local output, ok = desktop.run(script)
    assert.is_true(ok, output)
    return output
  end

  it("P4.1 finds the agent there, ends it in good order, and leaves nothing there", function()
    local output = run(lua("ends", [[
      local home = assert(rig:make_discussion {}:wait()).home
      local path = home:path()
      local pipe = io.popen("gpgconf --homedir " .. path .. " --list-dirs agent-socket")
      local socket = pipe:read("l")
      pipe:close()
      assert(socket:find("^/run/user/%d+/gnupg/d%.%w+/S%.gpg%-agent$"), socket)
      assert(is_socket(socket) and #openpgp.agents(path) == 1)
      assert(rig:lock(home):wait())
      assert(#openpgp.agents(path) == 0 and not is_socket(socket))
      assert(rig:sign { home = home, text = "x" }:wait())
      assert(is_socket(socket))
      assert(rig:destroy(home):wait())
      assert(#openpgp.agents(path) == 0)
      rig:stop()
    ]]) .. "\n" .. LIST)
    assert.is_nil((output or ""):find("left:", 1, true), output)
  end)

  it("P4.1 takes no other name for a long path, and ends the agents of a killed core", function()
    homes = ("%s/%s/%s"):format(directory, ("d"):rep(100), ("e"):rep(60))
    local core = lua("core", [[
      print("home", assert(rig:make_discussion {}:wait()).home:name())
      io.stdout:flush()
      os.execute("kill -9 $PPID")
    ]])
    local sweep = lua("sweep", [[
      local pipe = io.popen("ls " .. arg[1])
      local name = pipe:read("l")
      pipe:close()
      local path = arg[1] .. "/" .. name
      assert(#openpgp.agents(path) == 1, "it outlives its core")
      assert(rig:sweep { name }:wait())
      assert(#openpgp.agents(path) == 0, "it is ended")
      local home = assert(rig:open_home(name))
      assert(home:gnupg_path() == path)
      assert(rig:sign { home = home, text = "x" }:wait())
      rig:stop()
    ]])
    local output = run(("%s || true\n%s %s\n%s"):format(core, sweep, quote(homes), LIST))
    assert.is_nil((output or ""):find("left:", 1, true), output)
  end)
end)
