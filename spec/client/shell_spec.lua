-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a shell completes, tried in a real bash.
local api = require "sotto.core.api"
local cores = require "support.cores"
local shell = require "sotto.client.shell"
local system = require "support.system"

describe("bash's completion", function()
  local script

  setup(function()
    script = cores.root() .. "/sotto.bash"
    system.write(script, shell.bash { "call", "events", "help", "status" })
  end)
  teardown(cores.clean)

  -- what Tab offers at the end of the words; the last one is what has been typed of the next
  local function complete(...)
    local words = {}
    for i, word in ipairs { ... } do words[i] = system.quote(word) end
    local lines = ("source %s; COMP_WORDS=(%s); COMP_CWORD=%d; compopt() { :; }; _sotto; printf '%%s\\n' \"${COMPREPLY[@]}\""):format(
      system.quote(script), table.concat(words, " "), #words - 1)
    local pipe = assert(io.popen("bash --norc -c " .. system.quote(lines) .. " 2>&1"))
    local found = {}
    for line in pipe:lines() do found[line] = true end
    pipe:close()
    return found
  end

  it("offers commands and nouns", function()
    local found = complete("sotto", "")
    for _, word in ipairs { "call", "status", "--home", "peers", "messages" } do assert.is_true(found[word], word) end
    assert.are.same({ discussions = true }, complete("sotto", "disc"))
  end)

  it("offers every verb and parameter of the table", function()
    for _, noun in ipairs(api.nouns) do
      for _, method in ipairs(noun.name ~= "events" and noun.methods or {}) do
        assert.is_true(complete("sotto", noun.name, "")[method.verb], method.name)
        local found = complete("sotto", noun.name, method.verb, "--")
        for _, param in ipairs(method.params) do assert.is_true(found["--" .. param.name], method.name) end
        assert.is_true(found["--json"])
      end
    end
  end)

  it("goes on behind options", function()
    assert.is_true(complete("sotto", "--home", "/tmp", "--json", "peers", "")["list"])
  end)

  it("offers methods, events, nouns and directories where they may stand", function()
    assert.are.same({ ["system.info"] = true }, complete("sotto", "call", "system.in"))
    assert.is_true(complete("sotto", "events", "message.")["message.received"])
    assert.is_true(complete("sotto", "help", "")["events"])
    assert.is_true(complete("sotto", "--home", cores.root():sub(1, -2))[cores.root()])
  end)

  it("offers what new, run and test take", function()
    assert.are.same({ bot = true, plugin = true, policy = true }, complete("sotto", "new", ""))
    assert.are.same({ [""] = true }, complete("sotto", "new", "bot", ""))
    assert.is_true(complete("sotto", "run", "--")["--watch"])
    assert.is_true(complete("sotto", "run", "--grant", script:sub(1, -2))[script])
    assert.is_true(complete("sotto", "test", script:sub(1, -2))[script])
  end)

  it("offers files for a path, and nothing where a person must write", function()
    assert.is_true(complete("sotto", "peers", "import", script:sub(1, -2))[script])
    assert.are.same({ [""] = true }, complete("sotto", "messages", "send", "--text", ""))
  end)

  it("takes no core for granted", function()
    assert.are.same({ [""] = true }, complete("build/sotto", "--home", cores.root() .. "/none", "peers", "show", ""))
  end)
end)
