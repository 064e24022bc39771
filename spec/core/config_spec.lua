-- SPDX-License-Identifier: GPL-3.0-or-later
local config = require "sotto.core.config"
local sys = require "sotto.sys"

describe("config", function()
  local schema = config.schema {
    { name = "resume_window", standard = 86400, least = 0, most = 100000, text = "seconds" },
    { name = "probe_timeout", standard = 5000, least = 500, most = 60000, text = "milliseconds" },
  }

  local function parse(text) return config.parse(text, "config.lua", schema) end

  local function refused(text, ...)
    local value, message = parse(text)
    assert.is_nil(value)
    for _, part in ipairs { ... } do
      assert.truthy(message:find(part, 1, true), ("%q should hold %q"):format(message, part))
    end
    return message
  end

  it("has standards for all it does not say", function()
    local value = assert(parse "")
    -- the engine's own choice
    assert.is_nil(value.listen)
    assert.is_nil(value.discover)
    assert.are.same({ resume_window = 86400, probe_timeout = 5000 }, value.limits)
  end)

  it("takes what is assigned", function()
    local value = assert(parse [[
      -- where to listen
      listen = "[::1]:0"
      discover = "192.168.1.255:4788"
      log_level = "debug"
      limits = { resume_window = 60 * 60 }
    ]])
    assert.are.equal("[::1]:0", value.listen)
    assert.are.equal("192.168.1.255:4788", value.discover)
    assert.are.equal("debug", value.log_level)
    assert.are.same({ resume_window = 3600, probe_timeout = 5000 }, value.limits)
  end)

  it("names line and key of what is wrong", function()
    refused("\n\nlisten = 5", "config.lua:3:", "'listen'", "ADDR:PORT")
    refused("listen = '1.2.3.4:70000'", "config.lua:1:", "'listen'")
    refused("\nlog_level = 'loud'", "config.lua:2:", "'log_level'", "error, warn, info, debug")
    refused("listen = '1.2.3.4:1'\nlimits = {\n resume_window = -1 }", "config.lua:3:", "'limits.resume_window'",
      "0 to 100000")
    refused("limits = { nope = 1 }", "config.lua:1:", "'limits.nope'")
    refused("limits = { 1 }", "config.lua:1:", "'limits.1'")
    refused("limits = 5", "config.lua:1:", "'limits'", "table")
    refused("limits = { resume_window = 1.5 }", "integer")
    refused("limits = { resume_window = '1' }", "integer")
    refused("\nnope = 1", "config.lua:2:", "'nope'")
    refused("listen = \n = 5", "config.lua:2:")
    refused("discover = 'on'", "'discover'", "off")
  end)

  it("takes a list of scripts: paths, or tables", function()
    assert.are.same({}, parse("").plugins)
    local list = parse([[plugins = { "echo", { path = "/x.lua", grant = { "messages" }, arguments = { "a" }, watch = true },
      { path = "y", grant = true } }]]).plugins
    assert.are.same({ path = "echo", watch = false }, list[1])
    assert.are.same({ path = "/x.lua", grant = { "messages" }, arguments = { "a" }, watch = true }, list[2])
    assert.is_true(list[3].grant)
    refused("\nplugins = 'echo'", "config.lua:2:", "'plugins'", "list")
    refused("plugins = { echo = true }", "'plugins'", "list")
    refused("plugins = { 5 }", "'plugins[1]'", "a text or a table")
    refused("plugins = { {} }", "'plugins[1].path' is missing")
    refused("plugins = { { path = 'x', grant = 'messages' } }", "'plugins[1].grant'", "or true")
    refused("plugins = { { path = 'x', grants = {} } }", "no key 'plugins[1].grants'")
    refused("plugins = { 'x', { path = '' } }", "'plugins[2].path'", "1 to 4095")
  end)

  it("lets a later line win, and names that one", function()
    assert.are.equal("1.2.3.4:1", parse("listen = 5\nlisten = '1.2.3.4:1'").listen)
    refused("listen = '1.2.3.4:1'\nlisten = 5", "config.lua:2:")
  end)

  it("has nothing in reach", function()
    for _, name in ipairs {
      "os", "io", "require", "load", "string", "setmetatable", "getmetatable", "print", "_G", "debug", "coroutine",
      "rawset", "pcall", "error", "collectgarbage",
    } do
      refused(name .. ".x = 1", "config.lua:1:")
      refused(name .. "()", "config.lua:1:")
    end
    refused("x = ('x'):rep(5)", "config.lua:1:")
    refused("x = ('x').rep", "config.lua:1:")
    -- and the methods of strings are back afterwards, for us
    assert.are.equal("xx", ("x"):rep(2))
  end)

  it("is text, not bytecode", function()
    refused(string.dump(function() end), "binary")
  end)

  it("ends what runs for too long, or grows too large", function()
    refused("while true do end", "config.lua:1:", "too long")
    refused("local function f() return f() end f()", "too long")
    refused("local t = {}\nfor i = 1, 1e9 do t[i] = i end", "config.lua:2:")
    local before = collectgarbage("count")
    refused("local s = 'x'\nwhile true do s = s .. s end", "too much memory")
    collectgarbage()
    assert.is_true(collectgarbage("count") - before < 64 << 10)
    refused("local function f() f() f() end f()", "config.lua:1:")
  end)

  it("survives a file that raises odd things", function()
    refused("local t = {} t.x.y = 1", "config.lua:1:")
    refused("local t <close> = 5", "config.lua:1:")
    assert.is_nil((parse("return 1, 2, nope.x")))
  end)

  it("holds the environment shut", function()
    -- a nil index would raise in our own table, a function as a value fails the schema
    refused("listen = function() end", "'listen'")
    refused("limits = { resume_window = function() end }", "integer")
  end)

  it("reads a file, and a missing one only if it need not be there", function()
    local directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
    finally(function() sys.remove_tree(directory) end)
    local path = directory .. "/config.lua"
    assert.are.equal("info", config.load(path, schema, false).log_level)
    assert.is_nil(config.load(path, schema, true))
    assert(sys.write_file(path, "listen = '127.0.0.1:0'"))
    assert.are.equal("127.0.0.1:0", config.load(path, schema, true).listen)
    assert(sys.write_file(path, "--" .. ("x"):rep(config.FILE_MAX)))
    assert.is_nil(config.load(path, schema, false))
    assert.is_nil(config.load(directory, schema, false))
  end)
end)
