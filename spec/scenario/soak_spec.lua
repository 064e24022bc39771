-- SPDX-License-Identifier: GPL-3.0-or-later
-- Cores that are ended in good order or killed at any moment, with anything under way: no crash, nothing left behind,
-- and what comes next works. SOTTO_SPEC_SEED repeats a run's choices; SOTTO_SPEC_ROUNDS makes it longer.
local cores = require "support.cores"
local loop = require "sotto.loop"
local sys = require "sotto.sys"

local ROUNDS = tonumber(os.getenv "SOTTO_SPEC_ROUNDS") or 12
local PASSWORD, PASSPHRASE = "correct horse battery", "open sesame"

describe("ending a core at any moment", function()
  local alice, bob
  local seed = tonumber(os.getenv "SOTTO_SPEC_SEED") or os.time()

  local function one_of(list) return list[math.random(#list)] end

  local function other_of(who) return who == alice and bob or alice end

  -- what an event told of, and of no other life
  local function some_discussion(who)
    local known = {}
    for _, event in ipairs(who.control.events) do
      if event.discussion then known[#known + 1] = event.discussion.id end
    end
    return known[1] and one_of(known) or ("0"):rep(32)
  end

  -- Each is only asked for: the answer comes when it comes, if it comes.
  local works = {
    { "peers.probe", function(who) return { address = other_of(who).address } end },
    { "discussions.open", function(who) return { peer = other_of(who).fingerprint, password = PASSWORD } end },
    { "discussions.open", function(who) return { peer = other_of(who).fingerprint } end },
    { "discussions.accept", function(who) return { discussion = some_discussion(who), password = PASSWORD } end },
    { "discussions.accept", function(who) return { discussion = some_discussion(who) } end },
    { "discussions.refuse", function(who) return { discussion = some_discussion(who) } end },
    { "discussions.close", function(who) return { discussion = some_discussion(who) } end },
    { "discussions.forget", function(who) return { discussion = some_discussion(who) } end },
    { "discussions.list", function() end },
    { "discussions.export", function(who)
      return { discussion = some_discussion(who), path = cores.root() .. "/export-" .. sys.random_hex(8) }
    end },
    { "messages.list", function(who) return { discussion = some_discussion(who) } end },
    { "identity.lock", function() end },
    { "identity.unlock", function() return { passphrase = PASSPHRASE } end },
    { "identity.unlock", function() return { passphrase = PASSPHRASE } end },
    { "identity.unlock", function() return { passphrase = "not this one" } end },
    { "identity.passphrase", function() return { old = PASSPHRASE, new = PASSPHRASE } end },
  }

  local function send_some(who)
    local id = some_discussion(who)
    for i = 1, math.random(40) do
      who.control:request("messages.send", { discussion = id, text = "text " .. i })
    end
  end

  local function begin_something(who)
    if not who:running() or who.control.closed then return end
    if math.random(4) == 1 then return send_some(who) end
    local work = one_of(works)
    who.control:request(work[1], work[2](who))
  end

  -- Requests that come in at either core are accepted at once, so that openings get far.
  local function welcome(who)
    who.control.on_event = function(event)
      if event.type ~= "discussion.requested" or math.random(5) == 1 then return end
      local needed = event.discussion.mode == "password" and PASSWORD or nil
      who.control:request("discussions.accept", { discussion = event.discussion.id, password = needed })
    end
  end

  local function check_answers(who)
    for _, answer in pairs(who.control.answers) do
      local name = answer.error and answer.error.data.name
      assert.are_not.equal("internal", name, answer.error and answer.error.message)
    end
  end

  -- The moment is a random one; nothing is expected to have happened by then.
  local function let_it_run(ms)
    local over = false
    local _ <close> = loop.after(ms, function()
      over = true
      loop.stop()
    end)
    while not over do loop.run() end
  end

  local function start(who)
    who:start()
    welcome(who)
    if math.random(8) > 1 then who.control:request("identity.unlock", { passphrase = PASSPHRASE }) end
  end

  local function finish(who)
    check_answers(who)
    if math.random(3) == 1 then return who:kill() end
    if math.random(3) == 1 then who.control:request "system.stop" end
    who:stop()
    assert.are.same({}, who:agents())
  end

  local function round()
    for _, who in ipairs { alice, bob } do
      if not who:running() then start(who) end
    end
    for _ = 1, math.random(12) do
      begin_something(one_of { alice, bob })
      if math.random(2) == 1 then let_it_run(math.random(0, 60)) end
    end
    let_it_run(math.random(3) == 1 and math.random(0, 400) or math.random(0, 30))
    local first = one_of { alice, bob }
    finish(first)
    if math.random(2) == 1 then finish(other_of(first)) end
  end

  local function explain(number, problem)
    if type(problem) == "table" then problem = problem.message or tostring(problem) end
    error(("seed %d, round %d: %s\n--- %s\n%s\n--- %s\n%s"):format(seed, number, tostring(problem), alice.name,
      alice:tail(), bob.name, bob:tail()), 0)
  end

  setup(function()
    math.randomseed(seed)
    alice, bob = cores.pair { passphrase = PASSPHRASE }
    welcome(alice)
    welcome(bob)
  end)
  teardown(cores.clean)

  it("P4.1 it ends with 0 where it was asked to, and leaves no agent", function()
    for number = 1, ROUNDS do
      local ok, problem = pcall(round)
      if not ok then explain(number, problem) end
    end
  end)

  it("P4.1 all that is left is swept, and a new discussion opens", function()
    for _, who in ipairs { alice, bob } do
      if who:running() then who:stop() end
    end
    for _, who in ipairs { alice, bob } do
      who:start()
      who:call("identity.unlock", { passphrase = PASSPHRASE })
      for _, discussion in ipairs(who:call "discussions.list") do
        if discussion.state ~= "closed" and discussion.state ~= "refused" then
          who:try("discussions.close", { discussion = discussion.id })
        end
      end
    end
    cores.meet(alice, bob)
    local id = cores.open_between(alice, bob, PASSWORD)
    cores.talk(id, alice, bob)
    for _, who in ipairs { alice, bob } do
      -- the general key's home, this discussion's and the spare one
      cores.ask(who.name .. " has three homes", function() return #who:homes() == 3 end)
    end
  end)
end)
