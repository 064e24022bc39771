-- SPDX-License-Identifier: GPL-3.0-or-later
-- What editors are told of the module `sotto` is what the table says.
local api = require "sotto.core.api"
local system = require "support.system"

describe("lua/sotto/meta/api.lua", function()
  it("is as docs/meta.lua writes it: lua5.4 docs/meta.lua >lua/sotto/meta/api.lua", function()
    local build = os.getenv "SOTTO_SPEC_BUILD" or "build"
    local made, status = system.shell(("BUILD=%s lua5.4 docs/meta.lua"):format(build))
    assert.are.equal(0, status, made)
    assert.are.equal(made, system.read "lua/sotto/meta/api.lua")
  end)

  it("is Lua, as sotto.lua beside it, and names every method that a script may call, with the API version that brought it", function()
    local text = assert(system.read "lua/sotto/meta/api.lua")
    assert(load(text))
    assert(loadfile "lua/sotto/meta/sotto.lua")
    for name, method in pairs(api.methods) do
      if method.noun ~= "scripts" and method.noun ~= "events" then
        assert.truthy(text:find(("function sotto.%s(params) end"):format(name), 1, true), name)
        assert.truthy(text:find(("%s Since %d;"):format(method.text, method.since), 1, true), name)
      end
    end
    for _, event in ipairs(api.events) do assert.truthy(text:find(('"%s"'):format(event.type), 1, true), event.type) end
  end)
end)
