-- SPDX-License-Identifier: GPL-3.0-or-later
local commands = require "sotto.client.commands"
local completion = require "sotto.client.completion"

describe("completion", function()
  local chat

  before_each(function()
    chat = {
      peer_words = function() return { "bob", "Bob Marley", "0123456789ABCDEF", "żółw" } end,
      discussion_words = function(_, state) return state == "requested" and { "eve" } or { "bob", "carol" } end,
    }
    chat.commands, chat.command_names = commands.load()
  end)

  -- what Tab makes of a line: readline's word begins after one of these
  local function complete(line)
    local word = line:match "[^ \t\n=+%-*<>;|&{}%[%](),]*$"
    local found = completion.complete(chat, word, line)
    for i, text in ipairs(found) do found[i] = line:sub(1, #line - #word) .. text end
    return found
  end

  it("offers commands at the beginning", function()
    assert.are.same({ "/help", "/history" }, complete "/h")
    assert.are.same({ "/open" }, complete "/op")
    assert.are.same({}, complete "/nope")
    assert.are.equal(#chat.command_names, #complete "/")
  end)

  it("offers people, with spaces in their names, in any case", function()
    assert.are.same({ "/open Bob Marley", "/open bob" }, complete "/open b")
    assert.are.same({ "/open Bob Marley" }, complete "/open Bob M")
    assert.are.same({ "/open bob marley" }, (function()
      local found = complete "/open bob m"
      return { found[1] and found[1]:lower() }
    end)())
    assert.are.same({ "/open żółw" }, complete "/open ż")
    assert.are.same({ "/open 0123456789ABCDEF" }, complete "/open 01")
    assert.are.equal(4, #complete "/open ")
    assert.are.same({}, complete "/open x")
  end)

  it("offers what fits the command", function()
    assert.are.same({ "/accept eve" }, complete "/accept ")
    assert.are.same({ "/go bob", "/go carol" }, complete "/go ")
    assert.are.same({ "/help history" }, complete "/help hi")
    assert.are.same({ "/list all" }, complete "/list a")
    assert.are.same({}, complete "/history ")
    assert.are.same({}, complete "/nope x")
  end)

  it("offers Lua's names where a line is Lua", function()
    assert.are.same({ "string.format" }, complete "string.form")
    assert.are.same({ "=string.format" }, complete "=string.form")
    assert.are.same({ "/lua string.format" }, complete "/lua string.form")
    assert.are.same({ "discussions" }, complete "disc")
    assert.are.same({ "print(peers" }, complete "print(pee")
    assert.are.same({}, complete "nothing.of.that")
    assert.are.same({}, complete "print.x")
  end)

  it("leaves what is said alone", function()
    chat.current = "id"
    assert.are.same({}, complete "disc")
    assert.are.same({}, complete "I said string.form")
    assert.are.same({ "=string.format" }, complete "=string.form")
  end)
end)
