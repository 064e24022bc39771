-- SPDX-License-Identifier: GPL-3.0-or-later
local handlers = require "sotto.script.handlers"

local function names(list, object)
  local out = {}
  for i, wanting in ipairs(list:wanting(object)) do out[i] = wanting.f() end
  return table.concat(out, " ")
end

local function named(name) return function() return name end end

describe("a script's handlers", function()
  local list

  before_each(function() list = handlers.new() end)

  it("come in the order of their priorities, and of their coming", function()
    list:add({}, named "a")
    list:add({ priority = 5 }, named "b")
    list:add({ priority = -1 }, named "c")
    list:add({}, named "d")
    assert.are.equal("b a d c", names(list, {}))
  end)

  it("are wanted by discussion, sender and text", function()
    list:add({ discussion = "abcd" }, named "here")
    list:add({ from = "F1" }, named "from")
    list:add({ match = "^ping" }, named "ping")
    assert.are.equal("here from ping", names(list, { discussion = "abcdef", sender = "F1", text = "ping" }))
    assert.are.equal("", names(list, { discussion = "ffff", sender = "F2", text = "a ping" }))
    assert.are.equal("from", names(list, { fingerprint = "F1" }))
  end)

  it("get the captures of what they match", function()
    list:add({ match = "^(%a+) (%d+)$" }, function() end)
    local found = list:wanting { text = "roll 20" }
    assert.are.equal("roll", found[1].captures[1])
    assert.are.equal("20", found[1].captures[2])
  end)

  it("go by themselves", function()
    local handle = list:add({}, named "a")
    list:add({}, named "b")
    handle.stop()
    handle.stop()
    assert.are.equal("b", names(list, {}))
  end)

  it("are refused with options that there are not, or of another type", function()
    for _, filter in ipairs { { nope = 1 }, { priority = "high" }, { match = "(" }, { match = "%" }, { from = 1 } } do
      assert.is_false(pcall(list.add, list, filter, function() end))
    end
    assert.are.equal("", names(list, {}))
  end)
end)
