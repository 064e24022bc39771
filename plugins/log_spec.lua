-- SPDX-License-Identifier: GPL-3.0-or-later
describe("log", function()
  it("gives a discussion as text and as Markdown", function()
    local ada = person "ada"
    ada:says "one *star*\nand a line"
    you:call("messages.send", { discussion = ada.discussion, text = "# two" })
    ada:hears()
    local text = command("text", ada.discussion)
    assert.matches("^Discussion with ada, %x+\n", text)
    assert.matches("\n%d%d%d%d%-%d%d%-%d%d %d%d:%d%d  ada: one %*star%*\n    and a line\n", text)
    assert.matches("  you: # two$", text)
    local marked = command("markdown", ada.discussion)
    assert.matches("^# Discussion with ada", marked)
    assert.matches("%*%*ada%*%* %([^)]*%)  \none \\%*star\\%*  \nand a line\n", marked)
    assert.matches("\n\\# two\n", marked)
  end)

  it("gives so many, the newest, over pages", function()
    local bob = person "bob"
    for i = 1, 3 do
      local texts = {}
      for k = 1, 500 do texts[k] = ("number %d"):format(i * 500 + k) end
      you:call("messages.send", { discussion = bob.discussion, texts = texts })
    end
    local text = command("text", bob.discussion, "1200")
    local _, lines = text:gsub("number %d+", "")
    assert.equal(1200, lines)
    assert.matches("number 2000$", text)
    assert.matches("of which discussion", command "text")
    assert.matches("a number of messages", command("text", bob.discussion, "many"))
    assert.matches("no discussion", command("text", "00000000"))
    for _ = 1, 1500 do bob:hears() end
  end)
end)
