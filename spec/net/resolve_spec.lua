-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "support.loop"
local net = require "support.net"
local case = require "support.net_case"
local resolvers = require "support.net_resolver"

describe("resolve", function()
  before_each(case.begin)
  after_each(function()
    resolvers.let_go()
    case.finish()
  end)

  local function ask(resolver, host, port, ms)
    local answer = {}
    local request = assert(resolver:start(host, port, ms or 10000, function(code, found, text)
      assert(not answer.code, "called twice")
      answer.code, answer.found, answer.text = code, found, text
    end))
    return answer, request
  end
  local function answered(answer)
    case.wait(function() return answer.code end, "the answer")
    return answer.code, answer.found
  end

  it("finds this machine, without doubles, with the port asked for", function()
    local r = case.keep(resolvers.new())
    local code, found = answered(ask(r, "localhost", 4788))
    assert.equal("ok", code)
    local seen = {}
    for _, text in ipairs(found) do
      assert.is_nil(seen[text])
      seen[text] = true
      assert.equal("loopback", (net.class(text)))
    end
    assert.is_true(seen["127.0.0.1:4788"] or seen["[::1]:4788"])
  end)

  it("answers a number without a look-up, and yet not before start returns", function()
    local r = case.keep(resolvers.new("held"))
    local four, six = ask(r, "1.2.3.4", 5, 0), ask(r, "::1", 6, 0)
    assert.is_nil(four.code)
    loop.turn()
    assert.same({ "1.2.3.4:5" }, four.found)
    assert.same({ "[::1]:6" }, six.found)
  end)

  it("says not_found and names the host", function()
    local r = case.keep(resolvers.new("nothing"))
    local answer = ask(r, "no.such.host", 1)
    assert.equal("not_found", (answered(answer)))
    assert.truthy(answer.text:find("no.such.host", 1, true))
    assert.same({}, answer.found)
  end)

  it("does not hold the loop while a look-up takes its time", function()
    local r = case.keep(resolvers.new("held"))
    local answer, fired, t = ask(r, "slow.host", 1), 0, nil
    t = case.keep(loop.after(1, function()
      fired = fired + 1
      t:start(1)
    end))
    case.wait(function() return fired >= 3 end, "timers")
    assert.is_nil(answer.code)
    resolvers.let_go()
    assert.equal("ok", (answered(answer)))
    assert.equal(8, #answer.found)
  end)

  it("times out, and the late answer of that look-up disturbs nobody", function()
    local r = case.keep(resolvers.new("held"))
    local late = ask(r, "slow.host", 1, 10)
    assert.equal("timeout", (answered(late)))
    resolvers.let_go()
    assert.equal("ok", (answered(ask(r, "other.host", 2))))
    assert.equal("timeout", late.code)
  end)

  it("completes a cancelled request once, as canceled, after cancel", function()
    local r = case.keep(resolvers.new("held"))
    local answer, request = ask(r, "slow.host", 1)
    r:cancel(request)
    r:cancel(request)
    assert.is_nil(answer.code)
    assert.equal("canceled", (answered(answer)))
    local number, second = ask(r, "1.2.3.4", 1)
    r:cancel(second) -- its answer stands already
    assert.equal("ok", (answered(number)))
  end)

  local function begun(count)
    case.poll(function() return resolvers.held_begun() >= count end, count .. " look-ups")
    case.settle()
    assert.equal(count, resolvers.held_begun())
  end

  it("runs four look-ups at once, and the rest after them", function()
    local r, answers = case.keep(resolvers.new("held")), {}
    for i = 1, 8 do answers[i] = ask(r, "counted" .. i, i) end
    begun(4)
    resolvers.let_go(1)
    begun(5)
    resolvers.let_go()
    for i, a in ipairs(answers) do
      assert.equal("ok", (answered(a)))
      assert.equal("127.0.1.0:" .. i, a.found[1])
    end
  end)

  it("counts look-ups that were given up among the four", function()
    local r, given_up = case.keep(resolvers.new("held")), {}
    for i = 1, 4 do given_up[i] = ask(r, "counted" .. i, 1, 5) end
    local patient = ask(r, "counted patient", 1)
    for _, answer in ipairs(given_up) do assert.equal("timeout", (answered(answer))) end
    begun(4)
    assert.is_nil(patient.code)
    resolvers.let_go(1)
    begun(5)
    resolvers.let_go()
    assert.equal("ok", (answered(patient)))
  end)

  it("refuses more than its cap, and names that are none", function()
    local r = case.keep(resolvers.new("held"))
    for i = 1, resolvers.WAITING_MAX do
      ask(r, "host" .. i, 1)
    end
    local none = function() error("must not be called") end
    assert.same({ nil, "busy" }, { (function(...) return ..., (select(2, ...)) end)(r:start("one.more", 1, 10, none)) })
    assert.equal("bad_params", (select(2, r:start("", 1, 10, none))))
    assert.equal("bad_params", (select(2, r:start(("a"):rep(256), 1, 10, none))))
  end)

  it("may be freed with requests under way, inside a callback too", function()
    local r = resolvers.new("held")
    ask(r, "slow.host", 1)
    r:free()
    local q, seen = resolvers.new("many"), 0
    for i = 1, 3 do
      q:start("host", i, 1000, function()
        seen = seen + 1
        q:free()
      end)
    end
    case.wait(function() return seen > 0 end, "the first answer")
    case.settle()
    assert.equal(1, seen)
  end)

  it("keeps the loop running while it waits, and not longer", function()
    local r = case.keep(resolvers.new("held"))
    local answer = ask(r, "slow.host", 1)
    case.keep(loop.after(1, function() resolvers.let_go() end))
    loop.run()
    assert.equal("ok", answer.code)
  end)
end)
