-- SPDX-License-Identifier: GPL-3.0-or-later
local api = require "sotto.core.api"
local arguments = require "sotto.client.arguments"
local json = require "sotto.json"
local main = require "sotto.client.main"
local secret = require "sotto.secret"
local sys = require "sotto.sys"

describe("sotto's own options", function()
  it("stand before the command", function()
    local options, rest = main.parse { "--home", "/tmp/x", "--json", "peers", "list", "--home", "y" }
    assert.are.same({ home = "/tmp/x", json = true }, options)
    assert.are.same({ "peers", "list", "--home", "y" }, rest)
    assert.are.same({ home = "a=b" }, (main.parse { "--home=a=b" }))
    assert.are.same({ help = true }, (main.parse { "-h" }))
    assert.are.same({ version = true }, (main.parse { "--version" }))
  end)

  it("are refused where they make no sense", function()
    for _, bad in ipairs { { "--home" }, { "--home=" }, { "--home", "" }, { "--nope" }, { "-x" }, { "-" } } do
      local options, message = main.parse(bad)
      assert.is_nil(options)
      assert.is_string(message)
    end
  end)
end)

describe("a method's arguments", function()
  local function collect(name, ...) return arguments.collect(api.methods[name], { ... }, 1) end

  local function no_secrets() error("no secret is to be read") end

  local function build(name, read_secret, ...)
    local given, message = collect(name, ...)
    if not given then return nil, message end
    return arguments.build(api.methods[name], given, read_secret)
  end

  it("have names", function()
    local expected = { discussion = "bob", limit = 5 }
    assert.are.same(expected, build("messages.list", no_secrets, "--discussion", "bob", "--limit", "5"))
    assert.are.same(expected, build("messages.list", no_secrets, "--limit=5", "--discussion=bob"))
    assert.are.same({ discussion = "a=b" }, build("messages.list", no_secrets, "--discussion=a=b"))
    assert.are.same({ discussion = "--limit" }, build("messages.list", no_secrets, "--discussion", "--limit"))
  end)

  it("of a list at the end are all that is left", function()
    assert.are.same({ name = "away", command = "away", arguments = { "on", "holiday" } },
      build("scripts.command", no_secrets, "away", "away", "on", "holiday"))
    assert.are.same({ name = "a", command = "b", arguments = { "c", "d" } },
      build("scripts.command", no_secrets, "a", "b", "--arguments", "c", "d"))
  end)

  it("stand without names in the table's order", function()
    assert.are.same({ discussion = "bob", text = "hi" }, build("messages.send", no_secrets, "bob", "hi"))
    assert.are.same({ discussion = "bob", text = "hi" }, build("messages.send", no_secrets, "--text", "hi", "bob"))
    assert.are.same({ discussion = "Bob Marley", text = "- one\n- two" },
      build("messages.send", no_secrets, "Bob Marley", "- one\n- two"))
    assert.are.same({ discussion = "bob", text = "--text" }, build("messages.send", no_secrets, "bob", "--", "--text"))
    assert.are.same({ discussion = "bob", text = "--" }, build("messages.send", no_secrets, "bob", "--", "--"))
    assert.are.same({ discussion = "bob", text = "--no name" }, build("messages.send", no_secrets, "bob", "--no name"))
  end)

  it("never take a secret without its name", function()
    local given = collect("discussions.open", "bob")
    assert.are.same({ peer = { "bob" } }, given)
    local none, message = collect("discussions.open", "bob", "hunter2")
    assert.is_nil(none)
    assert.truthy(message:find("one argument too many", 1, true))
  end)

  it("are converted to the table's types", function()
    assert.are.same({ types = json.array { "a", "b" }, after = 3, batch = true },
      build("events.subscribe", no_secrets, "--types", "a", "--after", "3", "--types", "b", "--batch", "yes"))
    assert.are.same({ path = sys.cwd() .. "/x/y" }, build("peers.import", no_secrets, "x/y"))
    assert.are.same({ path = "/x" }, build("peers.import", no_secrets, "/x"))
    for _, bad in ipairs {
      { "--after", "x" }, { "--after", "1.5" }, { "--after", "" }, { "--batch", "perhaps" }, { "--batch", "" },
    } do
      local none, message = build("events.subscribe", no_secrets, table.unpack(bad))
      assert.is_nil(none)
      assert.truthy(message:find(bad[1], 1, true))
    end
  end)

  it("are refused where they are unknown, too many, twice or missing", function()
    for _, case in ipairs {
      { "peers.list", "x", text = "one argument too many" },
      { "peers.show", "--pear", "x", text = "no parameter 'pear'" },
      { "peers.show", "--peer", text = "--peer needs a value" },
      { "peers.show", text = "--peer is needed: fingerprint" },
      { "peers.show", "a", "--peer", "b", text = "--peer is there twice" },
      { "messages.send", "bob", text = "takes one of --text and --texts" },
      { "messages.send", "bob", "a", "--texts", "b", text = "takes one of --text and --texts" },
      { "messages.send", "bob", "a", "b", "c", text = "'c' is one argument too many" },
    } do
      local none, message = build(case[1], no_secrets, table.unpack(case, 2))
      assert.is_nil(none)
      assert.truthy(message:find(case.text, 1, true), message)
    end
  end)

  describe("that are secrets", function()
    local asked

    local function reader(...)
      local answers, i = table.pack(...), 0
      asked = {}
      return function(param, given)
        asked[#asked + 1] = param.name .. (given and " given" or "")
        i = i + 1
        return answers[i] and secret.new(answers[i])
      end
    end

    it("are read, in the table's order, when all else is right", function()
      local params = build("identity.passphrase", reader("one", "two"), "--new", "-", "--old", "-")
      assert.are.same({ "old given", "new given" }, asked)
      assert.is_true(params.old == secret.new "one" and params.new == secret.new "two")
      build("discussions.open", reader(), "--password", "-")
      assert.are.same({}, asked)
    end)

    it("do not stand among the words", function()
      for _, words in ipairs { { "--password", "hunter2" }, { "--password=hunter2" }, { "--password=" } } do
        local none, message = build("discussions.open", reader("x"), "bob", table.unpack(words))
        assert.is_nil(none)
        assert.truthy(message:find("never the secret itself", 1, true))
        assert.is_nil(message:find("hunter2", 1, true))
        assert.are.same({}, asked)
      end
    end)

    it("may be left out where they are optional, and are not empty where they were announced", function()
      local params = build("discussions.open", reader(), "bob")
      assert.are.same({ peer = "bob" }, params)
      assert.are.same({ "password" }, asked)
      assert.are.same({ peer = "bob" }, build("discussions.open", reader(""), "bob"))
      local none, message = build("discussions.open", reader(""), "bob", "--password", "-")
      assert.is_nil(none)
      assert.are.equal("password is empty", message)
      none, message = build("identity.passphrase", reader("", ""))
      assert.is_nil(none)
      assert.are.equal("new is empty", message)
      none, message = build("identity.passphrase", reader())
      assert.is_nil(none)
      assert.truthy(message:find("--new is needed", 1, true))
    end)

    it("end it where they cannot be read", function()
      local none, message = build("discussions.open", function() return nil, "no terminal" end, "bob")
      assert.is_nil(none)
      assert.are.equal("no terminal", message)
    end)
  end)
end)
