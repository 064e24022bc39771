local tools = require "support.store_tools"
local store = require "support.store"
local fixture = require "store.fixture"

-- SQLite alone stops at 512 bytes
describe("longpath", function()
  local directory
  before_each(function() directory = tools.directory() end)
  after_each(function() tools.remove(directory) end)

  for _, depth in ipairs { 1, 2, 3, 4, 5, 12 } do
    it(("opens a store %d names of 130 bytes deep, and finds it again"):format(depth), function()
      local home = directory .. ("/" .. ("d"):rep(130)):rep(depth)
      local path = home .. "/store.db"
      local s = assert(store.open(path))
      assert(s:unlock(fixture.key))
      assert(s:setting_put("where", "here"))
      assert.is_true(s:size() > 4096)
      s:close()
      assert.equal("600", ("%o"):format(tools.mode(path)))
      assert.equal("700", ("%o"):format(tools.mode(home)))
      s = assert(store.open(path))
      assert.equal("here", s:setting_get("where"))
      s:close()
    end)
  end

  it("follows a short link to a long place", function()
    local home = directory .. ("/" .. ("d"):rep(130)):rep(5)
    assert(tools.make_directory(home))
    assert(os.execute(("ln -s '%s' '%s/short'"):format(home, directory)))
    local s = assert(store.open(directory .. "/short/store.db"))
    assert(s:setting_put("where", "far"))
    s:close()
    s = assert(store.open(home .. "/store.db"))
    assert.equal("far", s:setting_get("where"))
    s:close()
  end)

  it("takes a relative path", function()
    local name = "store-" .. directory:match("[^-]+$")
    local s = assert(store.open(name .. "/store.db"))
    finally(function() tools.remove(name) end)
    assert(s:setting_put("a", "b"))
    s:close()
    assert.is_not_nil(tools.mode(name .. "/store.db"))
  end)
end)
