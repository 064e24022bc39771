-- SPDX-License-Identifier: GPL-3.0-or-later
local api = require "sotto.core.api"
local help = require "sotto.client.help"

describe("sotto's help", function()
  it("is made from the table: every noun, verb and parameter stands in it", function()
    local overview = help.overview()
    for _, noun in ipairs(api.nouns) do
      assert.truthy(overview:find(noun.name, 1, true))
      if noun.name ~= "events" then
        local text = help.noun(noun.name)
        assert.truthy(text:find(noun.text, 1, true))
        for _, method in ipairs(noun.methods) do
          assert.truthy(overview:find(method.verb, 1, true))
          assert.truthy(text:find(method.text, 1, true))
          for _, param in ipairs(method.params) do assert.truthy(text:find("--" .. param.name, 1, true)) end
        end
      end
    end
  end)

  it("lists the types of events", function()
    local text = help.noun "events"
    for _, event in ipairs(api.events) do assert.truthy(text:find(event.type, 1, true)) end
  end)

  it("tells how secrets are given", function()
    assert.truthy(help.noun("discussions"):find("%-%-password [^\n]*asked, or '%-'"))
  end)

  it("knows only nouns", function()
    assert.is_nil(help.noun "nope")
    assert.is_true(help.is_noun "peers")
    assert.is_false(help.is_noun "peer")
  end)
end)
