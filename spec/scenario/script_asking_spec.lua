-- SPDX-License-Identifier: GPL-3.0-or-later
-- What scripts are asked: how they are, whom they would admit; and a store that is full.
local cores = require "support.cores"
local system = require "support.system"

local alice, bob, id

local function load_script(name, needs, body)
  local path = ("%s/%s.lua"):format(cores.root(), name)
  system.write(path, ([[
local sotto = require "sotto"
local s = sotto.script { name = %q, version = "1.0", api = 1, needs = { %s } }
]]):format(name, needs) .. body)
  return bob:call("scripts.load", { path = path, grant = true })
end

local LATE = "it did not say how it is in time"

-- What a script says of itself, once it does so in time: on a busy machine any may be late.
local function health(name)
  return cores.ask(name .. " says how it is", function()
    local said = bob:script(name).health
    return said[1].text ~= LATE and said
  end)
end

local function doctor()
  local found = {}
  for _, one in ipairs(bob:call "system.doctor") do
    if one.check == "scripts" then found[#found + 1] = one.status .. " " .. one.text end
  end
  return table.concat(found, "\n")
end

describe("scripts", function()
  setup(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
  end)
  teardown(cores.clean)
  after_each(function()
    for _, one in ipairs(bob:call("scripts.list", { health = false })) do bob:call("scripts.unload", { name = one.name }) end
  end)

  it("say how they are, in the list and to the doctor; one that does not keeps nobody waiting", function()
    assert.truthy(doctor():find "^ok There are no scripts")
    load_script("silent", "", "")
    assert.are.same({}, bob:script("silent").health)
    assert.truthy(doctor():find "^ok The script runs")
    load_script("good", "", 's:health(function(h) h.ok("list loaded"); h.warn("it is short") end)')
    load_script("bad", "", 's:health(function() error "oh no" end)')
    -- it sleeps for what is under test: a report that is not there in time
    load_script("slow", "", 's:health(function(h) sotto.sleep("30s"); h.ok("late") end)')
    assert.are.same({ { status = "ok", text = "list loaded" }, { status = "warn", text = "it is short" } }, health "good")
    local bad = health "bad"
    assert.are.equal("fail", bad[1].status)
    assert.truthy(bad[1].text:find "oh no")
    assert.are.same({ { status = "warn", text = LATE } }, bob:script("slow").health)
    assert.is_nil(bob:script("good", { health = false }).health)
    for _, part in ipairs { "warn The script good says: it is short", "fail The script bad says: ", "warn The script slow says: " } do
      cores.ask("the doctor: " .. part, function() return doctor():find(part, 1, true) end)
    end
  end)

  it("that wait or are off are the doctor's business", function()
    local loaded = load_script("free", "", "")
    bob:stop()
    system.write(loaded.path, "local changed")
    bob:start()
    cores.ask("it waits", function() return bob:script "free" and bob:script("free").state == "waiting" end)
    assert.truthy(doctor():find "warn The script free waits for you: its files have changed")
  end)

  it("say whom they would admit, and a late or broken one has no opinion", function()
    local function explain() return bob:call("scripts.explain", { candidate = alice.fingerprint, discussion = id }) end
    assert.are.same({}, explain().opinions)
    assert.are.equal("ask", explain().verdict.answer)
    load_script("none", '"proposals"', "s:admission(function() end)")
    load_script("broken", '"proposals"', 's:admission(function() error "oh no" end)')
    load_script("strange", '"proposals"', 's:admission(function() return { answer = "consent" } end)')
    load_script("list", '"proposals"', [[
      s:admission(function(request)
        assert(request.discussion and #request.members == 2 and request.sponsor)
        if request.candidate.fingerprint == arg[1] then return sotto.refuse "you" end
        return sotto.consent("known as " .. request.candidate.name)
      end)]])
    local said = explain()
    assert.are.equal(4, #said.opinions)
    for i = 1, 3 do assert.is_nil(said.opinions[i].answer, said.opinions[i].script) end
    assert.are.same({ answer = "consent", script = "list", reason = "known as alice" }, said.verdict)
    -- those of higher priority come first, and one that leaves it to the person is an opinion, too
    load_script("ask", '"proposals"', "s:admission({ priority = 1 }, sotto.ask 'somebody should look')")
    assert.are.same({ answer = "ask", script = "ask", reason = "somebody should look" }, explain().verdict)
    assert.are.equal("ask", explain().opinions[1].script)
    bob:call("scripts.unload", { name = "ask" })
    load_script("two", '"proposals"', "s:admission({ priority = 2 }, sotto.vouched_by(2))")
    assert.are.equal("list", explain().verdict.script)
    local vouched = bob:call("scripts.explain",
      { candidate = alice.fingerprint, discussion = id, vouched_by = { bob.fingerprint, ("0"):rep(40) } })
    assert.are.same({ answer = "consent", script = "two", reason = "2 members vouch for it" }, vouched.verdict)
    -- nothing was done
    assert.are.equal("open", bob:discussion(id).state)
    local name = bob:fails("scripts.explain", { candidate = ("0"):rep(40) })
    assert.are.equal("not_found", name)
  end)

  it("may have policies only where they may answer proposals", function()
    local path = cores.root() .. "/meek.lua"
    system.write(path, [[
local s = require "sotto".script { name = "meek", version = "1.0", api = 1 }
s:admission(function() end)
]])
    local name, message = bob:fails("scripts.load", { path = path })
    assert.are.equal("bad_input", name)
    assert.truthy(message:find "an admission needs the capability 'proposals'", message)
  end)

  it("know who stands in a file that they were granted", function()
    local list = cores.root() .. "/friends"
    system.write(list, "# nobody yet\n")
    load_script("friends", ('"proposals", "files:%s"'):format(list), ('s:admission(sotto.listed "%s")'):format(list))
    local function answer() return bob:call("scripts.explain", { candidate = alice.fingerprint }).verdict.answer end
    assert.are.equal("ask", answer())
    system.write(list, alice.fingerprint .. "  alice\n")
    assert.are.equal("consent", answer())
    load_script("other", '"proposals"', ('s:admission(sotto.listed "%s")'):format(list))
    local opinions = bob:call("scripts.explain", { candidate = alice.fingerprint }).opinions
    assert.are.same({ "friends", "consent" }, { opinions[1].script, opinions[1].answer })
    assert.is_nil(opinions[2].answer)
  end)

  it("that think for too long about an admission have no opinion, and are killed", function()
    load_script("slow", '"proposals"', "s:admission(function() while true do end end)")
    load_script("quick", '"proposals"', 's:admission(function() return sotto.refuse("not today") end)')
    local said = bob:call("scripts.explain", { candidate = alice.fingerprint })
    assert.is_nil(said.opinions[1].answer)
    assert.is_string(said.opinions[1].problem)
    assert.are.same({ answer = "refuse", script = "quick", reason = "not today" }, said.verdict)
    local failed = bob:event("script.failed", { name = "slow" })
    assert.truthy(failed.reason:find "200 ms" or failed.reason:find "no sign of life", failed.reason)
  end)

  it("get an error where their store is full, and go on", function()
    local loaded = load_script("hoard", '"store"', [[
      s:command("fill", {}, function()
        local ok, problem
        for i = 1, 100 do
          ok, problem = pcall(function() s.store["k" .. i] = ("x"):rep(100000) end)
          if not ok then break end
        end
        s.store.k1 = "room again"
        return tostring(problem)
      end)]])
    local reply = bob:call("scripts.command", { name = "hoard", command = "fill" }).reply
    assert.truthy(reply:find "the store did not take it: it is full: it would hold 1100%d%d%d bytes, of 1048576", reply)
    assert.are.equal(loaded.pid, bob:script("hoard").pid)
    bob:call("scripts.reload", { name = "hoard" })
    assert.are.equal("running", bob:script("hoard").state)
  end)
end)
