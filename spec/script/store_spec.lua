-- SPDX-License-Identifier: GPL-3.0-or-later
-- The store as the core would hold it: leaves by path, changed by what the proxy puts.
local json = require "sotto.json"
local store = require "sotto.script.store"

describe("a script's store", function()
  local kept, puts, proxy

  local function key(path) return json.encode(json.array { table.unpack(path) }) end

  local function put(set, drop)
    puts = puts + 1
    for _, path in ipairs(drop) do kept[key(path)] = nil end
    for _, leaf in ipairs(set) do kept[key(leaf[1])] = leaf end
    return true
  end

  -- as after a restart
  local function again()
    local leaves = {}
    for _, leaf in pairs(kept) do leaves[#leaves + 1] = leaf end
    return store.new(leaves, put)
  end

  local function plain(value)
    if type(value) ~= "table" then return value end
    local out = {}
    for name, inner in pairs(value) do out[name] = plain(inner) end
    return out
  end

  before_each(function()
    kept, puts = {}, 0
    proxy = store.new({}, put)
  end)

  it("is gone through by next, as by pairs", function()
    assert.is_nil(store.next(proxy))
    proxy.list = { a = { 1 } }
    assert.are.equal("list", (store.next(proxy)))
    local name, inner = store.next(proxy.list)
    assert.are.equal("a", name)
    inner[2] = 2
    assert.are.equal(2, again().list.a[2])
    assert.is_nil(store.next(proxy, "list"))
    assert.are.equal(1, (store.next { "plain" }))
  end)

  it("keeps scalars and tables, and gives them back after a restart", function()
    proxy.n, proxy.s, proxy.yes, proxy.half = 1, "text", true, 0.5
    proxy.list = { "a", "b", { c = 1 } }
    proxy.list[3].d = 2
    proxy.map = { [7] = "seven", seven = 7 }
    assert.are.same(plain(proxy), plain(again()))
    assert.are.same({ n = 1, s = "text", yes = true, half = 0.5, list = { "a", "b", { c = 1, d = 2 } },
      map = { [7] = "seven", seven = 7 } }, plain(again()))
  end)

  it("puts at every write, and only what changes", function()
    proxy.allow = { a = true, b = true }
    proxy.allow.c = true
    assert.are.equal(2, puts)
    assert.are.equal(3, #{ kept['["allow","a"]'], kept['["allow","b"]'], kept['["allow","c"]'] })
  end)

  it("forgets what was replaced or taken away, with all that was in it", function()
    proxy.t = { deep = { deeper = 1 }, other = 2 }
    proxy.t.deep = nil
    assert.are.same({ t = { other = 2 } }, plain(again()))
    proxy.t = "text"
    assert.are.same({ t = "text" }, plain(again()))
    proxy.t = nil
    assert.are.same({}, kept)
  end)

  it("keeps empty tables, also those that have become empty", function()
    proxy.t = {}
    assert.are.same({ t = {} }, plain(again()))
    proxy.t.a = 1
    assert.are.same({ t = { a = 1 } }, plain(again()))
    proxy.t.a = nil
    assert.are.same({ t = {} }, plain(again()))
  end)

  it("has length, order and iteration as a table has", function()
    proxy.list = { "a", "b" }
    proxy.list[#proxy.list + 1] = "c"
    local seen = {}
    for i, value in ipairs(proxy.list) do seen[i] = value end
    assert.are.same({ "a", "b", "c" }, seen)
    assert.are.equal(3, #proxy.list)
    table.insert(proxy.list, 1, "first")
    assert.are.same({ "first", "a", "b", "c" }, plain(again().list))
  end)

  it("copies what it is given: a later change of that is not kept, nor are two places one", function()
    local mine = { 1 }
    proxy.a, proxy.b = mine, mine
    mine[1] = 2
    proxy.a[1] = 3
    assert.are.same({ a = { 3 }, b = { 1 } }, plain(again()))
    proxy.c = proxy.a
    proxy.c[1] = 9
    assert.are.same({ 3 }, plain(proxy.a))
  end)

  it("refuses what cannot be kept, and changes nothing", function()
    local cycle = {}
    cycle[1] = cycle
    for _, value in ipairs { print, coroutine.create(print), cycle, 0 / 0, 1 / 0, { f = print }, { [1.5] = 1 }, { [true] = 1 } } do
      assert.is_false(pcall(function() proxy.x = value end), tostring(value))
    end
    assert.is_false(pcall(function() proxy[1.5] = 1 end))
    assert.is_nil(proxy.x)
    assert.are.equal(0, puts)
  end)

  it("does not take a write to a table that was replaced", function()
    proxy.t = { a = 1 }
    local old = proxy.t
    proxy.t = { b = 2 }
    assert.is_false(pcall(function() old.c = 3 end))
    assert.are.same({ t = { b = 2 } }, plain(again()))
  end)

  it("raises where the core does not take it, and stays as it was", function()
    proxy.n = 1
    local full = store.new({ { { "n" }, 1 } }, function() return nil, "it is full" end)
    local ok, problem = pcall(function() full.n = 2 end)
    assert.is_false(ok)
    assert.truthy(problem:find("it is full", 1, true))
    assert.are.equal(1, full.n)
  end)

  describe("that is full", function()
    local function refused(pattern, f)
      local ok, problem = pcall(f)
      assert.is_false(ok)
      assert.truthy(tostring(problem):find(pattern), tostring(problem))
    end

    it("refuses a write, says by how much, and stays as it was", function()
      proxy.text = ("x"):rep(store.BYTES_MAX - 100)
      refused("it is full: it would hold %d+ bytes, of 1048576", function() proxy.more = ("y"):rep(100) end)
      assert.is_nil(proxy.more)
      assert.are.same(plain(proxy), plain(again()))
      local before = puts
      refused("it is full", function() again().more = ("y"):rep(100) end)
      assert.are.equal(before, puts)
      proxy.text = "short"
      proxy.more = ("y"):rep(100)
      assert.are.equal(100, #proxy.more)
    end)

    it("counts values, also those that were there before", function()
      local list = {}
      for i = 1, store.LEAVES_MAX - 1 do list[i] = i end
      proxy.list = list
      proxy.last = true
      refused("it would hold 10001 values, of 10000", function() proxy.one_more = true end)
      local restarted = again()
      refused("it would hold 10001 values", function() restarted.one_more = true end)
      restarted.list[1] = nil
      restarted.one_more = true
      -- what is replaced makes room for what replaces it
      restarted.list = { 1, 2, 3 }
      for i = 4, 100 do restarted.list[i] = i end
      assert.are.same(plain(restarted), plain(again()))
    end)

    it("refuses keys that are too long together", function()
      refused("its keys are too long", function() proxy[("k"):rep(store.PATH_MAX)] = 1 end)
    end)

    it("counts as the core does", function()
      -- bytes of the path and of the value, as JSON
      proxy.a = { b = "c", [7] = 1.5 }
      proxy.e = {}
      local restarted = again()
      refused("would hold %d+ bytes", function() restarted.rest = ("x"):rep(store.BYTES_MAX) end)
      local taken = #'["a","b"]' + #'"c"' + #'["a",7]' + #"1.5" + #'["e"]' + #"{}" + #'["rest"]' + #'""'
      local room = store.BYTES_MAX - taken
      refused(("would hold %d bytes"):format(store.BYTES_MAX + 1), function() restarted.rest = ("x"):rep(room + 1) end)
      restarted.rest = ("x"):rep(room)
      assert.are.equal(room, #again().rest)
    end)
  end)
end)
