-- Thousands of seeded runs of 2 to 5 cores that send messages while links are cut, disks and gpg fail, and cores crash
-- before and after every action. Whatever breaks a rule raises where it happens (messages_world.lua); here is what must
-- hold once everything has healed. One run again: SOTTO_SIM_SEED=n; more of them: SOTTO_SIM_RUNS=n.
local keys = require "support.messages_keys"
local messages = require "support.messages_world"

local RUNS = tonumber(os.getenv "SOTTO_SIM_RUNS") or 500
local ONE = tonumber(os.getenv "SOTTO_SIM_SEED")

local faults = {
  { crash = 0.01, import = 0.1, commit = 0.1, seal = 0.1, store = 0.1, ack = 0.1, failed = 0.3, load = 0.1, open = 0.1,
    take = 0.1, ghost = 0.3 },
  { crash = 0.002, ghost = 0.5 },
  { crash = 0.05, store = 0.5, seal = 0.3, ack = 0.5, failed = 0.5 },
  { open = 0.3, seal = 0.3, ghost = 1 },
  {},
}

local function pick(random, n) return 1 + random.below(n) end

-- What a seed stands for: who, which faults, how results come back.
local function new_world(seed, n)
  local random = messages.random(seed)
  local world = messages.new(n or 2 + random.below(4), random, {})
  world.immediate = random.chance(0.5)
  world.rekeys = random.chance(0.5)
  for kind, p in pairs(faults[pick(random, #faults)]) do world.faults[kind] = p end
  return world, random
end

local function disturb(world, random)
  local i, j = pick(random, world.n), pick(random, world.n)
  local what = random.below(12)
  if not world.cores[i].up then
    world.cores[i]:restore()
  elseif what < 5 and i ~= j then
    world:link(i, j)
  elseif what == 5 and i ~= j then
    world:cut(i, j)
  elseif what == 6 and i ~= j then
    world:congest(i, j)
  elseif what == 7 and #world.ghosts > 0 then
    local ghost = table.remove(world.ghosts, pick(random, #world.ghosts))
    if world.cores[ghost.to].up then world.cores[ghost.to]:receive(ghost.from, ghost.frame) end
  elseif what == 8 and world.rekeys then
    keys.make(world.cores[i])
    -- its time is over, whoever has heard of the new one
    if world.expires and world.cores[i].up and random.chance(0.2) then keys.bury(world.cores[i], true) end
  elseif what > 7 then
    world:submit(i, random.chance(0.1) and pick(random, 40) or pick(random, 3))
  end
end

local function run(world, random, rounds)
  for _ = 1, rounds do
    if random.chance(0.25) then
      disturb(world, random)
    else
      world:step()
    end
  end
end

local function said_by(core)
  local list = {}
  for _, row in ipairs(core.disk.rows) do
    if row.sender == core.me then list[#list + 1] = row end
  end
  return list
end

local function heard_from(core, sender)
  local list = {}
  for _, row in ipairs(core.disk.rows) do
    if row.sender == sender then list[#list + 1] = row end
  end
  return list
end

local function check_answers(world)
  for _, t in ipairs(world.tickets) do
    local rows = world.cores[t.core].disk.by_id
    for _, m in ipairs(t.messages) do
      if t.state == "accepted" then assert(rows[m.id], "accepted, and lost") end
      if t.state == "rejected" then assert(not rows[m.id], "rejected, and sent") end
      assert((rows[m.id] ~= nil) == (rows[t.messages[1].id] ~= nil), "half of a submission")
    end
  end
end

-- Every message that its author's disk has is at every other member once, in its author's order.
local function check_delivery(world, sender)
  local said = said_by(world.cores[sender])
  for i = 1, world.n do
    local heard = i ~= sender and heard_from(world.cores[i], sender)
    if heard then
      assert(#heard == #said, ("%d has %d of %d messages of %d"):format(i, #heard, #said, sender))
      for k, row in ipairs(said) do
        assert(row.id == heard[k].id and row.text == heard[k].text, "out of order")
        assert(row.sequence == heard[k].sequence and row.index == heard[k].index, "in another place")
      end
    end
  end
  for k, row in ipairs(said) do
    assert(row.state == "delivered", "a message stays " .. row.state)
    assert(k == 1 or said[k - 1].time < row.time, "not in the order of submission")
  end
end

local function check_rest(world)
  for _, core in ipairs(world.cores) do
    local o, t = core.outbox:counters(), core.transcript:counters()
    assert(o.queued == 0 and o.kept == 0 and o.kept_bytes == 0, "the outbox keeps something")
    assert(t.held == 0 and t.held_bytes == 0, "the transcript holds something")
    assert(not next(core.paused), "a link stays paused")
  end
end

-- How often each action was carried out, over all runs.
local total = {}
local function add_up(world)
  for what, count in pairs(world.count) do total[what] = (total[what] or 0) + count end
end

local function each_seed(first, check)
  for seed = ONE or first, ONE or first + RUNS - 1 do
    local ok, why = xpcall(check, function(e) return debug.traceback(tostring(e), 2) end, seed)
    assert(ok, ("seed %d: %s"):format(seed, tostring(why)))
  end
end

describe("messages in the simulator", function()
  it("P3.7 P3.10 arrive exactly once and in order, whatever fails on the way", function()
    each_seed(1, function(seed)
      local world, random = new_world(seed)
      world.expires = random.chance(0.5)
      run(world, random, 150 + random.below(250))
      world:heal()
      check_answers(world)
      for i = 1, world.n do check_delivery(world, i) end
      check_rest(world)
      add_up(world)
    end)
  end)

  it("P3.8 all that was said before CLOSE arrives, and the key dies only when it is sealed", function()
    each_seed(100001, function(seed)
      local world, random = new_world(seed, 2)
      local closer, other = world.cores[1], world.cores[2]
      run(world, random, 20 + random.below(100))
      if not closer.up then closer:restore() end
      if closer.up then closer:close() end
      run(world, random, 50 + random.below(150))
      world:heal()
      if not closer.disk.closing then -- it crashed before the decision was on disk
        closer:close()
        world:heal()
      end
      assert(closer.disk.keyless, "the key lives on")
      check_delivery(world, 1)
      assert(other.disk.ended and other.disk.keyless)
      assert(world.delivered_close, "nobody said that CLOSE arrived")
      assert(other.outbox:is_settled(), "something is still to be written down")
      for _, row in ipairs(said_by(other)) do
        assert(row.state == "delivered" or row.state == "failed", "a message stays " .. row.state)
        assert(row.state == "failed" or closer.disk.by_id[row.id], "delivered, and not there")
      end
      check_answers(world)
      add_up(world)
    end)
  end)

  it("P3.8 both close, and both learn that it is over, also on a link that nothing ends", function()
    each_seed(200001, function(seed)
      local world, random = new_world(seed, 2)
      local quiet = seed % 2 == 0
      if quiet then
        world.faults = {}
        world:link(1, 2)
      end
      for i = 1, quiet and 6 or 0 do world:submit(1 + i % 2, 1 + random.below(3)) end
      if quiet then
        for _ = 1, random.below(20) do world:step() end
      else
        run(world, random, 20 + random.below(100))
      end
      for i = 1, 2 do
        if not world.cores[i].up then world.cores[i]:restore() end
        if world.cores[i].up then world.cores[i]:close() end
        for _ = 1, quiet and random.below(6) or 0 do world:step() end
      end
      if quiet then
        world:settle()
      else
        run(world, random, 50 + random.below(100))
        world:heal()
      end
      for i, core in ipairs(world.cores) do
        assert(core.disk.told or core.disk.ended, "nobody said that it is over")
        assert(core.disk.keyless, "the key lives on")
        assert(core.outbox:is_settled(), "something is still to be written down")
        local other = world.cores[3 - i].disk.by_id
        for _, row in ipairs(said_by(core)) do
          assert(row.state == "delivered" or row.state == "failed", "a message stays " .. row.state)
          assert(row.state == "failed" or other[row.id], "delivered, and not there")
          -- who was closed by the other, before its own was on disk, knows only what was acknowledged by then
          assert(row.state == "delivered" or core.disk.ended or not other[row.id], "failed, and it is there")
        end
      end
      check_answers(world)
      add_up(world)
    end)
  end)

  it("have come to every corner of the machines", function()
    if ONE then return end
    for _, what in ipairs { "commit", "accepted", "rejected", "seal", "store_sealed", "load", "transmit", "store_ack",
      "retry_in", "closed", "failed", "key_may_die", "closed_delivered", "undeliverable", "open", "deliver", "ack",
      "cannot_open", "rekey", "key_covered", "key_expired", "complain", "complaint", "ack_in",
      "pause", "resume", "closed_by", "duplicate", "gap", "not_opened", "after_close" } do
      assert((total[what] or 0) > 0, "never: " .. what)
    end
  end)
end)
