-- SPDX-License-Identifier: GPL-3.0-or-later
-- The first run, as somebody has it who has just built this: a name, a passphrase, a key, and where to go on; in windows
-- and places of all kinds.
local command = require "support.command"
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"
local window = require "support.window"

describe("the first run", function()
  local home, sotto

  before_each(function()
    home = cores.root() .. "/new"
    assert(sys.make_private_directory(home))
    -- the standard would be seen by the neighbours
    system.write(home .. "/config.lua", 'listen = "127.0.0.1:0"\ndiscover = "off"\n')
    sotto = command.of(home)
  end)
  after_each(function()
    window.close_all()
    sotto "stop"
    cores.clean()
  end)

  local function open(options)
    options = options or {}
    local environment = command.environment()
    for name, value in pairs(options.environment or {}) do environment[name] = value end
    return window.open {
      program = command.PROGRAM, environment = environment, columns = options.columns, rows = options.rows,
      "--home", home, table.unpack(options),
    }
  end

  local function core_runs() return sotto("status").status == 0 end

  it("leads to the prompt within one screen, and says where to go on", function()
    local chat = open { columns = 80, rows = 24 }
    chat:see("Welcome to sotto."):see "Your name, as others will see it"
    chat:enter("Ada"):see "Passphrase (Enter: none):"
    chat:enter(""):see("Your key is made"):at "Ada@lua>"
    for _, line in ipairs { "You are Ada.", "Only this machine finds you, at 127.0.0.1:", "Alone? /demo", "/help" } do
      assert.is_true(chat:shows(line), line)
    end
    local lines = chat.screen:lines()
    assert.is_true(#lines <= 24, #lines)
    for _, line in ipairs(lines) do assert.is_true(utf8.len(line) <= 80, line) end
    -- what it points to is one screen, too
    chat:forget():enter("/help"):see "/help keys lists keys."
    assert.is_true(#chat.screen:lines() <= 24, #chat.screen:lines())
    assert.is_true(chat:shows "/demo")
    chat:forget():enter("/help all"):see "/export"
    -- the next time there is nothing to be asked
    chat:enter "/quit"
    chat:wait_end()
    chat = open():at "Ada@lua>"
    assert.is_false(chat:shows "Passphrase")
    assert.is_true(chat:shows "Alone? /demo")
  end)

  it("takes no name that cannot be one, and says what is wrong with it", function()
    local chat = open():see "Your name"
    chat:enter("/help"):see "Commands come a little later"
    chat:enter(("x"):rep(33)):see "A name has at most 32 bytes, and this one 33."
    chat:enter("a\u{202e}b"):see "without characters that nobody sees"
    chat:enter("  Bärbel Łęcka  "):see "Passphrase"
    chat:enter(""):at "Bärbel Łęcka@lua>"
  end)

  it("asks for a passphrase twice, and for it again at the next start of the core", function()
    local chat = open():see "Your name"
    chat:enter("Ada"):see "Passphrase (Enter: none):"
    chat:enter("open sesame"):see "Once more:"
    chat:enter("open sesam"):see "The two differ"
    chat:enter("open sesame"):forget()
    chat:see("Once more:"):enter("open sesame"):at "Ada@lua>"
    assert.is_nil(chat.raw:find("sesam", 1, true))
    chat:enter "/quit"
    chat:wait_end()
    sotto "stop"
    chat = open():see "Passphrase of your key:"
    chat:enter("open sesam"):see "!"
    chat:see("Passphrase of your key:"):enter("open sesame"):at "Ada@lua>"
  end)

  it("that is given up leaves nothing, and no core that it started", function()
    for _, give_up in ipairs {
      function(chat) chat:type "\4" end,
      function(chat) chat:enter "/quit" end,
      function(chat) chat:enter("Ada"):see("Passphrase"):type "\3" end,
      function(chat) chat:enter("Ada"):see("Passphrase"):enter("open sesame"):see("Once more"):type "\4" end,
    } do
      local chat = open():see "Your name"
      give_up(chat)
      chat:see "Nothing was made."
      assert.are.equal(0, (chat:wait_end()))
      cores.wait("the core's end", function() return #system.processes(home) == 0 end)
      assert.are.same({}, sys.list(home .. "/data/homes") or {})
    end
  end)

  it("that is given up leaves alone a core that was there", function()
    sotto "start"
    open():see("Your name"):type("\4"):wait_end()
    assert.is_true(core_runs())
  end)

  it("works in a small window, without UTF-8 and in a dumb terminal", function()
    for _, options in ipairs {
      { columns = 40, rows = 15 }, { environment = { LC_ALL = "C" } }, { environment = { LC_ALL = false } },
      { environment = { TERM = "dumb" } }, { environment = { TERM = false } },
    } do
      local chat = open(options):see "Your name"
      chat:enter("Jörg"):see "Passphrase"
      chat:enter(""):at("Jörg@lua>"):enter('="ö" .. 1'):see '"ö1"'
      chat:enter "/quit"
      chat:wait_end()
      sotto "stop"
      sys.remove_tree(home .. "/data")
    end
  end)

  it("says what is in the way of it", function()
    local result = command.run { "--home", "/proc/nowhere" }
    assert.are.equal(2, result.status)
    assert.truthy(result.err:find("needs a terminal", 1, true))
    local chat = window.open {
      program = command.PROGRAM, environment = command.environment(), "--home", "/proc/nowhere",
    }
    chat:see "sotto: the core could not be started: cannot make the directory /proc/nowhere"
    assert.are.equal(1, (chat:wait_end()))
    result = command.run { "chat" }
    assert.are.equal(2, result.status)
    assert.truthy(result.err:find("the chat is 'sotto' without a command", 1, true))
  end)
end)
