-- SPDX-License-Identifier: GPL-3.0-or-later
-- Ten thousand proposals (§5): by somebody's own hand, and by a member that lies. Each core's memory stays what it was, messages go on,
-- and what is proposed in good faith is asked about and decided.
local cores = require "support.cores"
local group = require "support.group"
local loop = require "sotto.loop"
local system = require "support.system"
local twins = require "support.twin"

local MANY = 10000
local PROPOSALS_MAX = 4 -- of one member in an epoch

local function resident_kb(who) return tonumber(system.read_proc(who:pid(), "status"):match "VmRSS:%s*(%d+)") end

describe("ten thousand proposals", function()
  local id, ann, ben, cid

  before_each(function() id, ann, ben, cid = group.make { "ann", "ben", "cid" } end)
  after_each(cores.clean)

  it("§5, 2 by one person are too many after a few: busy, and nothing is lost", function()
    local before = group.say(id, ann, { ben, cid })
    local wanted = { { op = "charter", charter = "1" }, { op = "charter", charter = "2" }, { op = "charter", charter = "3" },
      { op = "remove", peer = ben.fingerprint }, { op = "remove", peer = cid.fingerprint } }
    local function propose(n)
      local params = { discussion = id }
      for key, value in pairs(wanted[n]) do params[key] = value end
      return params
    end
    local made = {}
    for n = 1, PROPOSALS_MAX do made[n] = ann:call("proposals.create", propose(n)) end
    local memory = resident_kb(ann)
    local requests, another = {}, ann:connect()
    for n = 1, MANY do requests[n] = another:request("proposals.create", propose(PROPOSALS_MAX + 1)) end
    -- while they are answered, whoever speaks with the core over a connection of its own is answered as well
    group.say(id, ben, { ann, cid })
    for n, request in ipairs(requests) do
      local problem = another:answer(request, "proposal " .. n, group.PATIENCE_MS).error
      assert.are.equal("busy", problem and problem.data.name)
    end
    another:close()
    local _, text = ann:fails("proposals.create", propose(PROPOSALS_MAX + 1))
    assert.are.equal("more proposals than a member may make in an epoch", text)
    assert.is_true(resident_kb(ann) - memory < 8192, resident_kb(ann) - memory)
    -- what was proposed before is open everywhere, and one of it is decided
    for _, who in ipairs { ann, ben, cid } do
      group.wait(who.name .. " has all of it", function()
        local open = 0
        for _, p in ipairs(who:call("proposals.list", { discussion = id })) do open = open + (p.state == "open" and 1 or 0) end
        return open == PROPOSALS_MAX
      end)
    end
    for _, who in ipairs { ben, cid } do
      who:call("proposals.answer", { proposal = made[2].id, answer = "consent" })
    end
    group.ends(ann, made[2].id, "committed")
    assert.are.equal("2", group.agree(id, { ann, ben, cid }).charter)
    assert.are.equal(before.text, cid:messages(id)[1].text)
    group.say_all(id, { ann, ben, cid })
  end)

  it("§5, 2 by a member that lies: its line waits, messages go on, and it is removed", function()
    cid:kill()
    local twin = twins.of(cid, id)
    local link = twin:link(ann)
    local memory, said = { [ann] = resident_kb(ann), [ben] = resident_kb(ben) }, 0
    local filler = ("x"):rep(20000) -- so that all of them together are no small matter
    local _ <close> = loop.every(5, function()
      while said < MANY and not link.ended and link:room() > 1 << 20 do
        said = said + 1
        link:say((twin:state("propose", { op = twins.op({ kind = "charter", charter = "2" }, said .. filler) })))
      end
    end)
    local function taken() return ann:metrics().statements_taken or 0 end
    local begun = taken()
    group.wait("many of them", function() return taken() - begun > 200 end)
    -- of which its persons see as many as a member may make
    local shown = 0
    for _, p in ipairs(ann:call("proposals.list", { discussion = id })) do
      if p.proposer == cid.fingerprint then shown = shown + 1 end
    end
    assert.are.equal(PROPOSALS_MAX, shown)
    group.say(id, ann, { ben })
    group.say(id, ben, { ann })
    local made = ann:call("proposals.create", { discussion = id, op = "remove", peer = cid.fingerprint })
    ben:call("proposals.answer", {
      proposal = group.asked(ben, id, "remove").id, answer = "consent", reason = "it says too much",
    })
    group.ends(ann, made.id, "committed")
    for who, kb in pairs(memory) do assert.is_true(resident_kb(who) - kb < 32768, resident_kb(who) - kb) end
    group.agree(id, { ann, ben })
    link:wait_end()
    group.say_all(id, { ann, ben })
  end)
end)
