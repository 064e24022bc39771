-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ways out of a script's process, and into what it was not given: each is tried, and none leads anywhere.
local cores = require "support.cores"
local system = require "support.system"

local alice, bob, carol, with_alice, with_carol

local function load_script(name, needs, body, options)
  local path = ("%s/%s.lua"):format(cores.root(), name)
  system.write(path, ([[
local sotto = require "sotto"
local s = sotto.script { name = %q, version = "1.0", api = 1, needs = { %s } }
]]):format(name, needs) .. body)
  options = options or {}
  options.path, options.grant = path, true
  return bob:call("scripts.load", options)
end

local function run(name, command, ...)
  return bob:call("scripts.command", { name = name, command = command, arguments = select("#", ...) > 0 and { ... } or nil }).reply
end

-- each is a chunk that returns true where it has got out
local ESCAPES = {
  ["the string metatable"] = 'local m = getmetatable(""); return type(m) == "table"',
  ["another string metatable"] = 'return pcall(setmetatable, "", {}) and true',
  ["the methods of strings"] = '("").x = 1; return true',
  ["bytecode in a text"] = 'return load("\\27Lua") ~= nil',
  ["bytecode in pieces"] = 'local parts = { "\\27", "Lua", "S" }; local i = 0; ' ..
    'return load(function() i = i + 1; return parts[i] end) ~= nil',
  ["bytecode by mode"] = 'return load("return 1", "x", "b") ~= nil or load("\\27Lua", "x", "bt") ~= nil',
  ["dumped bytecode"] = 'return string.dump ~= nil or ("").dump ~= nil',
  ["loadfile and dofile"] = "return loadfile ~= nil or dofile ~= nil or loadstring ~= nil",
  ["the debug library"] = 'return debug ~= nil or pcall(require, "debug")',
  ["the package table"] = 'return package ~= nil or pcall(require, "package")',
  ["io and os"] = 'return io ~= nil or os.execute ~= nil or os.exit ~= nil or os.getenv ~= nil or os.remove ~= nil',
  ["files by require"] = [[
    for _, n in ipairs { "sotto.sys", "sotto.loop", "sotto.confine", "sotto.script.host", "../x", "/etc/passwd" } do
      if pcall(require, n) then return true end
    end]],
  ["the outer environment"] = "return _G.debug ~= nil or _ENV.package ~= nil or _G._G ~= _G",
  ["an environment of its own"] = [[
    local f = load("return package or debug or io", "x", "t", setmetatable({}, { __index = _G }))
    return f() ~= nil]],
  ["a global of the host"] = 'local found = load("return arg, package, io")(); return type(found) == "table" and found.host ~= nil',
  ["the collector's settings"] = [[
    return pcall(collectgarbage, "stop") or pcall(collectgarbage, "setpause", 1000) or pcall(collectgarbage, "generational")]],
  ["a metatable of the module"] = "local m = getmetatable(sotto); return m ~= nil and type(m.__index) ~= 'function'",
  ["finalisers in another state"] = [[
    local out
    setmetatable({}, { __gc = function() out = debug or package or io end })
    collectgarbage()
    return out ~= nil]],
  ["coroutines outside of the sandbox"] = 'local out; coroutine.wrap(function() out = debug or package or io end)(); return out ~= nil',
  ["the upvalues of a wait"] = 'return coroutine.running ~= nil and select(2, pcall(coroutine.close, (coroutine.running()))) == true',
  ["another's yield"] = 'local t = coroutine.create(function() return sotto.system.info() end); coroutine.resume(t); return false',
  ["internal calls"] = [[
    for _, name in ipairs { "scripts.rows", "scripts.values", "scripts.put_row", "scripts.load", "events.subscribe" } do
      local noun, verb = name:match "(.*)%.(.*)"
      if pcall(function() return sotto[noun][verb] {} end) then return true end
    end]],
  ["more than was declared"] = 'return pcall(sotto.script, { name = "other", version = "1", api = 1, needs = { "identity" } })',
}

describe("a script", function()
  setup(function()
    alice, bob = cores.pair()
    carol = cores.person "carol"
    cores.meet(carol, bob)
    with_alice, with_carol = cores.open_between(alice, bob), cores.open_between(carol, bob)
  end)
  teardown(cores.clean)
  after_each(function()
    for _, one in ipairs(bob:call("scripts.list", { health = false })) do bob:call("scripts.unload", { name = one.name }) end
  end)

  it("does not get out", function()
    load_script("out", '"store"', [[
      s:command("try", {}, function(_, text)
        local chunk = assert(load("local sotto, s = ...; " .. text))
        local ok, out = pcall(chunk, sotto, s)
        return ok and out == true and "out" or "in"
      end)]])
    for name, text in pairs(ESCAPES) do assert.are.equal("in", run("out", "try", text), name) end
  end)

  it("does not see what another has stored", function()
    load_script("one", '"store"', 's:command("put", {}, function() s.store.secret = "of one"; return "put" end)')
    load_script("two", '"store"', [[
      s:command("look", {}, function()
        local found = {}
        for key, value in pairs(s.store) do found[#found + 1] = key .. "=" .. tostring(value) end
        return table.concat(found, ",")
      end)]])
    assert.are.equal("put", run("one", "put"))
    assert.are.equal("", run("two", "look"))
    -- nor by taking the other's name while it is there
    local path = cores.root() .. "/thief.lua"
    system.write(path, 'require("sotto").script { name = "one", version = "1.0", api = 1, needs = { "store" } }')
    local _, message = bob:fails("scripts.load", { path = path, grant = true })
    assert.truthy(message:find "there is a script 'one' already")
  end)

  it("sees no discussion but those it was given", function()
    load_script("narrow", '"messages", "discussions"', [[
      local heard = {}
      s:on("message.received", function(m) heard[#heard + 1] = m.text end)
      s:command("heard", {}, function() return table.concat(heard, ",") end)
      s:command("try", {}, function(_, id)
        local out = {}
        for i, f in ipairs {
          function() return sotto.messages.list { discussion = id } end,
          function() return sotto.messages.send { discussion = id, text = "x" } end,
          function() return sotto.messages.search { query = "secret" } end,
          function() return sotto.discussions.show { discussion = id } end,
          function() return sotto.discussions.list() end,
          function() return sotto.discussions.close { discussion = id } end,
        } do out[i] = pcall(f) and "yes" or "no" end
        return table.concat(out, " ")
      end)]], { discussions = { with_alice } })
    local secret = carol:send(with_carol, "a secret")
    bob:event("message.received", { id = secret.id })
    local word = alice:send(with_alice, "a word")
    bob:event("message.received", { id = word.id })
    cores.ask("it has heard alice", function() return run("narrow", "heard") ~= "" end)
    assert.are.equal("a word", run("narrow", "heard"))
    assert.are.equal("no no no no no no", run("narrow", "try", with_carol))
    -- nor by a beginning of its id, or a name
    assert.are.equal("no no no no no no", run("narrow", "try", with_carol:sub(1, 8)))
    assert.are.equal("no no no no no no", run("narrow", "try", "carol"))
    assert.are.equal("open", bob:discussion(with_carol).state)
    assert.are.equal("yes", run("narrow", "try", with_alice):sub(1, 3))
  end)
end)
