-- SPDX-License-Identifier: GPL-3.0-or-later
local configured = require "sotto.core.scripts.configured"
local source = require "sotto.core.scripts.source"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"

describe("a script's source", function()
  local folder

  before_each(function() folder = assert(sys.make_temporary_directory "/tmp/sotto-spec-") end)
  after_each(function() sys.remove_tree(folder) end)

  local function write(name, text)
    assert(sys.make_private_directory((folder .. "/" .. name):match("^(.*)/")))
    system.write(folder .. "/" .. name, text)
  end

  it("is a file, or a folder with main.lua or init.lua and whatever Lua is below it", function()
    write("one.lua", "#!/usr/bin/env sotto\nreturn 1")
    local one = assert(source.read(folder .. "/one.lua"))
    assert.are.equal("one.lua", one.main)
    assert.are.same({ { path = "one.lua", text = "\nreturn 1" } }, one.files)
    write("bot/init.lua", "return 1")
    write("bot/parts/a.lua", "return 2")
    write("bot/README", "no Lua")
    write("bot/.hidden.lua", "x = =")
    local bot = assert(source.read(folder .. "/bot"))
    assert.are.equal("init.lua", bot.main)
    assert.are.equal(2, #bot.files)
    assert.are.equal("parts/a.lua", bot.files[2].path)
    write("bot/parts/a.lua", "return 3")
    assert.are_not.equal(bot.hash, source.read(folder .. "/bot").hash)
  end)

  it("shows that it has changed without being read, once the change is not of this moment", function()
    write("bot/init.lua", "return 1")
    local stamp = waiting.wait("a stamp", function() return source.stamp(folder .. "/bot") end)
    assert.are.equal(stamp, source.stamp(folder .. "/bot"))
    -- as long as before, and as old as whoever put it there likes
    write("bot/new.lua", "return 2")
    assert(os.execute(("touch -d '2 days ago' %s/bot/new.lua"):format(folder)))
    assert(os.rename(folder .. "/bot/new.lua", folder .. "/bot/init.lua"))
    assert.are_not.equal(stamp, source.stamp(folder .. "/bot"))
    assert.is_nil(source.stamp(folder .. "/nowhere"))
  end)

  it("is refused where it is none, does not parse, or is bytecode", function()
    assert(sys.make_private_directory(folder .. "/empty"))
    for path, pattern in pairs { none = "none", empty = "neither main.lua nor init.lua" } do
      local read, message = source.read(folder .. "/" .. path)
      assert.is_nil(read)
      assert.truthy(message:find(pattern), message)
    end
    write("bad.lua", "x = =")
    assert.truthy(select(2, source.read(folder .. "/bad.lua")):find "bad.lua:1:")
    write("byte.lua", string.dump(function() end))
    assert.truthy(select(2, source.read(folder .. "/byte.lua")):find "bytecode")
    write("long.lua", ("-"):rep(source.FILE_MAX + 1))
    assert.are.equal("too_large", select(3, source.read(folder .. "/long.lua")))
  end)

  it("is found by a path or by a name, once, and what the folder has beside it", function()
    write("plugins/a.lua", "")
    write("plugins/b/init.lua", "")
    write("plugins/note.txt", "")
    local list = configured.list({
      { path = "a", grant = { "messages" } }, { path = folder .. "/plugins/a.lua" }, { path = "nowhere" },
    }, folder .. "/plugins")
    assert.are.equal(3, #list)
    assert.are.equal(folder .. "/plugins/a.lua", list[1].path)
    assert.are.same({ "messages" }, list[1].grant)
    assert.truthy(list[2].problem:find "no script 'nowhere'")
    assert.are.equal(folder .. "/plugins/b", list[3].path)
    assert.are.same({}, list[3].grant)
  end)
end)
