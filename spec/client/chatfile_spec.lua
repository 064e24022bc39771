-- SPDX-License-Identifier: GPL-3.0-or-later
-- chat.lua over the chat's shape, without a terminal: what it may do, what its errors say, and that nothing stays of it.
local chatfile = require "sotto.client.chatfile"
local format = require "sotto.client.format"
local shape = require "sotto.client.shape"
local sys = require "sotto.sys"
local system = require "support.system"

describe("chat.lua", function()
  local folder, chat, calls

  before_each(function()
    folder = assert(sys.make_temporary_directory "/tmp/sotto-spec-")
    calls = {}
    chat = {
      place = { chat = folder .. "/chat.lua" }, wants_colour = false, worn = 0,
      connection = { call = function(_, method)
        calls[#calls + 1] = method
        coroutine.yield()
        return {}
      end },
      wear = function(self, fresh)
        self.shape:stop()
        self.shape, self.worn = fresh, self.worn + 1
        fresh.worn = true
      end,
      bind_keys = function() end,
      run_yours = function(_, f) f() end,
    }
    chat.shape = shape.new(chat)
    for name, register in pairs(shape.registers(chat)) do chat[name] = register end
    setmetatable(chat, {
      __index = function(self, name) return shape.fields[name] ~= nil and rawget(self, "shape")[name] or nil end,
      __newindex = function(self, name, value)
        local kept, message = shape.accept(name, value)
        if message then error(message, 2) end
        self.shape[name] = kept
      end,
    })
  end)
  after_each(function()
    chat.shape:stop()
    assert(sys.remove_tree(folder))
  end)

  -- loads it, with what a call would wait for answered at once
  local function load_text(text)
    if text then system.write(folder .. "/chat.lua", text) end
    local done, message
    local thread = coroutine.create(function() done, message = chatfile.load(chat) end)
    repeat assert(coroutine.resume(thread)) until coroutine.status(thread) == "dead"
    return done, message
  end

  local function fails(text)
    local before = chat.shape
    local done, message = load_text(text)
    assert.is_nil(done, text)
    assert.are.equal(before, chat.shape)
    return message
  end

  it("need not be there", function()
    assert.is_false(load_text())
    assert.is_function(chat.commands.help.run)
  end)

  it("adds commands, aliases, keys and listeners, and takes the place of shipped ones", function()
    assert.is_true(load_text [[
      chat.command { name = "hi", args = "NAME", help = "greets", run = function() return 7 end, complete = function() end }
      chat.command { name = "quit", run = function() return "mine" end }
      chat.alias("h", "hi bob")
      chat.alias("x", "/hi")
      chat.bind("F5", function() end, "does it")
      chat.bind("Alt-a", function() end)
      chat.on("message.received", function() return 1 end)
      chat.on("message.*", function() return 2 end)
      chat.on("*", function() return 3 end)
    ]])
    assert.are.equal(7, chat.commands.hi.run())
    assert.are.equal("mine", chat.commands.quit.run())
    assert.is_true(chat.commands.quit.yours)
    assert.are.equal("hi", chat.command_names[#chat.command_names])
    assert.are.same({ h = "hi bob", x = "hi" }, chat.aliases)
    assert.are.equal("does it", chat.keys.F5.help)
    assert.are.equal("yours", chat.keys["Alt-a"].help)
    local answers = {}
    for _, f in ipairs(chat.shape:listeners "message.received") do answers[#answers + 1] = f() end
    assert.are.same({ 1, 2, 3 }, answers)
    assert.are.equal(1, #chat.shape:listeners "peer.seen")
    assert.are.equal(1, #chat.shape:listeners "line")
  end)

  it("sets prompt, formats, colours, news, settings and notifications", function()
    assert.is_true(load_text [[
      function chat.prompt() return "> " end
      function chat.notify() end
      chat.theme.own = "red"
      chat.settings.bell = "on"
      function chat.format.message(view) return view.who .. " said " .. view.text end
      chat.news["discussion.opened"] = false
      local paint = chat.paint
      chat.theme.colour = true
      painted = paint("own", "x")
    ]])
    assert.are.equal("> ", chat.prompt())
    assert.are.same({ "red", "dim", "on", "first" },
      { chat.theme.own, chat.theme.time, chat.settings.bell, chat.settings.elsewhere })
    local view = format.view({ state = "received", text = "hi", time = 0 }, "bob")
    assert.are.equal("bob said hi", chat.format.message(view))
    assert.is_function(chat.format.peer)
    assert.is_false(chat.news["discussion.opened"])
    assert.is_function(chat.news["discussion.closed"])
    assert.are.equal("\27[31mx\27[0m", chat.environment.painted)
  end)

  it("may set whole tables, over what is shipped", function()
    assert.is_true(load_text [[
      chat.theme = { own = "green" }
      chat.settings = { context = 0 }
      chat.format = { peer = function() return "a peer" end }
    ]])
    assert.are.same({ "green", "dim", 0, 5 }, { chat.theme.own, chat.theme.time, chat.settings.context, chat.settings.patience })
    assert.are.equal("a peer", chat.format.peer())
    assert.is_function(chat.format.message)
  end)

  it("has Lua's library, the values, and globals of its own", function()
    assert.is_true(load_text [[
      assert(string.format and io.open and os.time and require and chat and sotto and print)
      note = #peers
      function twice(x) return 2 * x end
    ]])
    assert.are.same({ "peers.list" }, calls)
    assert.are.equal(0, chat.environment.note)
    assert.are.equal(4, chat.environment.twice(2))
    assert.is_nil(rawget(_G, "twice"))
  end)

  it("says where it is wrong, and then changes nothing", function()
    for text, expected in pairs {
      ["x = = 1"] = "chat.lua:1: unexpected symbol near '='",
      ["\n\nif x then"] = "chat.lua:3: 'end' expected near <eof>",
      ["chat.command { name = 'new', run = print }\nnope.x = 1"] = "chat.lua:2: attempt to index a nil value (global 'nope')",
      ["\nchat.command { name = 'x' }"] = "chat.lua:2: chat.command: run: a function is needed",
      ["chat.command { name = '/x', run = print }"] = "chat.lua:1: chat.command: name: letters and digits, no slash",
      ["chat.command { name = 'x', run = print, help = 1 }"] = "chat.lua:1: chat.command: help: a text is needed",
      ["chat.command 'x'"] = "chat.lua:1: chat.command: a table is needed: name, help, run",
      ["chat.alias('a b', 'x')"] = "chat.lua:1: chat.alias: a name is needed, without a slash",
      ["chat.alias('a')"] = "chat.lua:1: chat.alias: what it stands for is needed",
      ["chat.on('message.received')"] = "chat.lua:1: chat.on: a function is needed",
      ["chat.bind('Hyper-x', print)"] = "chat.lua:1: chat.bind: there is no key 'Hyper-x'",
      ["chat.bind('Ctrl-c', print)"] = "chat.lua:1: chat.bind: the key 'Ctrl-c' has a meaning that stays",
      ["chat.every(0, print)"] = "chat.lua:1: milliseconds are needed",
      ["chat.prompt = 'x'"] = "chat.lua:1: chat.prompt must be a function",
      ["chat.commands = {}"] = "chat.lua:1: chat.commands cannot be set",
      ["\nchat.settings.bell = 'loud'"] = "chat.lua:2: bell takes off, elsewhere, on",
      ["chat.theme.own = 'purpel'"] = "chat.theme.own: there is no colour 'purpel'",
      ["error({})"] = "table: ",
      ["\27Lua"] = "attempt to load a binary chunk",
    } do
      local message = fails(text)
      assert.truthy(message:find(expected, 1, true), message)
    end
    assert.is_nil(chat.commands.new)
    assert.are.same({}, chat.aliases)
    assert.are.equal(0, chat.worn)
  end)

  it("is loaded again without a trace of before", function()
    local text = [[
      chat.command { name = "hi", run = print }
      chat.alias("h", "hi")
      chat.bind("F5", print)
      chat.on("*", print)
      timer = chat.every(1000, print)
      chat.theme.own = "red"
      chat.settings.bell = "on"
      mine = (mine or 0) + 1
    ]]
    local count
    for _ = 1, 50 do
      assert.is_true(load_text(text))
      count = count or #chat.command_names
      assert.are.equal(count, #chat.command_names)
      assert.are.equal(1, #chat.shape:listeners "message.received")
      assert.are.equal(1, #chat.shape.timers)
      assert.are.equal(1, chat.environment.mine)
    end
    local timer = chat.environment.timer
    assert.is_true(timer:active())
    assert.is_true(load_text "-- nothing any more")
    assert.is_false(timer:active())
    assert.is_nil(chat.commands.hi)
    assert.are.same({}, chat.aliases)
    assert.is_nil(chat.keys.F5)
    assert.are.same({}, chat.shape:listeners "message.received")
    assert.are.same({ "bold", "off" }, { chat.theme.own, chat.settings.bell })
  end)

  it("that fails later leaves the one before at work, and its own timers stop", function()
    assert.is_true(load_text "chat.command { name = 'hi', run = print } old = chat.every(1000, print)")
    local old = chat.environment.old
    assert.truthy(fails("leaked = chat.every(1000, print) rawset(_G, 'spec_timer', leaked) nope()"):find("chat.lua:1:", 1, true))
    assert.is_true(old:active())
    assert.is_false(rawget(_G, "spec_timer"):active())
    rawset(_G, "spec_timer", nil)
    assert.is_function(chat.commands.hi.run)
  end)

  it("may call its functions with a colon, too", function()
    assert.is_true(load_text "chat:command { name = 'hi', run = print } chat:alias('h', 'hi') chat:on('*', print) chat:bind('F5', print)")
    assert.is_function(chat.commands.hi.run)
    assert.are.same({ h = "hi" }, chat.aliases)
  end)

  it("that cannot be read says so", function()
    assert(sys.make_private_directory(folder .. "/chat.lua"))
    assert.truthy(fails():find(folder, 1, true))
  end)
end)
