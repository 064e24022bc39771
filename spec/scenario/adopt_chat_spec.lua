-- SPDX-License-Identifier: GPL-3.0-or-later
-- Adopting a key from the chat, as somebody does who has one: what the first run says of it, and pinentries that ask in the
-- terminal where the chat is.
local adopting = require "support.adopting"
local command = require "support.command"
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"
local window = require "support.window"

describe("adopting from the chat", function()
  local SECRET = "correct horse"
  local OFFER = "(Or take the key of your own GnuPG: /adopt shows it.)"
  local own, home

  before_each(function()
    own = adopting.gnupg "alice"
    home = cores.root() .. "/new"
    assert(sys.make_private_directory(home))
    system.write(home .. "/config.lua", 'listen = "127.0.0.1:0"\ndiscover = "off"\n')
  end)
  after_each(function()
    window.close_all()
    command.of(home) "stop"
    adopting.clean()
  end)

  local function open(loose)
    local environment = command.environment()
    environment.GNUPGHOME, environment.DISPLAY, environment.WAYLAND_DISPLAY = own.directory, false, false
    return window.open { program = command.PROGRAM, environment = environment, loose = loose, "--home", home }
  end

  local function call(method) return (command.of(home)("call", method).out:gsub("%s+$", "")) end

  -- as far as the question for a passphrase, where there is one
  local function adopt(chat, key)
    chat:see("Your name, as others will see it"):enter("/adopt " .. key):see "Adopt it? [y/N]"
    chat:enter("y"):see "[Alice Example]:"
    return chat:enter ""
  end

  it("is offered, tells what strangers will see, and takes what was chosen", function()
    local fingerprint = own:key()
    own:key { user_id = "Signs only", subkey = false }
    local chat = open():see(OFFER)
    chat:enter("/adopt"):see("1  Alice Example <alice@example.org>"):see "2  Signs only"
    chat:see("not to be adopted: it has no valid encryption subkey"):see "Which one?"
    chat:enter("bob@"):see "! no key of your GnuPG has 'bob@'"
    chat:enter("/adopt 2"):see "! this key cannot be adopted: it has no valid encryption subkey"
    chat:forget():enter("/adopt alice@"):see "Whoever asks your core who is there, strangers too"
    chat:see("\n  Alice Example <alice@example.org>\n"):see("Adopt it? [y/N]"):enter ""
    chat:see("Your name, as others will see it"):forget()
    adopt(chat, "1"):see("Adopted."):at "Alice Example@lua>"
    assert.truthy(call("identity.show"):find(fingerprint, 1, true))
    chat:enter("/me"):see "Others get with your key: Alice Example <alice@example.org>"
    chat:enter("/adopt 1"):see "! this home has its key already, one of your GnuPG's, and keeps it."
    assert.are.equal(0, own:asked())
  end)

  it("is not offered to who has no key that would do, and may be turned down for a new one", function()
    local chat = open():see "Your name"
    chat:enter("/adopt"):see "! there is no key in your GnuPG: a name makes one for sotto alone"
    assert.is_false(chat:shows "(Or take")
    chat:enter("Ada"):see("Passphrase"):enter(""):at "Ada@lua>"
    chat:enter("/adopt"):see "! this home has its key already, and keeps it."
    assert.is_false(sys.exists(own.directory .. "/pubring.kbx"))
  end)

  it("lends the terminal to a pinentry, which nothing of the chat disturbs", function()
    own:key { passphrase = SECRET }
    own:answer "terminal"
    local chat = open()
    adopt(chat, "alice@"):see("asks here if it has to."):at "The PIN, please:"
    chat:enter(SECRET):see("Adopted."):at "Alice Example@lua>"
    chat:enter("/lock"):see "Locked."
    own:forget()
    chat:forget():enter("/unlock"):at "The PIN, please:"
    chat:enter "wrong"
    chat:at "The PIN, please:"
    chat:enter(SECRET):see("Unlocked."):at "Alice Example@lua>"
    -- the agent knows it still
    local asked = own:asked()
    chat:enter("/lock"):see "Locked."
    chat:forget():enter("/unlock"):see("Unlocked."):at "Alice Example@lua>"
    assert.are.equal(asked, own:asked())
    chat:enter("='typed ' .. 'afterwards'"):see '"typed afterwards"'
    assert.is_nil(chat.raw:find(SECRET, 1, true))
  end)

  it("works with pinentry-curses, whose question Ctrl-C takes back", function()
    own:key { passphrase = SECRET }
    own:configure("", "/usr/bin/pinentry-curses")
    local chat = open(true)
    adopt(chat, "1"):see("Please enter the passphrase"):see("alice@example.org"):see "<Cancel>"
    chat:type("\3"):see "! given up"
    chat:see "Your name, as others will see it"
    assert.truthy(call("identity.show"):find('"fingerprint":null', 1, true))
    chat:forget()
    adopt(chat, "1"):see "Please enter the passphrase"
    chat:enter("wrong"):see "Bad Passphrase"
    chat:enter(SECRET):see("Adopted."):see "Alice Example@lua>"
    assert.is_nil(chat.raw:find(SECRET, 1, true))
    chat:enter("=6 * 7"):see "42"
  end)

  it("that is killed at a pinentry's question takes it along, and asks anew the next time", function()
    own:key { passphrase = SECRET }
    own:answer "wait"
    local chat = open()
    adopt(chat, "1")
    own:await_question(1)
    chat:close()
    own:await_end()
    own:answer "terminal"
    chat = open()
    adopt(chat, "1"):at "The PIN, please:"
    chat:enter(SECRET):see("Adopted."):at "Alice Example@lua>"
  end)
end)
