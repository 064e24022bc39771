-- SPDX-License-Identifier: GPL-3.0-or-later
-- Policies decide about admissions on real cores: one by policies alone, one that is refused, and whatever goes wrong is no consent.
local cores = require "support.cores"
local group = require "support.group"
local sys = require "sotto.sys"
local system = require "support.system"

local ann, ben, cid, dan, id

local function bundled(who, name, arguments)
  who:call("scripts.load", { path = ("%s/plugins/%s.lua"):format(sys.cwd(), name), grant = true, arguments = arguments })
end

local function own(who, name, body)
  local path = ("%s/%s-%s.lua"):format(cores.root(), who.name, name)
  system.write(path, ([[
local sotto = require "sotto"
local s = sotto.script { name = %q, version = "1.0", api = 1, needs = { "proposals" } }
]]):format(name) .. body)
  who:call("scripts.load", { path = path, grant = true })
end

local function unload_all(...)
  for _, who in ipairs { ... } do
    for _, one in ipairs(who:call("scripts.list", { health = false })) do who:call("scripts.unload", { name = one.name }) end
  end
end

-- proposed by ann, and accepted by the candidate
local function propose(who)
  local made = group.join(id, ann, who)
  return made.id
end

local function answer_of(proposal, who)
  for _, one in ipairs(proposal.answers) do
    if one.member == who.fingerprint then return one end
  end
end

describe("policies", function()
  setup(function()
    ann, ben, cid, dan = cores.person "ann", cores.person "ben", cores.person "cid", cores.person "dan"
    for _, who in ipairs { ben, cid, dan } do
      cores.meet(ann, who)
      local opened = cores.open_between(ann, who)
      id = id or opened
    end
    group.admit(id, ann, cid, { ben })
  end)
  teardown(cores.clean)
  after_each(function() unload_all(ann, ben, cid) end)

  it("§5, 3 refuse for their member, and the proposer reads why", function()
    bundled(cid, "closed")
    cid:call("scripts.command", { name = "closed", command = "because", arguments = { "We are", "complete." } })
    local proposal = propose(dan)
    local refused = ann:event("proposal.refused", { id = proposal })
    local said = answer_of(refused, cid)
    assert.are.same({ "refuse", "We are complete.", "policy" }, { said.answer, said.reason, said.by })
    -- and so do all members
    assert.are.same(said, answer_of(ben:event "proposal.refused", cid))
    cores.ask("the candidate is told", function() return dan:discussion(id).state == "refused" end)
    group.agree(id, { ann, ben, cid })
    local log = cid:call("scripts.log", { name = "closed" }).lines
    assert.truthy(log[#log].text:find("refuse for " .. dan.fingerprint:sub(1, 8), 1, true), log[#log].text)
  end)

  it("that fail, are late or have no opinion never consent: the person is asked", function()
    own(ben, "broken", "s:admission(function() error 'oh no' end)")
    own(ben, "late", "s:admission(function() sotto.sleep '30s' return sotto.consent() end)")
    own(ben, "dead", "s:admission(function() while true do end end)")
    own(ben, "strange", "s:admission(function() return true end)")
    own(ben, "nothing", "s:admission(function() end)")
    bundled(cid, "ask-everyone")
    own(cid, "all", "s:admission(function() return sotto.consent 'whoever it is' end)")
    local proposal = propose(dan)
    local asked = group.asked(ben, id)
    -- the dead one was killed by then: it was asked, as the others were
    ben:event("script.failed", { name = "dead" }, 60000)
    assert.are.equal("ask", cid:call("proposals.explain", { proposal = group.asked(cid, id).id }).verdict.answer)
    assert.is_nil(answer_of(ben:call("proposals.show", { proposal = asked.id }), ben))
    assert.is_nil(answer_of(cid:call("proposals.show", { proposal = group.asked(cid, id).id }), cid))
    assert.are.equal("open", ann:call("proposals.show", { proposal = proposal }).state)
    -- the persons decide
    ben:call("proposals.answer", { proposal = asked.id, answer = "refuse", reason = "not by this" })
    local said = answer_of(ann:event("proposal.refused", { id = proposal }), ben)
    assert.are.same({ "not by this", "person" }, { said.reason, said.by })
  end)

  it("admit alone whom they know; one asks again when a further member has consented; a restart changes nothing", function()
    bundled(cid, "vouched-by-two")
    local proposal = propose(dan)
    group.asked(cid, id)
    -- one vouches so far, the sponsor: no opinion
    assert.are.equal("ask", cid:call("proposals.explain", { proposal = group.asked(cid, id).id }).verdict.answer)
    bundled(ben, "allow-list")
    -- what is open is asked about when the policies change: not on the list yet
    ben:restart()
    cores.ask("the list runs again", function()
      local one = ben:script("allow-list", { health = false })
      return one and one.state == "running"
    end)
    assert.is_nil(answer_of(ben:call("proposals.show", { proposal = group.asked(ben, id).id }), ben))
    ben:call("scripts.command", { name = "allow-list", command = "allow", arguments = { dan.fingerprint } })
    ben:call("scripts.reload", { name = "allow-list" })
    local done = group.ends(ann, proposal, "committed")
    group.agree(id, { ann, ben, cid, dan })
    local first, second = answer_of(done, ben), answer_of(done, cid)
    assert.are.same({ "consent", "listed", "policy" }, { first.answer, first.reason, first.by })
    assert.are.same({ "consent", "2 members vouch for it", "policy" }, { second.answer, second.reason, second.by })
    group.say(id, dan, { ann, ben, cid })
  end)
end)
