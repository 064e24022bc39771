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
    assert.matches("there is no folder to write to", command("text", bob.discussion, "10", "talk.txt"))
    for _ = 1, 1500 do bob:hears() end
  end)

  it("writes files in the folder that it was given, longer ones than an answer may be, and none beside it", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir -p " .. folder .. "/talks"))
    world:load { arguments = { folder .. "/talks" } }
    local cleo = person "cleo"
    local long = ("x"):rep(10000)
    for i = 1, 100 do you:call("messages.send", { discussion = cleo.discussion, text = i .. " " .. long }) end
    for _ = 1, 100 do cleo:hears() end
    cleo:says "*last*"
    assert.matches("^101 messages are in talk%.md$", command("markdown", cleo.discussion, "20000", "talk.md"))
    -- written anew, and not twice
    command("markdown", cleo.discussion, "20000", "talk.md")
    local file = assert(io.open(folder .. "/talks/talk.md"))
    local text = file:read "a"
    file:close()
    assert.matches("^# Discussion with cleo, %x+\n", text)
    local _, messages = text:gsub("\n%d+ x+\n", "")
    assert.equal(100, messages)
    assert.matches("\n\\%*last\\%*\n\n$", text)
    assert.equal(false, (pcall(command, "text", cleo.discussion, "10", "../beside.txt")))
    assert.equal(nil, (io.open(folder .. "/beside.txt")))
    os.execute("rm -r " .. folder)
  end)
end)
