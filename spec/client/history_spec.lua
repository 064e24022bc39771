-- SPDX-License-Identifier: GPL-3.0-or-later
local history = require "sotto.client.history"
local sys = require "sotto.sys"

describe("the history file", function()
  local folder, path

  before_each(function()
    folder = assert(sys.make_temporary_directory "/tmp/sotto-spec-")
    path = folder .. "/history"
  end)
  after_each(function() assert(sys.remove_tree(folder)) end)

  local function texts(entries)
    local list = {}
    for i, entry in ipairs(entries) do list[i] = entry.text end
    return list
  end

  it("keeps an entry a line, whatever stands in it", function()
    for _, text in ipairs { "/list", "=1 +\n2", "a\\nb", "\\", "x\r\ny\0z", "żółw 日本", " ", "=\27[2J" } do
      local entry = { time = 12, text = text }
      local line = history.encode(entry)
      assert.is_nil(line:find "[\n\r\0]")
      assert.are.same({ entry }, history.parse(line .. "\n"))
    end
  end)

  it("takes nothing from what is no entry", function()
    assert.are.same({}, history.parse "")
    assert.are.same({ { time = 1, text = "a" } }, history.parse "x\n1 a\n2\n\n3 \n1e5 b\n99999999999999999999999 c\n-1 d")
  end)

  it("is there again at the next start, and nobody else's to read", function()
    assert.are.same({}, history.load(path))
    for i = 1, 3 do assert(history.append(path, { time = i, text = "line " .. i })) end
    assert.are.same({ "line 1", "line 2", "line 3" }, texts(history.load(path)))
    assert.are.equal(tonumber("600", 8), sys.stat(path).mode & tonumber("777", 8))
  end)

  it("is taken back from others who may read it", function()
    assert(history.append(path, { time = 1, text = "x" }))
    os.execute("chmod 644 " .. path)
    assert.are.same({ "x" }, texts(history.load(path)))
    assert.are.equal(tonumber("600", 8), sys.stat(path).mode & tonumber("777", 8))
  end)

  it("does not grow without end", function()
    local file = assert(io.open(path, "w"))
    for i = 1, 5000 do file:write(history.encode { time = i, text = "line " .. i }, "\n") end
    file:close()
    local found = history.load(path)
    assert.are.equal(history.KEPT, #found)
    assert.are.equal("line 5000", found[#found].text)
    assert.are.same(found, history.parse(assert(sys.read_file(path))))
    assert(history.append(path, { time = 1, text = ("x"):rep(history.ENTRY_MAX + 1) }))
    assert.are.equal(history.KEPT, #history.load(path))
  end)

  it("says why it cannot be written", function()
    local ok, message = history.append(folder .. "/no/where", { time = 1, text = "x" })
    assert.is_nil(ok)
    assert.is_string(message)
    assert.are.same({}, history.load(folder .. "/no/where"))
    local found, problem = history.load(folder)
    assert.are.same({}, found)
    assert.is_string(problem)
  end)

  it("merges by time, and says a thing once", function()
    local a = { { time = 1, text = "a" }, { time = 3, text = "c" }, { time = 3, text = "d" } }
    local b = { { time = 2, text = "b" }, { time = 3, text = "d" }, { time = 4, text = "e" } }
    assert.are.same({ "a", "b", "c", "d", "e" }, history.merge(a, b))
    assert.are.same({}, history.merge({}, {}))
    assert.are.equal(3, #a)
  end)
end)
