-- SPDX-License-Identifier: GPL-3.0-or-later
local sys = require "sotto.sys"
local system = require "support.system"

describe("the runner of specs", function()
  local directory

  before_each(function() directory = assert(sys.make_temporary_directory "/tmp/sotto-spec-") end)

  after_each(function() assert(sys.remove_tree(directory)) end)

  local function spec(name, text)
    system.write(("%s/%s_spec.lua"):format(directory, name), text)
    return ("%s/%s_spec.lua"):format(directory, name)
  end

  -- its output, its last line and its exit status
  local function run(variables, ...)
    local words = { variables, "lua5.4 spec/support/run.lua busted" }
    for _, word in ipairs { ... } do words[#words + 1] = system.quote(word) end
    local output, status = system.shell(table.concat(words, " "))
    return output, output:match "([^\n]*)\n$", status
  end

  it("adds up what every file says, each in one piece", function()
    for i = 1, 5 do
      spec("file" .. i, ([[
        for i = 1, %d do
          it("is well", function()
            print("%d begins")
            os.execute "sleep 0.01"
            print("%d ends")
          end)
        end]]):format(i, i, i))
    end
    local output, last, status = run("SOTTO_SPEC_JOBS=3", directory)
    assert.equal("15 passed, 0 failed", last)
    assert.equal(0, status)
    local pieces = 0
    for i, piece in output:gmatch "(%d) begins\n(.-) ends\n" do
      assert.equal(i, piece)
      pieces = pieces + 1
    end
    assert.equal(15, pieces)
  end)

  it("tells a failure, and names its file at the end", function()
    spec("good", [[it("is well", function() end)]])
    local bad = spec("bad", [[it("is wrong", function() assert.equal(1, 2) end)]])
    local output, last, status = run("", directory)
    assert.equal("1 passed, 1 failed", last)
    assert.equal(1, status)
    assert.truthy(output:find("FAILURE: is wrong", 1, true))
    assert.truthy(output:find("\nfailed: " .. bad .. "\n", 1, true))
  end)

  it("tells at the end what a file that failed has said", function()
    local bad = spec("bad", [[it("is wrong", function() error "what was wrong" end)]])
    spec("good", [[it("is well", function() end)]])
    local output = run("SOTTO_SPEC_JOBS=1", directory)
    local last = output:match("\nfailed: " .. bad:gsub("%p", "%%%0") .. "\n(.*)$")
    assert.truthy(last:find("what was wrong", 1, true), output)
  end)

  -- fails until it has been run so often
  local function unsteady(times)
    return spec("unsteady", ([[
      it("comes round", function()
        local file = io.open("%s/runs", "a")
        file:write "x"
        assert(file:seek "end" >= %d, "not yet")
      end)
      it("is well", function() end)]]):format(directory, times))
  end

  it("runs a file that failed once more where it is told to, and says so", function()
    local name = unsteady(2)
    assert.equal("1 passed, 1 failed", (select(2, run("SOTTO_SPEC_AGAIN=", name))))
    os.remove(directory .. "/runs")
    local output, last, status = run("SOTTO_SPEC_AGAIN=1", name)
    assert.equal("2 passed, 0 failed", last)
    assert.equal(0, status)
    assert.truthy(output:find("\nunsteady: " .. name .. "\n", 1, true), output)
    assert.falsy(output:find("\nfailed: ", 1, true), output)
    os.remove(directory .. "/runs")
    output, last, status = run("SOTTO_SPEC_AGAIN=1", unsteady(3), spec("good", [[it("is well", function() end)]]))
    assert.equal("2 passed, 1 failed", last)
    assert.equal(1, status)
    assert.falsy(output:find("\nunsteady: ", 1, true), output)
  end)

  local UNFINISHED = {
    ["crashes"] = { [[it("crashes", function() os.execute "kill -SEGV $PPID" end)]], "a crash" },
    ["leaves early, and says that all is well"] = { [[it("leaves", function() os.exit(0) end)]], "a crash" },
    ["does not end"] = { [[it("sleeps", function() os.execute "sleep 20" end)]], "it was too late" },
    ["is no Lua"] = { "x = = 1", "unexpected symbol" },
    ["holds no spec"] = { "", "no spec was run" },
    ["says that all is well and fails at its end"] = { [[
      it("is well", function() end)
      local _ <const> = setmetatable({}, { __gc = function() os.exit(23) end })
      KEPT = _]], "every spec passed, and yet busted ended with status", "1 passed, 1 failed" },
  }

  for what, case in pairs(UNFINISHED) do
    it("fails where a file " .. what, function()
      local name = spec("file", case[1])
      local output, last, status = run("SOTTO_SPEC_PATIENCE=0.003", name)
      assert.equal(case[3] or "0 passed, 1 failed", last)
      assert.equal(1, status)
      assert.truthy(output:find(case[2], 1, true), output)
      assert.truthy(output:find("\nfailed: " .. name .. "\n", 1, true), output)
    end)
  end

  it("fails where a named file is not there", function()
    local output, last, status = run("", spec("good", [[it("is well", function() end)]]), directory .. "/other_spec.lua")
    assert.falsy(last:find(" 0 failed", 1, true))
    assert.equal(1, status)
    assert.truthy(output:find "\nfailed: [^\n]*other_spec.lua\n", output)
  end)

  it("fails where a filter leaves nothing, and only then", function()
    local one = spec("one", [[it("first", function() end)]])
    local other = spec("other", [[it("second", function() end)]])
    assert.equal("1 passed, 0 failed", (select(2, run("", "--filter=first", one, other))))
    assert.equal("1 passed, 0 failed", (select(2, run("", "--filter=second", one, other))))
    assert.equal("0 passed, 1 failed", (select(2, run("", "--filter=nowhere", one, other))))
  end)
end)
