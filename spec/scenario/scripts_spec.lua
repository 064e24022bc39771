-- SPDX-License-Identifier: GPL-3.0-or-later
-- Scripts in the care of real cores: each in a process of its own.
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"

local alice, bob, id, path

local HEAD = [[
local sotto = require "sotto"
local s = sotto.script { name = "echo", version = "1.0", api = 1, needs = { %s } }
]]

local function write(body, needs) system.write(path, HEAD:format(needs or '"messages"') .. body) end

local ECHO = [[
s:on("message.received", { match = "^ping (.*)" }, function(m, rest) m:reply("%s " .. rest) end)
]]

local function load_script(options)
  options = options or {}
  options.path, options.grant = path, options.grant ~= false
  return bob:call("scripts.load", options)
end

local function fails(name, pattern, method, params)
  local result, kind, message = bob:try(method, params)
  assert.is_nil(result)
  assert.are.equal(name, kind, message)
  assert.truthy(message:find(pattern), message)
end

local function answer_to(text)
  alice:call("messages.send", { discussion = id, text = text })
  return alice:event("message.received").text
end

describe("a script", function()
  setup(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
    path = cores.root() .. "/echo.lua"
  end)
  teardown(cores.clean)
  after_each(function() bob:try("scripts.unload", { name = "echo" }) end)

  it("is loaded with what it needs, and answers", function()
    write(ECHO:format "pong")
    local loaded = load_script()
    assert.are.equal("running", loaded.state)
    assert.are.same({ "messages" }, loaded.needs)
    assert.are.equal("pong 1", answer_to "ping 1")
  end)

  it("gets nothing of the core's environment", function()
    write(ECHO:format "pong")
    assert.are.equal("", (system.read_proc(load_script().pid, "environ"):gsub("TZ=[^%z]*%z", ""):gsub("%u+_OPTIONS=[^%z]*%z", "")))
  end)

  it("is not loaded without a grant, and the error names what it needs", function()
    write(ECHO:format "pong")
    fails("refused", "not granted: messages", "scripts.load", { path = path })
    assert.are.same({}, bob:call "scripts.list")
    cores.ask("no host is left", function() return #bob:children "sotto-host" == 0 end)
  end)

  it("is not loaded where its text does not parse or its main chunk fails, with file and line", function()
    write("x = = 1")
    fails("bad_input", "^echo.lua:3: ", "scripts.load", { path = path, grant = true })
    write("error 'oh no'")
    fails("bad_input", "^echo.lua:3: oh no", "scripts.load", { path = path, grant = true })
    system.write(path, "local x = 1")
    fails("bad_input", "has not called sotto.script", "scripts.load", { path = path, grant = true })
  end)

  it("is reloaded; where the new text fails, the old one keeps running", function()
    write(ECHO:format "pong")
    load_script()
    write(ECHO:format "PONG")
    bob:call("scripts.reload", { name = "echo" })
    assert.are.equal("PONG 2", answer_to "ping 2")
    write("x = = 1")
    fails("bad_input", "echo.lua:3", "scripts.reload", { name = "echo" })
    write("error 'oh no'")
    fails("bad_input", "oh no", "scripts.reload", { name = "echo" })
    assert.are.equal("PONG 3", answer_to "ping 3")
    write(ECHO:format "more", '"messages", "store"')
    fails("refused", "store", "scripts.reload", { name = "echo" })
    cores.ask("one host is left", function() return #bob:children "sotto-host" == 1 end)
  end)

  it("is told of an event once, also where it was reloaded twice or listens to more later", function()
    write('s:on("message.received", function(m)\n' ..
      '  if m.text == "more" then s:on("message.sent", function() end) end\n' ..
      '  s.store.count = (s.store.count or 0) + 1\n' ..
      'end)\n' ..
      's:command("count", {}, function() return s.store.count end)', '"messages", "store"')
    load_script()
    local function count() return tonumber(bob:call("scripts.command", { name = "echo", command = "count" }).reply) end
    local told = 0
    local function say(text)
      alice:call("messages.send", { discussion = id, text = text })
      told = told + 1
      cores.ask("it is told", function() return count() == told end)
    end
    for i = 1, 3 do
      say("before " .. i)
      bob:call("scripts.reload", { name = "echo" })
    end
    say "more"
    say "after"
    assert.are.equal(told, count())
    bob:call("scripts.reload", { name = "echo" })
    say "last"
    assert.are.equal(told, count())
  end)

  it("keeps what it has stored, and its place, across a reload and a restart of the core", function()
    write('s:command("add", {}, function(_, key) s.store.list = s.store.list or {}; s.store.list[key] = #key\n' ..
      'local n = 0; for _ in pairs(s.store.list) do n = n + 1 end; return n end)', '"store"')
    load_script()
    local function add(key) return bob:call("scripts.command", { name = "echo", command = "add", arguments = { key } }).reply end
    assert.are.equal("1", add "a")
    assert.are.equal("2", add "secret key of the list")
    bob:call("scripts.reload", { name = "echo" })
    assert.are.equal("3", add "b")
    bob:kill()
    bob:start()
    cores.ask("the script runs again", function() return bob:script "echo" and bob:script("echo").state == "running" end)
    assert.are.equal("4", add "c")
    for _, file in ipairs(system.files(bob.home .. "/data")) do
      local text = system.read(file)
      assert.is_nil(text and text:find("secret key of the list", 1, true), file)
    end
  end)

  it("waits for the user where its text has changed while the core was away", function()
    write(ECHO:format "pong")
    load_script()
    bob:stop()
    write(ECHO:format "other")
    bob:start()
    local found = cores.ask("it is known", function() return bob:script "echo" end)
    assert.are.equal("waiting", found.state)
    assert.truthy(found.reason:find "have changed")
    bob:call("scripts.reload", { name = "echo" })
    cores.state(alice, id, "open")
    assert.are.equal("other 4", answer_to "ping 4")
  end)

  it("that loops for ever is killed, and after five failures disabled; people go on talking", function()
    write('s:on("message.received", function() while true do end end)')
    bob:call("scripts.load", { path = path, grant = true })
    for i = 1, 3 do
      alice:call("messages.send", { discussion = id, text = "loop " .. i })
      bob:event("message.received")
    end
    -- it computes at nice 19: on a busy machine that takes its time
    local reason = cores.ask("it has failed", function()
      local found = bob:script "echo"
      return found.state ~= "running" and found.reason
    end, 120000)
    assert.truthy(reason:find "a handler ran for more than" or reason:find "no sign of life", reason)
    cores.talk(id, alice, bob)
  end)

  it("is gone after unload, with its process", function()
    write(ECHO:format "pong")
    local pid = load_script().pid
    bob:call("scripts.unload", { name = "echo" })
    assert.are.same({}, bob:call "scripts.list")
    cores.wait("its process is gone", function() return not sys.alive(pid) end)
  end)

  it("may do nothing that it was not granted", function()
    write([[
      local function try(f, ...) local ok, problem = pcall(f, ...); return ok and "yes" or tostring(problem) end
      s:command("try", {}, function()
        return table.concat({
          try(sotto.messages.send, { discussion = "x", text = "y" }), try(sotto.discussions.list),
          try(sotto.identity.lock), try(function() return s.store.x end), try(function() s:after("1s", print) end),
          try(function() s:on("message.received", print) end), tostring(io), tostring(os.execute), tostring(debug),
          tostring(package), try(load, "\27Lua"), try(require, "sotto.json"), tostring(getmetatable("")),
          try(coroutine.wrap(function() return sotto.system.info() end)),
        }, "\n")
      end)
    ]], "")
    load_script()
    local lines = {}
    local reply = bob:call("scripts.command", { name = "echo", command = "try" }).reply
    for line in reply:gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.truthy(lines[1]:find "needs the capability 'messages'")
    assert.truthy(lines[2]:find "needs the capability 'discussions'")
    assert.truthy(lines[3]:find "needs the capability 'identity'")
    assert.truthy(lines[4]:find "index a nil value")
    assert.truthy(lines[5]:find "capability 'timers'")
    assert.truthy(lines[6]:find "needs another capability")
    for i = 7, 10 do assert.are.equal("nil", lines[i]) end
    assert.truthy(lines[12]:find "no module 'sotto.json'")
    assert.are.equal("false", lines[13])
    assert.are.equal("yes", lines[14])
  end)
end)
