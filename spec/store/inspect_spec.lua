-- SPDX-License-Identifier: GPL-3.0-or-later
local fixture = require "store.fixture"
local sys = require "sotto.sys"
local tools = require "support.store_tools"

describe("inspecting a store", function()
  local f

  before_each(function() f = fixture.new() end)
  after_each(function() f.done() end)

  local function fill(count)
    assert(f.s:begin())
    for i = 1, count do assert(f.s:setting_put("key " .. i, fixture.bytes(500, i))) end
    assert(f.s:commit())
  end

  local function overwrite(place, bytes)
    local file = assert(io.open(f.path, "r+b"))
    file:seek("set", place)
    file:write(bytes)
    file:close()
  end

  local function read()
    local file = assert(io.open(f.path, "rb"))
    local bytes = file:read "a"
    file:close()
    return bytes
  end

  local function names() return table.concat(sys.list(f.directory .. "/data"), " ") end

  it("finds a whole one whole, and leaves no trace", function()
    fill(200)
    f.close()
    local before, beside = read(), names()
    assert.is_true(tools.inspect(f.path))
    assert.are.equal(before, read())
    assert.are.equal(beside, names())
  end)

  it("looks at one that a core works with, whose locks stay", function()
    fill(200)
    assert.is_true(tools.inspect(f.path))
    assert.are.equal("busy", select(2, f.open()))
    fill(300)
  end)

  it("finds damage, and says where", function()
    fill(200)
    f.close()
    overwrite(4096 * 25, fixture.bytes(4096 * 3))
    local _, code, text = tools.inspect(f.path)
    assert.are.equal("io", code)
    assert.truthy(text:find("[Pp]age"), text)
  end)

  it("finds one that was cut off", function()
    fill(200)
    f.close()
    local half = read():sub(1, 4096 * 20)
    local file = assert(io.open(f.path, "wb"))
    file:write(half)
    file:close()
    assert.are.equal("io", select(2, tools.inspect(f.path)))
  end)

  it("knows what is no store", function()
    f.close()
    overwrite(0, ("not a store "):rep(400))
    assert.are.equal("bad_input", select(2, tools.inspect(f.path)))
    os.remove(f.path)
    assert.are.equal("not_found", select(2, tools.inspect(f.path)))
    tools.sql(f.path, "CREATE TABLE something_else (a)")
    tools.sql(f.path, "PRAGMA user_version = 1")
    assert.are.equal("bad_input", select(2, tools.inspect(f.path)))
  end)

  it("knows a newer one", function()
    f.close()
    tools.sql(f.path, "PRAGMA user_version = 99")
    local _, code, text = tools.inspect(f.path)
    assert.are.equal("unsupported", code)
    assert.truthy(text:find("schema 99", 1, true))
  end)

  it("takes an empty one, which the core has only just made", function()
    f.close()
    local file = assert(io.open(f.path, "wb"))
    file:close()
    assert.is_true(tools.inspect(f.path))
  end)

  it("takes a path with anything in it", function()
    fill(20)
    f.close()
    local odd = f.directory .. "/a b%41?immutable=0#ä"
    assert(os.rename(f.directory .. "/data", odd))
    finally(function() assert(os.rename(odd, f.directory .. "/data")) end)
    assert.is_true(tools.inspect(odd .. "/" .. f.path:match "[^/]*$"))
  end)
end)
