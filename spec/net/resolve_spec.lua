-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "support.loop"
local net = require "support.net"
local case = require "support.net_case"

describe("resolve", function()
  before_each(case.begin)
  after_each(case.finish)

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
    local r = case.keep(net.resolver())
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
    local r = case.keep(net.resolver("slow"))
    local four, six = ask(r, "1.2.3.4", 5, 0), ask(r, "::1", 6, 0)
    assert.is_nil(four.code)
    loop.turn()
    assert.same({ "1.2.3.4:5" }, four.found)
    assert.same({ "[::1]:6" }, six.found)
  end)

  it("says not_found and names the host", function()
    local r = case.keep(net.resolver("nothing"))
    local answer = ask(r, "no.such.host", 1)
    assert.equal("not_found", (answered(answer)))
    assert.truthy(answer.text:find("no.such.host", 1, true))
    assert.same({}, answer.found)
  end)

  it("does not hold the loop while a look-up takes its time", function()
    local r = case.keep(net.resolver("slow"))
    local answer, fired, t = ask(r, "slow.host", 1), 0, nil
    t = case.keep(loop.after(1, function()
      fired = fired + 1
      if not answer.code then t:start(1) end
    end))
    assert.equal("ok", (answered(answer)))
    assert.equal(8, #answer.found)
    assert.is_true(fired >= 3)
  end)

  it("times out, and the late answer of that look-up disturbs nobody", function()
    local r = case.keep(net.resolver("slow"))
    local late = ask(r, "slow.host", 1, 10)
    assert.equal("timeout", (answered(late)))
    assert.equal("ok", (answered(ask(r, "other.host", 2))))
    assert.equal("timeout", late.code)
  end)

  it("completes a cancelled request once, as canceled, after cancel", function()
    local r = case.keep(net.resolver("slow"))
    local answer, request = ask(r, "slow.host", 1)
    r:cancel(request)
    r:cancel(request)
    assert.is_nil(answer.code)
    assert.equal("canceled", (answered(answer)))
    local number, second = ask(r, "1.2.3.4", 1)
    r:cancel(second) -- its answer stands already
    assert.equal("ok", (answered(number)))
  end)

  it("runs four look-ups at once, and the rest after them", function()
    local r = case.keep(net.resolver("slow"))
    local answers, begun = {}, loop.now()
    for i = 1, 8 do answers[i] = ask(r, "host" .. i, i) end
    case.wait(function()
      for _, a in ipairs(answers) do
        if not a.code then return false end
      end
      return true
    end, "all answers")
    for i, a in ipairs(answers) do
      assert.equal("ok", a.code)
      assert.equal("127.0.1.0:" .. i, a.found[1])
    end
    local took = loop.now() - begun
    assert.is_true(took >= 390, "two rounds of 200 ms, not " .. took)
  end)

  it("counts look-ups that were given up among the four", function()
    local r, begun = case.keep(net.resolver("slow")), loop.now()
    local given_up = {}
    for i = 1, 4 do given_up[i] = ask(r, "slow" .. i, 1, 5) end
    local patient = ask(r, "patient", 1)
    for _, answer in ipairs(given_up) do assert.equal("timeout", (answered(answer))) end
    assert.equal("ok", (answered(patient)))
    assert.is_true(loop.now() - begun >= 390) -- 200 ms for a slot, and 200 ms
  end)

  it("refuses more than its cap, and names that are none", function()
    local r = case.keep(net.resolver("slow"))
    for i = 1, net.RESOLVE_MAX do
      ask(r, "host" .. i, 1)
    end
    local none = function() error("must not be called") end
    assert.same({ nil, "busy" }, { (function(...) return ..., (select(2, ...)) end)(r:start("one.more", 1, 10, none)) })
    assert.equal("bad_params", (select(2, r:start("", 1, 10, none))))
    assert.equal("bad_params", (select(2, r:start(("a"):rep(256), 1, 10, none))))
  end)

  it("may be freed with requests under way, inside a callback too", function()
    local r = net.resolver("slow")
    ask(r, "slow.host", 1)
    r:free()
    local q, seen = net.resolver("many"), 0
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
    local r = case.keep(net.resolver("slow"))
    local answer = ask(r, "slow.host", 1)
    loop.run()
    assert.equal("ok", answer.code)
  end)
end)
