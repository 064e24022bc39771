-- SPDX-License-Identifier: GPL-3.0-or-later
local lan = require "support.lan"

local ETH = { index = 2, name = "eth0", multicast = true, address = "10.0.0.5:0", broadcast = "10.0.0.255:0" }
local ETH6 = { index = 2, name = "eth0", multicast = true, address = "[fe80::5%2]:0", prefix = 64 }
local WIFI = { index = 3, name = "wlan0", multicast = true, address = "192.168.1.7:0", broadcast = "192.168.1.255:0" }

local function new(config)
  config = config or {}
  config.listen = config.listen or "[::]:4788"
  return lan.new(config)
end

-- Runs the machine's own time until `last`: every deadline is kept. Calls take(action, now) for each action.
local function run(l, now, wait, last, take)
  while wait and now + wait <= last do
    now = now + wait
    local actions
    actions, wait = l:step("deadline", now)
    for _, action in ipairs(actions) do take(action, now) end
  end
  return now, wait
end

local function types(actions)
  local out = {}
  for i, action in ipairs(actions) do out[i] = action.type end
  return out
end

describe("lan: rounds", function()
  it("P1.3 listens and asks by each path at once, and again soon", function()
    for seed = 1, 50 do
      local l = new { seed = seed }
      local actions, wait = l:step("interfaces", 1000, { ETH, ETH6 })
      assert.same({ "renew", "open", "open" }, types(actions))
      local asked = {}
      run(l, 1000, wait, 15000, function(action, now)
        asked[#asked + 1] = { action.type, action.slot, now - 1000 }
      end)
      assert.equal(6, #asked)
      for i, ask in ipairs(asked) do
        assert.equal("ask", ask[1])
        local low = ({ 0, 3000, 9000 })[(i + 1) // 2] -- the third is answered also by who answered the first
        assert.is_true(ask[3] >= low and ask[3] <= low + 200, ask[3])
      end
    end
  end)

  it("P1.3 every thirty seconds with jitter; two rounds of three only announce", function()
    local l = new { seed = 7 }
    local _, wait = l:step("interfaces", 0, { ETH })
    local all = {}
    run(l, 0, wait, 3600 * 1000, function(action, now) all[#all + 1] = { action.type, now } end)
    assert.is_true(#all >= 115 and #all <= 127, #all)
    local lengths, asks = {}, 0
    for i = 4, #all do
      local pause = all[i][2] - all[i - 1][2]
      assert.is_true(pause >= 27000 and pause <= 33000, pause)
      lengths[pause] = true
      asks = asks + (all[i][1] == "ask" and 1 or 0)
      -- three rounds are a question, so that nobody who hears answers only is lost
      assert.equal(i % 3 == 0 and "ask" or "announce", all[i][1])
    end
    assert.is_true(asks >= 36 and asks <= 43, asks)
    local different = 0
    for _ in pairs(lengths) do different = different + 1 end
    assert.is_true(different > 80)
  end)

  it("two cores do not keep step", function()
    local first = {}
    for seed = 1, 2 do
      local l = new { seed = seed }
      local _, wait = l:step("interfaces", 0, { ETH })
      first[seed] = {}
      run(l, 0, wait, 300000, function(_, now) table.insert(first[seed], now) end)
    end
    assert.are_not.same(first[1], first[2])
  end)

  it("a shorter interval makes shorter rounds, and the second question none longer", function()
    local l, times = new { interval = 2000 }, {}
    local _, wait = l:step("interfaces", 0, { ETH })
    run(l, 0, wait, 60000, function(_, now) times[#times + 1] = now end)
    assert.is_true(#times >= 27 and #times <= 34, #times)
    for i = 2, #times do assert.is_true(times[i] - times[i - 1] <= 2200) end
  end)

  it("sends from the address and to the port that the path has", function()
    local l = new { discover = "10.0.0.255:5000" }
    local actions, wait = l:step("interfaces", 0, { ETH, WIFI })
    assert.same({ interface = 2, name = "eth0", own = "10.0.0.5:0", group = "10.0.0.255:5000" }, actions[2].path)
    assert.equal(2, #actions)
    actions = l:step("deadline", wait)
    assert.same({ interface = 2, name = "eth0", own = "10.0.0.5:0", group = "10.0.0.255:5000" }, actions[1].path)
  end)

  it("what could not be sent is tried again soon, then rarely, and counts as the first", function()
    local l = new()
    local _, wait = l:step("interfaces", 0, { ETH })
    local now, waits = 0, {}
    for i = 1, 12 do
      now = now + wait
      local actions = l:step("deadline", now)
      assert.equal("ask", actions[1].type)
      actions, wait = l:step("unsent", now, actions[1].slot)
      assert.same({}, actions)
      waits[i] = wait
    end
    assert.same({ 500, 1000, 2000, 4000, 8000, 16000 }, table.move(waits, 1, 6, 1, {}))
    for i = 7, 12 do assert.is_true(waits[i] >= 27000 and waits[i] <= 33000) end
    local actions
    now = now + wait
    actions, wait = l:step("deadline", now)
    assert.same({ "ask" }, types(actions))
    assert.equal(3000, wait)
    now = now + wait
    actions = l:step("deadline", now)
    assert.same({ "ask" }, types(actions))
    -- and a new failure begins anew
    actions, wait = l:step("unsent", now, actions[1].slot)
    assert.same({ {}, 500 }, { actions, wait })
  end)

  it("a failure of a path that is gone already changes nothing", function()
    local l = new()
    l:step("interfaces", 0, { ETH })
    l:step("interfaces", 10, {})
    assert.same({}, (l:step("unsent", 10, 0)))
  end)
end)

describe("lan: interfaces that come and go", function()
  it("opens what is new, closes what is gone, and leaves the rest alone", function()
    local l = new()
    local _, wait = l:step("interfaces", 0, { ETH })
    local now
    now, wait = run(l, 0, wait, 20000, function() end)
    local due = now + wait
    local actions
    actions, wait = l:step("interfaces", 20000, { ETH, WIFI })
    assert.same({ "renew", "open" }, types(actions))
    assert.equal("wlan0", actions[2].path.name)
    local slot, asked = actions[2].slot, {}
    run(l, 20000, wait, due, function(action) asked[#asked + 1] = { action.type, action.slot } end)
    assert.same({ "ask", slot }, asked[1])
    assert.same({ "ask", slot }, asked[2])
    actions = l:step("interfaces", due + 1, { WIFI })
    assert.same({ "renew", "close" }, types(actions))
    assert.equal(1 - slot, actions[2].slot)
    actions, wait = l:step("interfaces", due + 2, {})
    assert.same({ "renew", "close" }, types(actions))
    assert.is_nil(wait)
  end)

  it("the same list again is no news", function()
    local l = new()
    local _, wait = l:step("interfaces", 0, { ETH, WIFI })
    local actions, again = l:step("interfaces", 0, { ETH, WIFI })
    assert.same({ {}, wait }, { actions, again })
  end)

  it("another address is another path; an address that leads nowhere only renews the record", function()
    local l = new()
    l:step("interfaces", 0, { ETH })
    local moved = { index = 2, name = "eth0", multicast = true, address = "10.0.0.9:0", broadcast = "10.0.0.255:0" }
    local actions = l:step("interfaces", 1, { moved })
    assert.same({ "renew", "close", "open" }, types(actions))
    local tunnel = { index = 8, name = "tun0", address = "10.8.0.2:0", prefix = 32 }
    assert.same({ "renew" }, types((l:step("interfaces", 2, { moved, tunnel }))))
  end)

  it("a slot is used again, and sixteen are enough for everybody", function()
    local l = new()
    for round = 1, 100 do
      local list = {}
      for i = 1, 20 do
        list[i] = { index = i, name = "eth" .. i, address = ("10.%d.%d.1:0"):format(i, round),
          broadcast = ("10.%d.%d.255:0"):format(i, round) }
      end
      local actions, opened, closed = l:step("interfaces", round, list), 0, 0
      for _, action in ipairs(actions) do
        opened = opened + (action.type == "open" and 1 or 0)
        closed = closed + (action.type == "close" and 1 or 0)
        assert.is_true(not action.slot or (action.slot >= 0 and action.slot < 16))
      end
      assert.same({ 16, round > 1 and 16 or 0 }, { opened, closed })
      assert.equal(4, l:left_out())
    end
  end)
end)

describe("lan: answers", function()
  -- Asks the machine from these sources at these times; returns what it answered, and when.
  local function answers_to(l, questions, last)
    local answers, refused, now, wait = {}, { source = 0, same = 0, all = 0 }, 0, nil
    local function take(action, at)
      if action.type == "answer" then answers[#answers + 1] = { to = action.to, at = at } end
      if action.type == "refused" then refused[action.why] = refused[action.why] + 1 end
    end
    for _, question in ipairs(questions) do
      run(l, now, wait, question.at, take)
      local actions
      actions, wait = l:step("asked", question.at, question.from, question.known, question.record)
      now = question.at
      for _, action in ipairs(actions) do take(action, now) end
    end
    run(l, now, wait, last or now + 60000, take)
    return answers, refused
  end

  it("P1.3 come within half a second, at random, to the asker alone", function()
    local times = {}
    for seed = 1, 200 do
      local answers = answers_to(new { seed = seed }, { { at = 1000, from = "10.0.0.9:5000" } })
      assert.equal(1, #answers)
      assert.equal("10.0.0.9:5000", answers[1].to)
      times[seed] = answers[1].at - 1000
      assert.is_true(times[seed] >= 0 and times[seed] <= 500)
    end
    table.sort(times)
    assert.is_true(times[20] < 100 and times[180] > 400 and times[100] > 150 and times[100] < 350)
  end)

  it("P1.3 at most one for a source in five seconds", function()
    local questions = {}
    for i = 0, 600 do questions[#questions + 1] = { at = i * 100, from = "10.0.0.9:5000", record = "number " .. i // 30 } end
    local answers, refused = answers_to(new(), questions)
    for i = 2, #answers do
      assert.is_true(answers[i].at - answers[i - 1].at >= 5000, answers[i].at - answers[i - 1].at)
    end
    assert.is_true(#answers >= 10 and #answers <= 13, #answers)
    assert.equal(601, #answers + refused.source + refused.same + refused.all)
    assert.equal(0, refused.all)
  end)

  it("P1.8 a source is address and port", function()
    local answers = answers_to(new(), {
      { at = 0, from = "10.0.0.9:5000" }, { at = 0, from = "10.0.0.9:5001" }, { at = 0, from = "[fe80::9%2]:5000" },
    })
    assert.equal(3, #answers)
  end)

  it("P1.3 a question that came by several paths gets one answer, by the first", function()
    local answers, refused = answers_to(new(), {
      { at = 0, from = "10.0.0.9:5000", record = "a" }, { at = 0, from = "[fe80::9%2]:5000", record = "a" },
      { at = 800, from = "192.168.1.9:5000", record = "a" }, { at = 4000, from = "192.168.1.9:5000", record = "a" },
      { at = 4000, from = "127.0.0.1:5000", record = "b" }, { at = 6000, from = "[fe80::9%2]:5000", record = "a" },
    })
    local to = {}
    for i, answer in ipairs(answers) do to[i] = answer.to end
    assert.same({ "10.0.0.9:5000", "127.0.0.1:5000", "[fe80::9%2]:5000" }, to)
    assert.equal(3, refused.same)
  end)

  it("P1.8 an old question that somebody sends on does not take the new one's answer", function()
    local answers = answers_to(new(), {
      { at = 0, from = "6.6.6.6:666", record = "old" }, { at = 10, from = "10.0.0.9:5000", record = "new" },
    })
    assert.equal(2, #answers)
  end)

  it("P1.3 at most twenty in any second, whoever asks; who is too many waits a little", function()
    local questions = {}
    for i = 1, 49 do questions[i] = { at = i, from = "10.0.0.9:" .. 5000 + i } end
    local answers, refused = answers_to(new(), questions)
    assert.equal(49, #answers) -- as when fifty cores start at once
    assert.equal(0, refused.all)
    for i = 21, #answers do assert.is_true(answers[i].at - answers[i - 20].at >= 1000) end
    assert.is_true(answers[49].at < 3500)
  end)

  it("P1.3 a flood of askers gets twenty a second, and those that wait are bounded", function()
    local questions = {}
    for i = 0, 49999 do
      questions[#questions + 1] = { at = i // 10, from = ("10.%d.%d.9:%d"):format(i // 250 % 250, i % 250, 2000 + i // 62500) }
    end
    local answers, refused = answers_to(new(), questions)
    for i = 21, #answers do assert.is_true(answers[i].at - answers[i - 20].at >= 1000) end
    assert.is_true(#answers >= 100 and #answers <= 200, #answers)
    assert.equal(50000, #answers + refused.source + refused.all)
  end)

  it("wait in a queue of sixty-four, and friends in one of their own", function()
    local questions = {}
    for i = 1, 200 do questions[i] = { at = 1, from = "10.0.0.9:" .. 5000 + i } end
    local _, refused = answers_to(new { answers = 256 }, questions)
    assert.equal(136, refused.all)
    for i = 1, 200 do questions[i].known = true end
    _, refused = answers_to(new(), questions)
    assert.equal(136, refused.all)
    -- and who has been answered waits no more
    local answers
    for i = 1, 200 do questions[i].at = i * 100 end
    answers, refused = answers_to(new(), questions)
    assert.same({ 200, 0 }, { #answers, refused.all })
  end)

  it("P1.8 a friend is answered at once in any flood", function()
    local questions = {}
    for i = 0, 9999 do questions[#questions + 1] = { at = i // 10, from = "10.0.0.9:" .. 5000 + i } end
    questions[#questions + 1] = { at = 1000, from = "10.0.0.7:4788", known = true }
    local answers, found = answers_to(new(), questions), nil
    for _, answer in ipairs(answers) do
      if answer.to == "10.0.0.7:4788" then found = answer.at end
    end
    assert.is_true(found >= 1000 and found <= 1500)
  end)

  it("that would come too late do not come", function()
    local questions = {}
    for i = 1, 64 do questions[i] = { at = 1, from = "10.0.0.9:" .. 5000 + i } end
    local answers, refused = answers_to(new { answers = 10 }, questions)
    assert.equal(64, #answers + refused.all)
    assert.is_true(refused.all > 20, refused.all)
    for _, answer in ipairs(answers) do assert.is_true(answer.at <= 1 + 3000 + 1000) end
  end)
end)

describe("lan: what it awaits", function()
  it("answers from its own networks, for a while after it asked", function()
    local l = new()
    local _, wait = l:step("interfaces", 0, { ETH, ETH6 })
    assert.is_false(l:awaits("10.0.0.9:4788", 0))
    local asked
    run(l, 0, wait, 10000, function(_, now) asked = now end)
    assert.is_true(l:awaits("10.0.0.9:4788", asked))
    assert.is_true(l:awaits("[fe80::9%2]:4788", asked + 6000))
    assert.is_false(l:awaits("10.0.0.9:4788", asked + 6001))
    assert.is_false(l:awaits("10.0.1.9:4788", asked))
    assert.is_false(l:awaits("[fe80::9%3]:4788", asked))
    assert.is_false(l:awaits("8.8.8.8:4788", asked))
  end)

  it("nothing after an announcement", function()
    local l = new()
    local _, wait = l:step("interfaces", 0, { ETH })
    local kinds = {}
    run(l, 0, wait, 200000, function(action, now)
      kinds[action.type] = true
      if action.type == "announce" then assert.is_false(l:awaits("10.0.0.9:4788", now)) end
    end)
    assert.same({ ask = true, announce = true }, kinds)
  end)
end)
