-- SPDX-License-Identifier: GPL-3.0-or-later
-- kill -9 with messages under way: each arrives once, in order, and without a password (P3.7, P3.10, P2.12).
-- SOTTO_SPEC_SEED repeats a run's choices, and a failure names its seed; SOTTO_SPEC_ROUNDS makes it longer.
local cores = require "support.cores"

local ROUNDS, MESSAGES = tonumber(os.getenv "SOTTO_SPEC_ROUNDS") or 20, 100

describe("crashes with messages under way", function()
  local alice, bob, id
  local seed = tonumber(os.getenv "SOTTO_SPEC_SEED") or os.time()

  -- Sends without waiting for answers, at most `most` at a time, as a front end might. Returns what counts the answers.
  local function pour(who, prefix, count, most)
    local flow = { answered = {}, sent = 0, waiting = {} }
    function flow.pump()
      for request in pairs(flow.waiting) do
        local answer = who.control.answers[request]
        if answer then
          flow.waiting[request], flow.busy = nil, flow.busy - 1
          who.control.answers[request] = nil
          if answer.result then
            flow.answered[#flow.answered + 1] = answer.result.id
          elseif answer.error.data.name ~= "canceled" then
            error(answer.error.message)
          end
        end
      end
      while flow.sent < count and flow.busy < most and not who.control.closed do
        flow.sent, flow.busy = flow.sent + 1, flow.busy + 1
        local text = ("%s %d"):format(prefix, flow.sent)
        flow.waiting[who.control:request("messages.send", { discussion = id, text = text })] = true
      end
      return #flow.answered
    end
    flow.busy = 0
    return flow
  end

  local function count_events(who, type) return who.control.counts[type] or 0 end

  -- Kills at a random moment between the first answer and the last delivery.
  local function kill_amid(flow, sender, receiver, victims)
    local moments = {
      function() return flow.pump() end,
      function() return count_events(receiver, "message.received") end,
      function() return count_events(sender, "message.delivered") end,
    }
    local count, target = moments[math.random(#moments)], math.random(0, MESSAGES - 1)
    local start = count()
    cores.wait("the moment to kill", function()
      flow.pump()
      return count() - start >= target
    end)
    for _, victim in ipairs(victims) do victim.process.handle:kill "SIGKILL" end
    for _, victim in ipairs(victims) do victim:kill() end
    if sender:running() then
      cores.wait("the answers to what was sent", function() return flow.pump() == MESSAGES end)
    end
  end

  -- Everything that is on the sender's disk arrives.
  local function settle(sender, receiver)
    local last
    cores.ask("the last one to be delivered", function()
      last = sender:call("messages.list", { discussion = id, limit = 1 })[1]
      return last and (last.state == "delivered" or last.state == "received")
    end)
    local mine, theirs = {}, {}
    for _, message in ipairs(sender:messages(id)) do
      if message.sender == sender.fingerprint then
        mine[#mine + 1] = message.id .. " " .. message.text
        assert.are.equal("delivered", message.state, message.text)
      end
    end
    for _, message in ipairs(receiver:messages(id)) do
      if message.sender == sender.fingerprint then
        theirs[#theirs + 1] = message.id .. " " .. message.text
        assert.are.equal("received", message.state, message.text)
      end
    end
    assert.are.same(mine, theirs)
    return mine
  end

  local function ids_are_unique(list)
    local seen = {}
    for _, line in ipairs(list) do
      assert.is_nil(seen[line:sub(1, 32)], line)
      seen[line:sub(1, 32)] = true
    end
    return seen
  end

  -- The texts of a round are numbered, and those that were answered are there.
  local function check_round(flow, list, prefix)
    local seen, before, count = ids_are_unique(list), 0, 0
    for _, line in ipairs(list) do
      local number = tonumber(line:match("^%x+ " .. prefix .. " (%d+)$"))
      if number then
        assert.is_true(number == before + 1, ("%s %d came after %d"):format(prefix, number, before))
        before, count = number, count + 1
      end
    end
    for _, answered in ipairs(flow.answered) do assert.is_true(seen[answered], "an answered message is missing") end
    assert.is_true(count >= #flow.answered)
    return count
  end

  local function round(number, sender, receiver, victims)
    local prefix = ("round %d of %s:"):format(number, sender.name)
    -- few at a time make many small payloads, many at a time a few large ones
    local flow = pour(sender, prefix, MESSAGES, math.random(60))
    kill_amid(flow, sender, receiver, victims)
    for _, victim in ipairs(victims) do victim:start() end
    cores.state(sender, id, "open")
    cores.state(receiver, id, "open")
    return check_round(flow, settle(sender, receiver), prefix)
  end

  local function rounds(first, last, choose)
    for number = first, last do
      local sender, receiver = alice, bob
      if math.random(2) == 1 then sender, receiver = bob, alice end
      local victims = choose(sender, receiver)
      local ok, problem = pcall(round, number, sender, receiver, victims)
      if not ok then
        if type(problem) == "table" then problem = problem.message or tostring(problem) end
        error(("seed %d, round %d: %s\n--- %s\n%s\n--- %s\n%s"):format(seed, number, tostring(problem), sender.name,
          sender:tail(), receiver.name, receiver:tail()))
      end
    end
  end

  setup(function()
    math.randomseed(seed)
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
  end)
  teardown(cores.clean)

  it("P3.7 of the receiver lose nothing and double nothing", function()
    rounds(1, ROUNDS // 3, function(_, receiver) return { receiver } end)
  end)

  it("P3.7 of the sender lose nothing and double nothing", function()
    rounds(ROUNDS // 3 + 1, 2 * ROUNDS // 3, function(sender) return { sender } end)
  end)

  it("P3.7 of both lose nothing and double nothing", function()
    rounds(2 * ROUNDS // 3 + 1, ROUNDS, function(sender, receiver) return { sender, receiver } end)
  end)

  it("leave a discussion that works, with the same roster on both sides", function()
    cores.talk(id, alice, bob)
    assert.are.equal(alice:discussion(id).roster_hash, bob:discussion(id).roster_hash)
    assert.are.equal(3, alice:guesses(bob))
    assert.are.equal(1, #alice:call "discussions.list")
  end)
end)
