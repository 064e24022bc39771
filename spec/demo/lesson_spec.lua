-- SPDX-License-Identifier: GPL-3.0-or-later
local lesson = require "sotto.demo.lesson"

describe("lesson", function()
  local one

  before_each(function() one = lesson.new("echo", "otter lime") end)

  local function step(kind, more)
    local event = more or {}
    event.kind = kind
    return lesson.step(one, event)
  end

  local function verbs(actions)
    local list = {}
    for i, action in ipairs(actions) do list[i] = action.verb end
    return table.concat(list, " ")
  end

  -- all that a newcomer reads of it
  local function text(actions)
    local list = {}
    for _, action in ipairs(actions) do
      list[#list + 1] = action.text
      for _, said in ipairs(action.texts or {}) do list[#list + 1] = said end
    end
    return table.concat(list, "\n")
  end

  local function open(more)
    local event = more or {}
    event.words = event.words or "one two three four five six seven eight nine ten eleven twelve"
    return step("opened", event)
  end

  local function hear(...) return step("heard", { texts = { ... } }) end

  local function command(word) return step("command", { word = word }) end

  it("tells the password before it asks", function()
    local actions = step("ready", { address = "127.0.0.1:4000" })
    assert.are.equal("tell tell tell ask", verbs(actions))
    assert.truthy(actions[1].text:find("127.0.0.1:4000", 1, true))
    assert.truthy(actions[2].text:find("otter lime", 1, true))
    assert.truthy(actions[3].text:find("/accept", 1, true))
  end)

  it("says back what it hears", function()
    assert.are.equal("say", verbs(open()))
    assert.are.same({ "a", "b" }, hear("a", "b")[1].texts)
  end)

  it("gives one hint each time when it has become quiet, and at last none", function()
    open()
    local hints = {}
    for i = 1, 7 do
      hear("message " .. i)
      hints[#hints + 1] = text(step "quiet")
    end
    for i, wanted in ipairs { '"one two three"', "/demo off", "/history", "=peers.echo", "/close" } do
      assert.truthy(hints[i]:find(wanted, 1, true), hints[i])
    end
    assert.are.same({ "", "" }, { hints[6], hints[7] })
  end)

  it("has lines for a window of 80 columns", function()
    local function check(actions)
      for _, action in ipairs(actions) do
        for line in (action.texts and text { action } or ""):gmatch("[^\n]+") do
          assert.is_true(#"12:31 echo: " + utf8.len(line) <= 80, line)
        end
      end
    end
    check(open { words = "abacuss abacuss abacuss d" })
    for _ = 1, 6 do check(step "quiet") end
    check(open { pinned = true })
    command "off"
    check(step "resumed")
  end)

  it("asks again after a wrong password, and gives up when no try is left", function()
    local actions = step("refused", { reason = "failed" })
    assert.are.equal("tell ask", verbs(actions))
    assert.truthy(text(actions):find("otter lime", 1, true))
    assert.are.equal("tell finish", verbs(step "no_guess"))
  end)

  it("takes a no for a no", function()
    for _, reason in ipairs { "refused", "expired", "lost" } do
      assert.are.equal("tell finish", verbs(step("refused", { reason = reason })), reason)
    end
  end)

  it("lets the newcomer's own request stand, and accepts it", function()
    assert.are.equal("", verbs(step("refused", { reason = "superseded" })))
    assert.are.equal("accept", verbs(step "asked"))
  end)

  it("pulls the plug and puts it back, once each", function()
    open()
    assert.are.equal("tell", verbs(command "on"))
    assert.are.equal("kill tell", verbs(command "off"))
    assert.are.equal("tell", verbs(command "off"))
    assert.are.equal("start", verbs(command "on"))
    assert.truthy(text(step "resumed"):find("again", 1, true))
    -- a link that was lost for another reason is not worth a word
    assert.are.equal("", verbs(step "resumed"))
  end)

  it("starts a core again that has ended by itself", function()
    open()
    assert.are.equal("tell", verbs(step "died"))
    assert.are.equal("start", verbs(command "on"))
    assert.are.equal("say", verbs(step "resumed"))
  end)

  it("says after the first close that the next discussion needs no password", function()
    open()
    assert.truthy(text(step "closed"):find("/open echo", 1, true))
    open { pinned = true }
    assert.is_nil(text(step "closed"):find("password", 1, true))
  end)

  it("ends at stop, and knows no other word", function()
    assert.are.equal("finish", verbs(command "stop"))
    local actions = command "\27[2Jquickly"
    assert.are.equal("tell", verbs(actions))
  end)
end)
