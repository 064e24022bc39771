-- SPDX-License-Identifier: GPL-3.0-or-later
local keymap = require "sotto.client.keymap"
local keys = require "sotto.client.keys"

describe("keys", function()
  it("are what terminals send", function()
    for name, sequences in pairs {
      ["Alt-a"] = { "\27a" }, ["Alt-A"] = { "\27A" }, ["Alt-1"] = { "\0271" }, ["Ctrl-g"] = { "\7" }, ["Ctrl-G"] = { "\7" },
      ["Ctrl-Alt-x"] = { "\27\24" }, ["Alt-Ctrl-x"] = { "\27\24" }, ["Alt-Enter"] = { "\27\r" }, ["F5"] = { "\27[15~" },
      ["F1"] = { "\27OP", "\27[11~" }, ["Shift-F5"] = { "\27[15;2~" }, ["Alt-Left"] = { "\27[1;3D" }, ["Up"] = { "\27[A", "\27OA" },
      ["Ctrl-PageUp"] = { "\27[5;5~" }, ["Alt-ż"] = { "\27ż" }, ["Alt--"] = { "\27-" },
      ["Ctrl-_"] = { "\31" }, ["Ctrl-F1"] = { "\27[1;5P" },
    } do
      assert.are.same(sequences, keys.sequences(name), name)
    end
  end)

  it("that do not exist, or have a meaning that stays, are refused", function()
    for _, name in ipairs {
      "", "a", "Alt", "Alt-", "Alt-ab", "F13", "Hyper-x", "Ctrl-1", "Ctrl-m", "Ctrl-j", "Ctrl-c", "Ctrl-d", "Ctrl-z", "Ctrl-i",
      "Ctrl-[", "Alt-[", "Alt-O", "Enter", "Tab", "Shift-a",
    } do
      local found, message = keys.sequences(name)
      assert.is_nil(found, name)
      assert.truthy(message:find("'" .. name .. "'", 1, true), name)
    end
  end)

  it("of the chat exist, each once", function()
    local seen = {}
    for _, key in ipairs(keymap) do
      for _, sequence in ipairs(assert(keys.sequences(key.name))) do
        assert.is_nil(seen[sequence], key.name)
        seen[sequence] = true
      end
      assert.is_string(key.help)
      assert.is_function(key.run)
    end
  end)
end)
