local fixture = require "store.fixture"
local tools = require "support.store_tools"

describe("keyring", function()
  local f, s
  before_each(function()
    f = fixture.new()
    s = f.s
  end)
  after_each(function() f.done() end)

  it("P4.4 works with more discussions than it keeps keys unwrapped", function()
    assert(s:begin())
    for n = 1, 150 do
      assert(s:discussion_create(fixture.discussion(n)))
      assert(s:message_insert(fixture.message(n, { discussion = fixture.id(n) })))
    end
    assert(s:commit())
    for _ = 1, 2 do
      for n = 1, 150 do assert.equal("text number " .. n, s:message_get(fixture.id(n)).text) end
      for n = 150, 1, -1 do assert.equal("text number " .. n, s:message_get(fixture.id(n)).text) end
    end
    local search = assert(s:search("number"))
    assert.equal(150, #search:slice(1000, 1000))
    search:free()
  end)

  it("P4.4 keeps the key of a list that is under way while its visitor reads many others", function()
    for n = 1, 100 do assert(s:discussion_create(fixture.discussion(n))) end
    for n = 1, 3 do assert(s:message_insert(fixture.message(n))) end
    for n = 4, 100 do assert(s:message_insert(fixture.message(n, { discussion = fixture.id(n) }))) end
    local seen = {}
    assert(s:message_list(fixture.id(1), { limit = 10 }, function(m)
      seen[#seen + 1] = m.text
      for n = 4, 100 do assert.equal("text number " .. n, s:message_get(fixture.id(n)).text) end
    end))
    assert.same({ "text number 1", "text number 2", "text number 3" }, seen)
  end)

  it("P4.4 says busy, and no worse, where reads nest deeper than it has room", function()
    for n = 1, 70 do
      assert(s:discussion_create(fixture.discussion(n)))
      assert(s:message_insert(fixture.message(n, { discussion = fixture.id(n) })))
    end
    local deepest, code = 0, nil
    local function nest(n)
      local ok, why = s:message_get(fixture.id(n), function()
        deepest = n
        nest(n + 1)
      end)
      if not ok then code = code or why end
    end
    nest(1)
    assert.same({ 64, "busy" }, { deepest, code })
    assert.equal("text number 70", s:message_get(fixture.id(70)).text)
  end)

  it("P4.4 gives each discussion a key of its own", function()
    for n = 1, 20 do assert(s:discussion_create(fixture.discussion(n))) end
    f.close()
    local seen = {}
    for _, row in ipairs(f.sql("SELECT wrapped, id FROM data_keys JOIN discussions ON number = discussion")) do
      local key = assert(tools.unseal(fixture.key, { "data_keys", "wrapped", row[2] }, row[1]))
      assert.equal(32, #key)
      assert.is_nil(seen[key])
      seen[key] = true
    end
  end)
end)
