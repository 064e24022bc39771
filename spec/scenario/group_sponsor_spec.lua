-- SPDX-License-Identifier: GPL-3.0-or-later
-- kill -9 of the sponsor alone in the middle of an admission (§5, 1–6), whatever it was about to do: the admission ends, or is void, the
-- same for all, be it that the sponsor comes back or that it never does.
local cores = require "support.cores"
local group = require "support.group"

local ann, ben, cid, dan, id

local function start_all()
  ann, ben, cid, dan = cores.person "ann", cores.person "ben", cores.person "cid", cores.person "dan"
  id = group.know(ann, ben)
  group.know(ann, cid)
  group.admit(id, ann, cid, { ben })
  group.know(ann, dan)
end

local function is_member(who, at)
  for _, m in ipairs(at:discussion(id).members) do
    if m.fingerprint == who.fingerprint then return true end
  end
  return false
end

local function members_decide()
  group.consent(id, "admit", { ben, cid })
  for _, who in ipairs { ben, cid } do
    group.wait(who.name .. " has the decision", function() return is_member(dan, who) end)
  end
end

-- Consents wherever it is wanted, and accepts what is asked anew, until the candidate is in at all of them.
local function until_admitted(members, size)
  group.wait("the admission's end", function()
    if dan:discussion(id).state == "requested" then dan:call("discussions.accept", { discussion = id }) end
    group.consent_wherever(id, members)
    return dan:discussion(id).state == "open"
  end)
  return group.agree(id, { dan, table.unpack(members) }, size)
end

describe("the sponsor is killed, and comes back,", function()
  before_each(start_all)
  after_each(cores.clean)

  it("once the candidate has accepted, and once it has proposed", function()
    group.invite(id, ann, dan)
    dan:call("discussions.accept", { discussion = id })
    ann:kill()
    ann:start()
    for _, who in ipairs { ben, cid } do group.asked(who, id, "admit") end
    ann:kill()
    members_decide()
    ann:start()
    until_admitted { ann, ben, cid }
    group.say_all(id, { ann, ben, cid, dan })
  end)

  it("once the members have decided, before the candidate has heard of it", function()
    group.join(id, ann, dan)
    for _, who in ipairs { ben, cid } do group.asked(who, id, "admit") end
    dan.process.handle:kill "SIGSTOP"
    members_decide()
    ann:kill()
    dan.process.handle:kill "SIGCONT"
    until_admitted({ ben, cid }, 4)
    ann:start()
    group.agree(id, { ann, ben, cid, dan })
    group.say_all(id, { ann, ben, cid, dan })
  end)
end)

describe("the sponsor is killed, and never comes back:", function()
  before_each(start_all)
  after_each(cores.clean)

  it("what it has proposed is decided without it, and then it is removed", function()
    group.join(id, ann, dan)
    for _, who in ipairs { ben, cid } do group.asked(who, id, "admit") end
    ann:kill()
    until_admitted({ ben, cid }, 4)
    group.say_all(id, { ben, cid, dan })
    ben:call("proposals.create", { discussion = id, op = "remove", peer = ann.fingerprint })
    group.consent(id, "remove", { cid, dan })
    group.agree(id, { ben, cid, dan })
    group.say_all(id, { ben, cid, dan })
  end)

  it("what it has not proposed is void: nobody is asked, and another may invite the same person", function()
    group.invite(id, ann, dan)
    ann:kill()
    dan:call("discussions.accept", { discussion = id })
    group.know(ben, dan)
    for _, who in ipairs { ben, cid } do
      for _, p in ipairs(who:call("proposals.list", { discussion = id })) do assert.are_not.equal("open", p.state, who.name) end
    end
    assert.are.equal("opening", dan:discussion(id).state)
    -- of two sponsors one is enough, until the candidate lets go of the first
    dan:call("discussions.close", { discussion = id })
    group.join(id, ben, dan)
    -- all must consent, and ann's word will never come: so it is removed first
    local waits = group.wait("whom it waits for", function()
      local p = group.asked(ben, id, "admit")
      return #p.waiting_for == 2 and p
    end)
    assert.is_true(waits.waiting_for[1] == ann.fingerprint or waits.waiting_for[2] == ann.fingerprint)
    ben:call("proposals.create", { discussion = id, op = "remove", peer = ann.fingerprint })
    group.consent(id, "remove", { cid })
    group.agree(id, { ben, cid })
    until_admitted { ben, cid }
    group.say_all(id, { ben, cid, dan })
  end)
end)
