-- SPDX-License-Identifier: GPL-3.0-or-later
-- Pages of hosts that are public, and of hosts that are not, in a network of the spec's own.
local cores = require "support.cores"
local lans = require "support.lans"
local loop = require "sotto.loop"
local system = require "support.system"
local waiting = require "support.waiting"

local FILE = "spec/scenario/script_web_spec.lua"

-- addresses as the world's are, here on a wire that leads nowhere
local OWN, PUBLIC, PRIVATE, LINK = "11.0.0.1", "11.0.0.2", "192.168.77.2", "169.254.77.2"

local TEXT = [[
local sotto = require "sotto"
local s = sotto.script { name = "reader", version = "1.0", api = 1, needs = { "http" } }
s:command("get", {}, function(_, url)
  local ok, page = pcall(sotto.http.get, url)
  return ok and page.body or page.name .. ": " .. page.message
end)
]]

lans.describe(FILE, "pages", function()
  local bob, place, stop, port

  setup(function()
    local lan = lans.new { v4 = true }
    place = lan:place()
    local other = lan:place()
    for _, address in ipairs { PUBLIC .. "/24", PRIVATE .. "/24", LINK .. "/16" } do
      other:ip(("addr add %s dev eth0"):format(address))
      place:ip(("addr add %s dev eth0"):format((address:gsub("%.2/", ".1/"))))
    end
    local process = assert(loop.spawn {
      program = "ip", "netns", "exec", other.netns, "python3", "spec/support/web.py", "0.0.0.0",
      stdin = "pipe", stdout = "pipe",
      on_stdout = function(line)
        port = tonumber(line)
        waiting.wake()
      end,
    })
    stop = function() process.stdin:close() end
    waiting.wait("a web server", function() return port end)
    bob = cores.person("bob", { netns = place.netns })
    system.write(bob.home .. "/reader.lua", TEXT)
  end)
  teardown(function()
    stop()
    cores.clean()
    lans.clean()
  end)
  after_each(function() bob:try("scripts.unload", { name = "reader" }) end)

  local function load_script() bob:call("scripts.load", { path = bob.home .. "/reader.lua", grant = true }) end

  local function get(host, path)
    return bob:call("scripts.command", {
      name = "reader", command = "get", arguments = { ("http://%s:%d%s"):format(host, port, path or "/") },
    }).reply
  end

  it("of public hosts are fetched; of private ones, the link and this machine they are not", function()
    load_script()
    assert.are.equal("page /", get(PUBLIC))
    for _, host in ipairs { PRIVATE, LINK, OWN, "127.0.0.1", place.address } do
      assert.truthy(get(host):find "^refused: this address was not granted", host)
    end
  end)

  it("are not fetched where a public host leads to a private one", function()
    load_script()
    assert.are.equal("page /x", get(PUBLIC, ("/to?http://%s:%d/x"):format(PUBLIC, port)))
    for _, host in ipairs { PRIVATE, "127.0.0.1", "localhost" } do
      assert.truthy(get(PUBLIC, ("/to?http://%s:%d/x"):format(host, port)):find "^refused: ", host)
    end
  end)

  it("of private hosts are fetched where config.lua grants that", function()
    bob:stop()
    bob:configure(('plugins = { { path = %q, grant = { "http", "http:private" } } }'):format(bob.home .. "/reader.lua"))
    bob:start()
    cores.ask("it runs", function()
      local one = bob:call "scripts.list"[1]
      return one and one.state == "running"
    end)
    assert.are.equal("page /", get(PRIVATE))
    assert.are.equal("page /", get(PUBLIC))
  end)
end)
