-- SPDX-License-Identifier: GPL-3.0-or-later
local commands = require "sotto.client.commands"
local completion = require "sotto.client.completion"
local lua_names = require "sotto.client.lua_names"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"
local values = require "sotto.client.values"

local B, C = ("B"):rep(40), ("C"):rep(40)

describe("completion", function()
  local chat

  before_each(function()
    chat = {
      peer_words = function() return { "bob", "Bob Marley", "0123456789ABCDEF", "żółw" } end,
      discussion_words = function(_, state) return state == "requested" and { "eve" } or { "bob", "carol" } end,
      commands = {}, command_names = {}, aliases = { o = "open", gb = "go bob" }, paths = completion.paths,
      known = {
        peers = { [B] = { name = "bob", fingerprint = B, online = true, more = 1 }, [C] = { name = "c d", fingerprint = C } },
        discussions = { d = { id = "d", created = 1, members = { { name = "bob", fingerprint = B }, { name = "me", you = true } } } },
      },
      environment = values.environment({}, {}),
    }
    for i, command in ipairs(commands.load()) do
      chat.commands[command.name], chat.command_names[i] = command, command.name
    end
  end)

  -- what Tab makes of a line: readline's word begins after one of these
  local function complete(line)
    local word = line:match "[^ \t\n=+%-*<>;|&{}%[%](),]*$"
    local found, more = completion.complete(chat, word, line)
    for i, text in ipairs(found) do found[i] = line:sub(1, #line - #word) .. text end
    return found, more
  end

  it("offers commands at the beginning, aliases too", function()
    assert.are.same({ "/help", "/history" }, complete "/h")
    assert.are.same({ "/o", "/open" }, complete "/o")
    assert.are.same({}, complete "/nope")
    assert.are.equal(#chat.command_names + 2, #complete "/")
  end)

  it("offers people, with spaces in their names, in any case", function()
    assert.are.same({ "/open Bob Marley", "/open bob" }, complete "/open b")
    assert.are.same({ "/open Bob Marley" }, complete "/open Bob M")
    assert.are.same({ "/open bob Marley" }, complete "/open bob m")
    assert.are.same({ "/open żółw" }, complete "/open ż")
    assert.are.same({ "/open 0123456789ABCDEF" }, complete "/open 01")
    assert.are.equal(4, #complete "/open ")
    assert.are.same({}, complete "/open x")
    assert.are.same({ "/o Bob Marley", "/o bob" }, complete "/o b")
  end)

  it("offers what fits the command", function()
    assert.are.same({ "/accept eve" }, complete "/accept ")
    assert.are.same({ "/go bob", "/go carol" }, complete "/go ")
    assert.are.same({ "/help history" }, complete "/help hi")
    assert.are.same({ "/help keys" }, complete "/help k")
    assert.are.same({ "/list all" }, complete "/list a")
    assert.are.same({ "/forget discussion ", "/forget peer " }, complete "/forget ")
    assert.are.same({ "/forget peer żółw" }, complete "/forget peer ż")
    assert.are.same({ "/set bell" }, complete "/set b")
    assert.are.same({ "/set bell elsewhere", "/set bell off", "/set bell on" }, complete "/set bell ")
    assert.are.same({}, complete "/history ")
    assert.are.same({}, complete "/nope x")
  end)

  it("leaves a command whose completion fails alone", function()
    chat.commands.go = { name = "go", complete = function() error "no" end }
    assert.are.same({}, complete "/go b")
    chat.commands.go = { name = "go", complete = function() return nil end }
    assert.are.same({}, complete "/go b")
  end)

  it("offers paths, directories with a slash to go on", function()
    local folder = assert(sys.make_temporary_directory "/tmp/sotto-spec-")
    for _, name in ipairs { "one.txt", "only", ".hidden", "e\27vil" } do assert(io.open(folder .. "/" .. name, "w")):close() end
    assert(sys.make_private_directory(folder .. "/sub"))
    local found = complete("/import " .. folder .. "/")
    assert.are.same({ "/import " .. folder .. "/one.txt", "/import " .. folder .. "/only", "/import " .. folder .. "/sub/" }, found)
    local only, more = complete("/import " .. folder .. "/s")
    assert.are.same({ "/import " .. folder .. "/sub/" }, only)
    assert.is_true(more)
    assert.are.same({ "/export contacts " .. folder .. "/sub/" }, complete("/export contacts " .. folder .. "/su"))
    assert.are.same({}, complete("/import " .. folder .. "/nowhere/x"))
    assert(sys.remove_tree(folder))
  end)

  describe("of Lua", function()
    it("offers names where a line is Lua", function()
      assert.are.same({ "string.format(" }, complete "string.form")
      assert.are.same({ "=string.format(" }, complete "=string.form")
      assert.are.same({ "/lua string.format(" }, complete "/lua string.form")
      assert.are.same({ "discussions" }, complete "disc")
      assert.are.same({ "print(peers" }, complete "print(pee")
      assert.are.same({ "chat" }, complete "cha")
      assert.are.same({}, complete "nothing.of.that")
      assert.are.same({}, complete "print.x")
      assert.are.same({}, complete '"text pee')
      assert.are.same({}, complete "1")
    end)

    it("offers what a person has set", function()
      chat.environment.mine = { long_name = { deep = 1 } }
      assert.are.same({ "mine" }, complete "min")
      assert.are.same({ "mine.long_name.deep" }, complete "mine.long_name.")
      setmetatable(chat.environment.mine, { __index = { behind = 1 } })
      assert.are.same({ "mine.behind", "mine.long_name" }, complete "mine.")
      setmetatable(chat.environment.mine, { __index = error })
      assert.are.same({ "mine.long_name" }, complete "mine.")
    end)

    it("offers the fields of people and discussions", function()
      assert.are.same({ "peers[1].fingerprint" }, complete "peers[1].fi")
      assert.are.same({ "peers[1].more", "peers[1].name" }, { complete "peers[1].m"[1], complete "peers[1].n"[1] })
      assert.are.same({ "peers.bob" }, complete "peers.")
      assert.are.same({ "peers.bob.online" }, complete "peers.bob.on")
      assert.are.same({ "peers['c d'].fingerprint" }, complete "peers['c d'].f")
      assert.are.same({ "discussions.bob.members" }, complete "discussions.bob.m")
      assert.are.same({ "me.locked" }, complete "me.l")
      assert.are.same({ "x = peers[ i ].online" }, complete "x = peers[ i ].on")
      chat.known.peers, chat.known.discussions = {}, {}
      assert.are.same({ "peers[1].verified" }, complete "peers[1].v")
      assert.are.same({ "discussions[1].words" }, complete "discussions[1].wo")
    end)

    it("offers the API: nouns, methods, parameters, and what comes back", function()
      assert.are.same({ "sotto.messages" }, complete "sotto.me")
      assert.are.same({ "sotto.messages.send{ " }, complete "sotto.messages.sen")
      assert.are.same({ "sotto.peers.list()" }, complete "sotto.peers.l")
      assert.are.same({ "sotto.peers.list()[1].online" }, complete "sotto.peers.list()[1].on")
      assert.are.same({ "sotto.peers.show{ peer = 'x' }.verified" }, complete "sotto.peers.show{ peer = 'x' }.ve")
      assert.are.same({ "sotto.discussions.list()[1].members[1].problem" }, complete "sotto.discussions.list()[1].members[1].pro")
      assert.are.same({ "sotto.messages.send{ discussion = " }, complete "sotto.messages.send{ d")
      assert.are.same({ "sotto.messages.send({ text = ", "sotto.messages.send({ texts = " }, complete "sotto.messages.send({ te")
      assert.are.same({ 'sotto.messages.send{ discussion = "bob"' }, complete 'sotto.messages.send{ discussion = "b')
      assert.are.same({ 'sotto.peers.show{ peer = "Bob Marley"' }, complete 'sotto.peers.show{ peer = "Bob M')
      assert.are.same({ 'sotto.messages.send{ discussion = "bob", text = ', 'sotto.messages.send{ discussion = "bob", texts = ' },
        complete 'sotto.messages.send{ discussion = "bob", te')
      assert.are.same({}, complete 'sotto.messages.send{ text = "b')
      assert.are.same({}, complete "sotto.nope.")
    end)

    it("runs nothing", function()
      chat.environment.trap = setmetatable({}, { __index = function() error "run" end, __call = error, __pairs = error })
      for _, line in ipairs { "trap.x", "trap.x.y", "trap().x", "trap[1].x", "trap:x", "os.exit().", "(trap).x" } do
        assert.are.same({}, complete(line))
      end
    end)
  end)

  it("offers members' names in what is said, and nothing else", function()
    chat.current, chat.known.current = "d", chat.known.discussions.d
    assert.are.same({}, complete "disc")
    assert.are.same({ "I told bob" }, complete "I told b")
    assert.are.same({ "@bob" }, complete "@b")
    assert.are.same({}, complete "I said string.form")
    assert.are.same({}, complete "me")
    assert.are.same({ "=string.format(" }, complete "=string.form")
  end)
end)

describe("choices", function()
  it("stand in columns, as many as fit", function()
    assert.are.equal("aa  c\nb", completion.columns({ "aa", "b", "c" }, 7))
    assert.are.equal("aa  b   c", completion.columns({ "aa", "b", "c" }, 80))
    assert.are.equal("aa\nb\nc", completion.columns({ "aa", "b", "c" }, 3))
    assert.are.equal("日本  x", completion.columns({ "日本", "x" }, 10))
  end)

  it("do not repeat the path that is typed", function()
    assert.are.equal("list  show", completion.columns({ "sotto.peers.list", "sotto.peers.show" }, 80))
    assert.are.equal("name    source", completion.columns({ ".name", ".source" }, 80))
    assert.are.equal("sotto.a   string.b", completion.columns({ "sotto.a", "string.b" }, 80))
    assert.are.equal("a  b", completion.columns({ "a", "b" }, 80))
    assert.are.equal("one   two/", completion.columns({ "/tmp/one", "/tmp/two/" }, 80))
    assert.are.equal("x/   x/y", completion.columns({ "/x/", "/x/y" }, 80))
  end)

  it("leave the screen in sight", function()
    local words = {}
    for i = 1, 1000 do words[i] = ("word%04d"):format(i) end
    local text = completion.columns(words, 80)
    assert.are.equal(13, select(2, text:gsub("\n", "")) + 1)
    assert.truthy(text:find("more)", 1, true))
    for line in text:gmatch "[^\n]+" do assert.truthy(terminal.width(line) <= 80) end
  end)
end)

describe("the fields that completion knows", function()
  it("are fields of the API's objects", function()
    local text = assert(io.open "lua/sotto/types/api.lua"):read "a"
    local more = { discussion = { charter = true, mode = true, created = true } }
    for name, form in pairs(lua_names.forms) do
      local class = name == "script" and "script.view" or name
      local block = assert(text:match("%-%-%-@class sotto%." .. class .. "\n(.-)\n\n"))
      for field in pairs(form) do
        local known = block:find("@field " .. field .. " ", 1, true) or (more[name] or {})[field]
        assert.truthy(known, name .. "." .. field)
      end
    end
  end)
end)
