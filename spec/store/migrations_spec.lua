local tools = require "support.store_tools"
local store = require "support.store"
local fixture = require "store.fixture"

describe("migrations", function()
  local directory, path
  before_each(function()
    directory = tools.directory()
    path = directory .. "/store.db"
  end)
  after_each(function() tools.remove(directory) end)

  local function version() return tools.sql(path, "PRAGMA user_version")[1][1] end

  it("brings an empty file up to the newest schema", function()
    store.open(path):close()
    assert.equal(#tools.schema(), version())
    assert.equal(0x736f7474, tools.sql(path, "PRAGMA application_id")[1][1])
  end)

  it("brings a file of version 1 up to date and keeps what is in it", function()
    assert(tools.migrate(path, { tools.schema()[1] }))
    assert.equal(1, version())
    tools.sql(path, "INSERT INTO settings VALUES ('port', CAST('4788' AS BLOB))")
    local s = assert(store.open(path))
    assert.equal(4788, s:setting_get_int("port"))
    s:close()
    assert.equal(#tools.schema(), version())
  end)

  it("runs the steps that the file lacks, each once and in order", function()
    local list = { "CREATE TABLE a (x)", "INSERT INTO a VALUES (1)", "UPDATE a SET x = x + 1" }
    assert(tools.migrate(path, { list[1] }))
    assert(tools.migrate(path, list))
    assert(tools.migrate(path, list))
    assert.same({ { 2 } }, tools.sql(path, "SELECT x FROM a"))
    assert.equal(3, version())
  end)

  it("leaves the last good schema where a step fails half-way", function()
    local list = { "CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO a VALUES (1); SELECT nonsense" }
    local _, code, text = tools.migrate(path, list)
    assert.equal("io", code)
    assert.truthy(text:find("nonsense", 1, true))
    assert.equal(1, version())
    assert.same({}, tools.sql(path, "SELECT x FROM a"))
    assert.same({ { 0 } }, tools.sql(path, "SELECT count(*) FROM sqlite_master WHERE name = 'b'"))
  end)

  it("refuses a schema that is newer than this program, and touches nothing", function()
    store.open(path):close()
    tools.sql(path, ("PRAGMA user_version = %d"):format(#tools.schema() + 1))
    local before = fixture.bytes(0)
    local file = io.open(path, "rb")
    before = before .. file:read("a")
    file:close()
    local s, code, text = store.open(path)
    assert.is_nil(s)
    assert.equal("unsupported", code)
    assert.truthy(text:find("schema " .. #tools.schema() + 1, 1, true))
    file = io.open(path, "rb")
    assert.equal(before, file:read("a"))
    file:close()
  end)

  it("refuses a database that is not a store, and a file that is no database", function()
    tools.sql(path, "CREATE TABLE other (x)")
    local _, code, text = store.open(path)
    assert.equal("bad_input", code)
    assert.truthy(text:find("not a store", 1, true))
    local file = io.open(directory .. "/junk.db", "wb")
    file:write(fixture.bytes(20000))
    file:close()
    _, code, text = store.open(directory .. "/junk.db")
    assert.equal("bad_input", code)
    assert.truthy(text:find("not a store", 1, true))
  end)
end)
