-- SPDX-License-Identifier: GPL-3.0-or-later
-- One of four vanishes for good in the middle of a vote (§5, L3): by kill -9, at the moment of each thing that it says. The other three
-- decide what was consented to, go on talking, and remove it. Then it is back, learns that it is removed, and is admitted again.
local cores = require "support.cores"
local group = require "support.group"
local system = require "support.system"

local people, id

local function moment_of(who) return cores.root() .. "/vanish-" .. who.name end

local function by_fingerprint(fingerprint)
  for _, who in ipairs(people) do
    if who.fingerprint == fingerprint then return who end
  end
end

-- In the order of the roster, as somebody who is a member has it: the first leads the first round.
local function in_order(who)
  local order = {}
  for i, m in ipairs(who:discussion(id).members) do order[i] = by_fingerprint(m.fingerprint) end
  return order
end

local function without(list, one)
  local rest = {}
  for _, who in ipairs(list) do
    if who ~= one then rest[#rest + 1] = who end
  end
  return rest
end

-- A charter is proposed and consented to, by the victim last.
local function vote(rest, victim, charter)
  local made = rest[1]:call("proposals.create", { discussion = id, op = "charter", charter = charter })
  group.consent(id, "charter", { rest[2], rest[3] })
  local asked = group.asked(victim, id, "charter")
  -- it may be gone before it answers
  victim.control:request("proposals.answer", { proposal = asked.id, answer = "consent" })
  return made.id
end

local function other_charter() return people[1]:discussion(id).charter == "all" and "3" or "all" end

local function vanishes(charter, step, moment, leads)
  local order = in_order(people[1])
  local victim = order[leads and 1 or 4]
  local rest = without(order, victim)
  system.write(moment_of(victim), step .. " " .. moment)
  local proposal = vote(rest, victim, charter)
  group.wait(("%s vanishes %s its %s"):format(victim.name, moment, step), function() return not victim:running() end)
  assert.are.equal("SIGKILL", victim.process.signal)
  victim:kill()
  system.write(moment_of(victim), "")
  return rest, victim, proposal
end

local function comes_back(rest, victim)
  victim:start()
  group.ended(victim, id, "removed")
  cores.ask("it is forgotten", function() return victim:try("discussions.forget", { discussion = id }) end, group.PATIENCE_MS)
  group.know(rest[1], victim)
  group.admit(id, rest[1], victim, { rest[2], rest[3] })
end

local function goes_on_without(rest, victim)
  group.say_all(id, rest)
  rest[1]:call("proposals.create", { discussion = id, op = "remove", peer = victim.fingerprint })
  group.consent(id, "remove", { rest[2], rest[3] })
  group.agree(id, rest)
  group.say_all(id, rest)
end

describe("one of four vanishes for good", function()
  setup(function()
    local names = { "ann", "ben", "cid", "dan" }
    people = {}
    for i, name in ipairs(names) do
      people[i] = cores.person(name, { environment = {
        LD_PRELOAD = cores.BUILD .. "/vanish.so", SOTTO_VANISH_FILE = cores.root() .. "/vanish-" .. name,
        ASAN_OPTIONS = (os.getenv "ASAN_OPTIONS" or "") .. ":verify_asan_link_order=0",
      } })
    end
    id = group.know(people[1], people[2])
    for i = 3, 4 do
      group.know(people[1], people[i])
      group.admit(id, people[1], people[i], table.move(people, 2, i - 1, 1, {}))
    end
  end)
  teardown(cores.clean)

  it("L3 before its consent is heard: nothing is decided, messages go on, and it is removed", function()
    local rest, victim, proposal = vanishes("2", "consent", "before")
    group.wait("whom it waits for", function()
      local waits = rest[1]:call("proposals.show", { proposal = proposal }).waiting_for
      return #waits == 1 and waits[1] == victim.fingerprint
    end)
    goes_on_without(rest, victim)
    group.ends(rest[1], proposal, "void")
    comes_back(rest, victim)
    -- and it is asked about again, in each new epoch
    local again = group.asked(rest[2], id, "charter")
    rest[2]:call("proposals.answer", { proposal = again.id, answer = "refuse" })
    group.ends(rest[1], again.id, "refused")
  end)

  for _, case in ipairs {
    { "consent", "after" }, { "status", "after" }, { "order", "before", true }, { "order", "after", true },
    { "vote", "after" }, { "commit", "after", true },
  } do
    local step, moment, leads = table.unpack(case)
    it(("L3 %s its %s%s: the others decide, and remove it"):format(moment, step:upper(), leads and ", leading" or ""), function()
      local charter = other_charter()
      local rest, victim = vanishes(charter, step, moment, leads)
      group.wait("the others have decided", function() return group.agree(id, rest, 4).charter == charter end)
      goes_on_without(rest, victim)
      comes_back(rest, victim)
    end)
  end
end)
