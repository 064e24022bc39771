local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"
local loop = require "support.loop"

local done, failure = gnupg.done, gnupg.failure
local SIGCONT = 18

describe("gpg", function()
  local directory, rig, anna, bert, path

  setup(function()
    directory = gnupg.directory()
    rig = assert(openpgp.new(directory .. "/homes"))
    anna, bert = done(rig:make_discussion {}), done(rig:make_discussion {})
    done(rig:import { home = anna.home, certificate = bert.certificate })
    done(rig:import { home = bert.home, certificate = anna.certificate })
    path = anna.home:path()
  end)

  teardown(function()
    rig:stop()
    gnupg.remove(directory)
  end)

  -- Operations of the home wait for as long as its agent is stopped.
  local function stopped(f)
    done(rig:sign { home = anna.home, text = "x" }) -- there is one
    local agent = assert(openpgp.agents(path)[1])
    gnupg.stop_process(agent)
    local ok, why = pcall(f)
    openpgp.send_signal(agent, SIGCONT)
    if not ok then error(why, 0) end
  end

  -- The gpg processes among our children, but for those that are dead and not reaped yet.
  local function gpg_processes()
    local count = 0
    for _, pid in ipairs(openpgp.children()) do
      local file = io.open("/proc/" .. pid .. "/cmdline")
      if file then
        if file:read("a"):match("^[^\0]*gpg\0") then count = count + 1 end
        file:close()
      end
    end
    return count
  end

  local function turn_until(condition) gnupg.turn_until(rig, condition) end

  local function sign(options)
    local call = { home = anna.home, text = "x" }
    for k, v in pairs(options or {}) do call[k] = v end
    return rig:sign(call)
  end

  it("P3.5 kills an operation that is late", function()
    stopped(function()
      local begin = openpgp.now()
      local pending = sign { timeout = 1000 } -- long enough for its process to be seen
      turn_until(function() return gpg_processes() == 1 end)
      local code, text = failure(pending)
      assert.are.equal("timeout", code)
      assert.truthy(text:find("sign within 1000 ms"), text)
      local took = openpgp.now() - begin
      assert.is_true(took >= 1, took)
      turn_until(function() return gpg_processes() == 0 end)
    end)
    assert.are.equal(1, rig:load().timeouts)
    assert(done(sign()).output)
  end)

  it("starts one process in a turn, and no more than it may at a time", function()
    for _, limit in ipairs { 1, 3 } do
      rig:limit(limit)
      local pendings, running, turns = {}, 0, 0
      for i = 1, 6 do pendings[i] = assert(sign()) end
      while running < limit do
        assert(turns < 10000, "not in time")
        loop.turn() -- libev's: the end of one of ours and the beginning of the next
        turns, running = turns + 1, rig:load().running
        assert.is_true(running <= turns + 1 and running <= limit, running)
      end
      for _ = 1, 50 do
        loop.turn()
        assert.is_true(rig:load().running <= limit)
      end
      for _, pending in ipairs(pendings) do assert(done(pending).output) end
      assert.are.equal(0, rig:load().running)
    end
    rig:limit(8)
  end)

  it("P3.5 takes time-outs of up to 120 s", function()
    assert.are.equal("bad_params", (failure(sign { timeout = 120001 })))
    assert.are.equal("bad_params", (failure(sign { timeout = -1 })))
    assert(done(sign { timeout = 120000 }).output)
  end)

  it("cancels what runs on the next turn, and its process is gone", function()
    stopped(function()
      local pending = sign()
      turn_until(function() return gpg_processes() == 1 end)
      pending:cancel()
      assert.is_false(pending:done()) -- never before cancel has returned
      rig:turn()
      assert.is_true(pending:done())
      assert.are.equal("canceled", (failure(pending)))
      turn_until(function() return gpg_processes() == 0 end)
    end)
    assert(done(sign()).output)
  end)

  it("cancels what waits, at once, and twice is once", function()
    local pending = sign()
    pending:cancel()
    pending:cancel()
    assert.are.equal("canceled", (failure(pending)))
    assert.are.equal(0, rig:load().running + rig:load().queued)
  end)

  it("cancels at any moment of an operation's life", function()
    for turns = 0, 30 do
      local pending = rig:seal { home = anna.home, text = "x", to = { bert.info.encryption } }
      for _ = 1, turns do
        if not pending:done() then rig:turn(0.0005) end
      end
      local was_done = pending:done()
      pending:cancel()
      local result, code = pending:wait()
      assert.is_true(was_done and result ~= nil or code == "canceled")
    end
    turn_until(function() return gpg_processes() == 0 end)
  end)

  it("runs at most 8 at a time, and answers each", function()
    stopped(function()
      local list = {}
      for i = 1, 30 do list[i] = assert(sign()) end
      turn_until(function() return gpg_processes() == 8 end)
      for _ = 1, 20 do rig:turn() end
      assert.are.equal(8, rig:load().running)
      assert.are.equal(8, gpg_processes())
      assert.are.equal(22, rig:load().queued)
      openpgp.send_signal(openpgp.agents(path)[1], SIGCONT)
      for i = 1, 30 do assert(done(list[i]).output) end
    end)
    assert.are.equal(0, rig:load().running)
  end)

  it("P1.7 serves strangers last, and never more than two at a time", function()
    stopped(function()
      local strangers, own = {}, {}
      for i = 1, 10 do strangers[i] = assert(sign { stranger = true }) end
      turn_until(function() return gpg_processes() == 2 end)
      for _ = 1, 20 do rig:turn() end
      assert.are.equal(2, rig:load().running)
      assert.are.equal(8, rig:load().queued_strangers)
      for i = 1, 12 do own[i] = assert(sign()) end
      turn_until(function() return gpg_processes() == 8 end)
      assert.are.equal(6, rig:load().queued)
      openpgp.send_signal(openpgp.agents(path)[1], SIGCONT)
      -- every free place goes to ours as long as any of ours waits
      turn_until(function() return rig:load().queued == 0 end)
      assert.is_true(rig:load().queued_strangers >= 6)
      for i = 1, 12 do assert(done(own[i]).output) end
      for i = 1, 10 do assert(done(strangers[i]).output) end
    end)
  end)

  it("P1.7 has bounded queues", function()
    local list = {}
    for i = 1, 64 do list[i] = assert(sign { stranger = true }) end
    local code = failure(sign { stranger = true })
    assert.are.equal("busy", code)
    for i = 1, 1024 do list[#list + 1] = assert(sign(), i) end
    assert.are.equal("busy", (failure(sign())))
    for _, pending in ipairs(list) do pending:cancel() end
    for _, pending in ipairs(list) do assert.are.equal("canceled", (failure(pending))) end
    assert(done(sign()).output)
  end)

  it("P3.6 lets one at a time write a home's keyring, and others work beside it", function()
    local home = assert(rig:create_home())
    local first = rig:import { home = home, certificate = anna.certificate }
    local second = rig:import { home = home, certificate = bert.certificate }
    local third = rig:import { home = bert.home, certificate = anna.certificate }
    local running = 0
    repeat
      rig:turn(0.0002)
      running = math.max(running, rig:load().running)
      assert.is_true(not second:done() or first:done())
    until first:done() and second:done() and third:done()
    assert.are.equal(2, running) -- never both of the first home
    done(first)
    done(second)
    done(rig:export { home = home, fingerprint = anna.info.primary.fingerprint })
    done(rig:export { home = home, fingerprint = bert.info.primary.fingerprint })
    done(rig:destroy(home))
  end)

  it("P4.1 cancels a home's operations when it goes, running or waiting, and no others", function()
    local made = done(rig:make_discussion {})
    local other = sign()
    local list = {}
    for i = 1, 20 do list[i] = assert(rig:sign { home = made.home, text = "x" }) end
    turn_until(function() return gpg_processes() > 0 end)
    local gone = made.home:path()
    local destroyed = rig:destroy(made.home)
    for _, pending in ipairs(list) do assert.are.equal("canceled", (failure(pending))) end
    done(destroyed)
    assert.are.same({}, openpgp.agents(gone))
    assert.is_false(gnupg.exists(gone))
    assert(done(other).output)
  end)

  it("P4.1 leaves no agent where a home goes while gpg is starting one", function()
    for turns = 0, 12 do
      local made = done(rig:make_discussion {})
      local gone = made.home:path()
      done(rig:lock(made.home))
      local pending = rig:sign { home = made.home, text = "x" }
      for _ = 1, turns do rig:turn(0.0015) end
      done(rig:destroy(made.home))
      local result, code = pending:wait()
      assert.is_true(result ~= nil or code == "canceled")
      assert.is_false(gnupg.exists(gone))
      turn_until(function() return #openpgp.agents(gone) == 0 end)
    end
  end)

  it("P4.1 leaves no agent where a home is closed while gpg is starting one", function()
    local made = done(rig:make_discussion {})
    local home, name, gone = made.home, made.home:name(), made.home:path()
    for turns = 0, 25 do
      done(rig:lock(home))
      local pending = rig:sign { home = home, text = "x" }
      for _ = 1, turns do rig:turn(0.001) end
      done(rig:close_home(home))
      local result, code = pending:wait()
      assert.is_true(result ~= nil or code == "canceled")
      -- one that was overlooked comes a moment later
      local late = openpgp.now() + 0.05
      turn_until(function() return openpgp.now() >= late end)
      assert.are.same({}, openpgp.agents(gone))
      home = assert(rig:open_home(name))
    end
    done(rig:destroy(home))
  end)

  it("starts one agent, however many operations want one at once", function()
    for _ = 1, 5 do
      done(rig:lock(anna.home))
      local list = {}
      for i = 1, 8 do list[i] = assert(sign()) end
      for i = 1, 8 do assert(done(list[i]).output) end
      assert.are.equal(1, #openpgp.agents(path))
    end
  end)

  it("starts one process for an operation", function()
    done(sign()) -- the agent is there
    local before, new = {}, {}
    for _, pid in ipairs(openpgp.children()) do before[pid] = true end
    local pending, count = sign(), 0
    while not pending:done() do
      rig:turn(0.0002)
      for _, pid in ipairs(openpgp.children()) do
        if not before[pid] and not new[pid] then
          new[pid] = true
          count = count + 1
        end
      end
    end
    done(pending)
    assert.are.equal(1, count)
  end)

  it("has a benchmark beside raw gpgme", function()
    for _, name in ipairs { "raw_seal_open", "layer_seal_open" } do
      local times = openpgp[name](2)
      assert.are.equal(2, #times.seal)
      assert.are.equal(2, #times.open)
      for _, t in ipairs(times.seal) do assert.is_true(t > 0 and t < 10000) end
    end
  end)
end)
