-- SPDX-License-Identifier: GPL-3.0-or-later
local values = require "sotto.client.values"

describe("Lua in the front end", function()
  local calls, answers, environment

  -- a connection whose every call waits
  local connection = {
    call = function(_, method, params)
      calls[#calls + 1] = { method, params }
      coroutine.yield()
      local answer = answers[method]
      if type(answer) == "function" then return answer(params) end
      return answer
    end,
  }

  before_each(function()
    calls = {}
    answers = {
      ["peers.list"] = function()
        return { { name = "bob", fingerprint = ("B"):rep(40) }, { name = "carol", fingerprint = ("C"):rep(40) } }
      end,
      ["discussions.list"] = function()
        local function discussion(id, state, ...)
          local members = { { name = "me", you = true, fingerprint = ("E"):rep(40) } }
          for i, name in ipairs { ... } do members[i + 1] = { name = name, fingerprint = name:sub(1, 1):upper():rep(40) } end
          return { id = id, state = state, members = members }
        end
        return {
          discussion("old", "refused", "bob"), discussion("many", "open", "carol", "bob"), discussion("abc", "open", "bob"),
        }
      end,
      ["identity.show"] = { name = "me" },
      ["peers.show"] = function(params)
        if params.peer == "bob" then return { name = "bob" } end
        return nil, "no peer has that name", "not_found"
      end,
    }
    environment = values.environment(connection)
  end)

  local function run(text, breaks)
    local thread = coroutine.create(values.run)
    local results = table.pack(coroutine.resume(thread, text, environment, "spec", breaks))
    while coroutine.status(thread) ~= "dead" do results = table.pack(coroutine.resume(thread)) end
    assert(results[1], results[2])
    return table.unpack(results, 2, results.n)
  end

  it("evaluates expressions and statements, with any number of values", function()
    assert.are.same({ true, 2 }, { run "1 + 1" })
    assert.are.same({ 4, true, 1, nil, 3 }, { select("#", run "1, nil, 3"), run "1, nil, 3" })
    assert.are.equal(1, select("#", run "local x = 1"))
    assert.are.same({ true, 5 }, { run "local x = 2 return x + 3" })
  end)

  it("has peers, discussions and me, fetched at each mention", function()
    assert.are.same({ true, "bob" }, { run "peers[1].name" })
    assert.are.same({ true, ("C"):rep(40) }, { run "peers.carol.fingerprint" })
    assert.are.same({ true, "carol" }, { run(("peers['%s'].name"):format(("C"):rep(40))) })
    assert.are.same({ true, "abc" }, { run "discussions.bob.id" })
    assert.are.same({ true, "abc" }, { run "discussions.abc.id" })
    assert.are.same({ true, "old" }, { run "discussions.old.id" })
    assert.are.same({ true, "many" }, { run "discussions['carol, bob'].id" })
    assert.are.same({ true, "many" }, { run "discussions.carol.id" })
    assert.are.same({ true, nil }, { run "discussions.me" })
    assert.are.same({ true, "me" }, { run "me.name" })
    assert.are.same({ true, 2 }, { run "#peers" })
    assert.are.equal(11, #calls)
  end)

  it("calls methods, also from metamethods, iterators and protected calls", function()
    assert.are.same({ true, "bob" }, { run "sotto.peers.show{ peer = 'bob' }.name" })
    assert.are.same({ true, "bobcarol" }, { run [[
      local all = setmetatable({}, {
        __index = function(_, i) return peers[i] and peers[i].name end,
        __concat = function(a, b) return a[1] .. b[2] end,
        __close = function() return me end,
      })
      local closed <close> = all
      return all .. all
    ]] })
    assert.are.same({ true, "bob carol" }, { run [[
      local found = {}
      for _, peer in ipairs(peers) do found[#found + 1] = peer.name end
      return table.concat(found, " ")
    ]] })
    assert.are.same({ true, true, "me" }, { run "pcall(function() return me.name end)" })
  end)

  it("raises the text of a failed call", function()
    assert.are.same({ false, "no peer has that name (not_found)" }, { run "sotto.peers.show{ peer = 'eve' }" })
    assert.are.same({ true, false, "no peer has that name (not_found)" },
      { run "pcall(sotto.peers.show, { peer = 'eve' })" })
  end)

  it("says what is wrong with a text, and where", function()
    local ok, message = run "1 +"
    assert.is_false(ok)
    assert.truthy(message:find("^spec:1: "))
    ok, message = run "\n\nerror 'x'"
    assert.is_false(ok)
    assert.are.equal("spec:3: x", message)
    assert.are.same({ false, "nil" }, { run "error()" })
    ok, message = run "error({})"
    assert.is_false(ok)
    assert.truthy(message:find "^table: ")
    ok, message = run "peers[9].name"
    assert.is_false(ok)
    assert.truthy(message:find("attempt to index a nil value", 1, true))
  end)

  it("takes no binary chunk", function()
    local ok, message = run(string.dump(function() return 1 end))
    assert.is_false(ok)
    assert.is_string(message)
  end)

  it("keeps what it sets to itself", function()
    run "spec_global = 1"
    assert.is_nil(rawget(_G, "spec_global"))
    assert.are.same({ true, 1 }, { run "spec_global" })
  end)

  describe("that runs on and on", function()
    local log, breaks

    before_each(function()
      log = {}
      breaks = {
        allow_break = function(on) log[#log + 1] = on end,
        was_broken = function() return true end,
      }
    end)

    it("is ended by a break, also where it catches errors", function()
      for _, text in ipairs {
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function f() return f() end f()",
        "while true do pcall(error, setmetatable({}, { __tostring = function() while true do end end })) end",
        "repeat until false",
      } do
        log = {}
        local ok, message = run(text, breaks)
        assert.is_false(ok)
        assert.are.equal("stopped by Ctrl-C", message)
        assert.are.same({ true, false }, log)
      end
    end)

    it("goes on where there is none", function()
      breaks.was_broken = function() return false end
      assert.are.same({ true, 20000000 }, { run("local n = 0 for i = 1, 20000000 do n = i end return n", breaks) })
      assert.are.same({ true, false }, log)
    end)

    it("is left alone while it is quick", function()
      assert.are.same({ true, 1 }, { run("1", breaks) })
      assert.are.same({ false }, log)
    end)
  end)
end)
