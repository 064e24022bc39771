-- SPDX-License-Identifier: GPL-3.0-or-later
-- What scripts reach of the world where a person has granted it: pages, files, programs.
local cores = require "support.cores"
local loop = require "sotto.loop"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"

local bob, path

-- a script with one command that runs its argument as Lua and gives what that returns, or its error
local TEXT = [[
local sotto = require "sotto"
local s = sotto.script { name = "worldly", version = "1.0", api = 1, needs = { %s } }
said = {}
s:command("run", {}, function(_, text)
  local ok, result = pcall(load("local sotto, s = ...; " .. text), sotto, s)
  if ok then return tostring(result) end
  return (result.name or "?") .. ": " .. tostring(result)
end)
]]

local function load_script(...)
  local needs = {}
  for i, need in ipairs { ... } do needs[i] = ("%q"):format(need) end
  system.write(path, TEXT:format(table.concat(needs, ", ")))
  bob:call("scripts.load", { path = path, grant = true })
end

local function run(text, ...)
  local id = bob.control:request("scripts.command", {
    name = "worldly", command = "run", arguments = { text:format(...) },
  })
  local answer = bob.control:answer(id, text, 60000)
  return answer.result and answer.result.reply or answer.error.message
end

local function server(address)
  local port
  local process = assert(loop.spawn {
    program = "python3", "spec/support/web.py", address, stdin = "pipe", stdout = "pipe",
    on_stdout = function(line)
      port = tonumber(line)
      waiting.wake()
    end,
  })
  waiting.wait("a web server", function() return port end)
  return ("http://%s:%d"):format(address, port), function() process.stdin:close() end, port
end

describe("a script", function()
  setup(function()
    bob = cores.person("bob", { config = "scripts = { http_bytes = 65536 }" })
    path = cores.root() .. "/worldly.lua"
  end)
  teardown(cores.clean)
  after_each(function()
    bob:try("scripts.unload", { name = "worldly" })
    for _, program in ipairs { "sotto-http", "sotto-host" } do
      cores.wait("no " .. program, function() return #bob:children(program) == 0 end)
    end
  end)

  describe("with http", function()
    local url, stop, port

    setup(function() url, stop, port = server "127.0.0.1" end)
    teardown(function() stop() end)

    it("fetches pages, with what it says of them", function()
      load_script("http", "http:private")
      assert.are.equal("page /a", run("return sotto.http.get('%s/a').body", url))
      assert.are.equal("404 nothing here", run("local p = sotto.http.get('%s/none'); return p.status .. ' ' .. p.body", url))
      assert.are.equal("201 posted ü=1", run("local p = sotto.http.post('%s/', 'ü=1'); return p.status .. ' ' .. p.body", url))
      local said = run("local p = sotto.http.get('%s/headers', { headers = { ['X-One'] = '1' } }); " ..
        "return p.headers['x-two'] .. p.body", url)
      assert.truthy(said:find "^2" and said:find "X%-One: 1" and said:find "User%-Agent: sotto/", said)
      assert.are.equal(url .. "/end", run("return sotto.http.get('%s/to?%s/end').url", url, url))
      assert.are.equal("256 255", run("local b = sotto.http.get('%s/octets').body; return #b .. ' ' .. b:byte(256)", url))
      assert.are.equal("page /8", run([[
        local list = {}
        for i = 1, 8 do list[i] = coroutine.wrap(function() return sotto.http.get('%s/' .. i).body end) end
        local last
        for i = 1, 8 do last = list[i]() end
        return last
      ]], url))
    end)

    it("gets an error for what does not come, is too large, or is none", function()
      load_script("http", "http:private")
      assert.truthy(run("return sotto.http.get('%s/late', { timeout = '500ms' })", url):find "^timeout: ")
      assert.truthy(run("return sotto.http.get('%s/large')", url):find "^too_large: ")
      assert.truthy(run("return sotto.http.get('%s/loop')", url):find "^io: the server leads on")
      assert.truthy(run "return sotto.http.get('http://127.0.0.1:1/')":find "^io: ")
      for _, wrong in ipairs { "file:///etc/passwd", "gopher://x/", "", "http://", "http://a b/", "//x" } do
        assert.truthy(run("return sotto.http.get('%s')", wrong):find "^%l+[_%l]*: ", wrong)
      end
      assert.truthy(run("return sotto.http.request { url = '%s', headers = { a = 'b\\r\\nc: d' } }", url):find "^bad_params: ")
      assert.truthy(run("return sotto.http.request { url = '%s', method = 'TRACE' }", url):find "^bad_params: ")
    end)

    it("reaches nothing on this machine, whatever it is called and wherever it is led from", function()
      load_script "http"
      local names = { "127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "0", "[::ffff:127.0.0.1]", "127.1", "[::]" }
      for _, interface in ipairs(sys.interfaces()) do
        names[#names + 1] = interface.address:match "^(%d+%.%d+%.%d+%.%d+):"
      end
      for _, name in ipairs(names) do
        local said = run("return sotto.http.get('http://%s:%d/').body", name, port)
        assert.truthy(said:find "^refused: this address was not granted", name .. ": " .. said)
      end
    end)

    it("reaches the hosts that were granted, and is not led elsewhere", function()
      load_script("http:127.0.0.1:" .. port)
      assert.are.equal("page /a", run("return sotto.http.get('%s/a').body", url))
      assert.truthy(run("return sotto.http.get('http://localhost:%d/').body", port):find "^refused: this host")
      assert.truthy(run("return sotto.http.get('%s/to?http://localhost:%d/').body", url, port):find "^refused: this host")
      assert.truthy(run("return sotto.http.get('%s/to?file:///etc/passwd').body", url):find "^%l+: ")
    end)

    it("ends with its pages", function()
      load_script("http", "http:private")
      bob.control:request("scripts.command", {
        name = "worldly", command = "run", arguments = { ("return sotto.http.get('%s/late')"):format(url) },
      })
      cores.wait("a fetch", function() return #bob:children "sotto-http" > 0 end)
      bob:call("scripts.unload", { name = "worldly" })
      cores.wait("its end", function() return #bob:children "sotto-http" == 0 end)
    end)
  end)

  it("with files reads and writes those, and no others", function()
    local folder = cores.root() .. "/given"
    assert(sys.make_private_directory(folder))
    load_script("files:" .. folder)
    assert.are.equal("true", run "return sotto.files.write('a.md', 'Grüße\\n')")
    assert.are.equal("true", run("return sotto.files.append('%s/a.md', 'more')", folder))
    assert.are.equal("Grüße\nmore", system.read(folder .. "/a.md"))
    assert.are.equal("Grüße\nmore", run "return sotto.files.read 'a.md'")
    system.write(folder .. "/large", ("ü\255"):rep(200000))
    assert.are.equal("600000", run "return #sotto.files.read 'large'")
    assert.are.equal("a.md large ", run "local t = ''; for _, e in ipairs(sotto.files.list()) do t = t .. e.name .. ' ' end; return t")
    assert.are.equal("true", run "return sotto.files.remove 'large'")
    assert.truthy(run "return sotto.files.read 'large'":find "^not_found: ")
    assert.truthy(run("return sotto.files.read '%s/config.lua'", bob.home):find "^refused: ")
    assert.truthy(run("return sotto.files.read '../bob/config.lua'"):find "^refused: ")
  end)

  it("with command runs that program, in lines, and no other", function()
    load_script("command:sh", "command:cat")
    assert.are.equal("0 out err", run [[
      local r = sotto.command.run { "sh", "-c", "read a; echo $a; echo err >&2", input = "out" }
      return r.status .. " " .. r.output .. " " .. r.errors]])
    assert.are.equal("SIGKILL", run "return sotto.command.run { 'sh', '-c', 'kill -9 $$' }.signal")
    assert.truthy(run "return sotto.command.run { 'sh', '-c', 'sleep 60', timeout = '300ms' }":find "^timeout: ")
    assert.are.equal("199999", run "return #sotto.command.run { 'sh', '-c', 'yes | head -c 200000' }.output")
    assert.truthy(run "return sotto.command.run { 'sh', '-c', 'yes' }":find "^too_large: ")
    assert.truthy(run "return sotto.command.run { 'ls' }":find "^refused: the program 'ls' was not granted")
    assert.truthy(run "return sotto.command.run { '/bin/sh' }":find "^refused: ")
    assert.are.equal("started", run [[
      cat = sotto.command.start { "cat", line = function(text) said[#said + 1] = text end,
        exit = function(status) said[#said + 1] = "exit " .. tostring(status) end }
      cat:send "one"; cat:send "zwei ü"; cat:finish()
      return "started"]])
    assert.are.equal("one,zwei ü,exit 0", cores.ask("all of it", function()
      local said = run "return table.concat(said, ',')"
      return said:find "exit" and said
    end))
    assert.truthy(run "cat:send 'x'":find "^wrong_state: ")
  end)

  it("ends with its programs, also those that print for ever; people are not kept waiting", function()
    load_script("command:yes")
    run "yes = sotto.command.start { 'yes', line = function() end }"
    for _ = 1, 20 do bob:call "system.info" end
    assert.are.equal(1, #bob:children "yes")
    bob:call("scripts.unload", { name = "worldly" })
    cores.wait("its end", function() return #bob:children "yes" == 0 end)
  end)

  it("without a grant has none of it", function()
    load_script "messages"
    assert.truthy(run "return sotto.http.get 'http://example.org'":find "^refused: this needs the capability 'http'")
    assert.truthy(run "return sotto.files.read '/etc/passwd'":find "^refused: this needs the capability 'files:PATH'")
    assert.truthy(run "return sotto.command.run { 'ls' }":find "^refused: this needs the capability 'command:PROGRAM'")
  end)
end)
