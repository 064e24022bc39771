-- SPDX-License-Identifier: GPL-3.0-or-later
local paths = require "sotto.core.paths"
local sys = require "sotto.sys"

local function environment(values)
  return function(name) return values[name] end
end

describe("paths", function()
  it("put everything below --home", function()
    local p = assert(paths.find("/x/y"))
    assert.are.same({
      home = "/x/y", config = "/x/y/config.lua", chat = "/x/y/chat.lua", data = "/x/y/data",
      state = "/x/y/state", run = "/x/y/run",
      socket = "/x/y/run/control.sock", log = "/x/y/data/log", lock = "/x/y/data/lock",
    }, p)
  end)

  it("make a relative home absolute", function()
    assert.are.equal(sys.cwd() .. "/rel", paths.find("rel").home)
  end)

  it("follow the XDG base directories without it", function()
    local p = assert(paths.find(nil, environment {
      HOME = "/home/u", XDG_CONFIG_HOME = "/c", XDG_DATA_HOME = "/d", XDG_RUNTIME_DIR = "/r",
    }))
    assert.is_nil(p.home)
    assert.are.equal("/c/sotto/config.lua", p.config)
    assert.are.equal("/d/sotto", p.data)
    assert.are.equal("/r/sotto/control.sock", p.socket)
    assert.are.equal("/home/u/.local/state/sotto", p.state)
    assert.are.equal("/s/sotto", paths.find(nil, environment { HOME = "/home/u", XDG_STATE_HOME = "/s" }).state)
  end)

  it("fall back as the specification says, relative values being ignored", function()
    local p = assert(paths.find(nil, environment { HOME = "/home/u", XDG_CONFIG_HOME = "c", XDG_RUNTIME_DIR = "" }))
    assert.are.equal("/home/u/.config/sotto/config.lua", p.config)
    assert.are.equal("/home/u/.local/share/sotto", p.data)
    assert.are.equal("/home/u/.local/share/sotto/run/control.sock", p.socket)
  end)

  it("leave the mode of a home that is there, and make the rest private", function()
    local directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
    finally(function() sys.remove_tree(directory) end)
    os.execute("chmod 755 " .. directory)
    local p = assert(paths.find(directory))
    assert.is_true(paths.prepare(p))
    assert.are.equal(tonumber("755", 8), sys.stat(directory).mode)
    assert.are.equal(tonumber("700", 8), sys.stat(p.data).mode)
    assert.are.equal(tonumber("700", 8), sys.stat(p.run).mode)
  end)
end)
