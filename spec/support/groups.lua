-- SPDX-License-Identifier: GPL-3.0-or-later
-- Discussions of many, each member with a real core (spec/scenario/group_*): brought together by admissions, as people do it.
local cores = require "support.cores"
local sys = require "sotto.sys"

local M = {}

-- what is decided takes rounds of gpg work at every member; on a busy machine many times what it takes alone
M.PATIENCE_MS = 120000

local function wait(what, check) return cores.ask(what, check, M.PATIENCE_MS) end
M.wait = wait

--- Waits until each of them shows the same members, epoch and words.
---@param id string
---@param people support.person[]
---@param size? integer members there must be; standard: these people
---@return table discussion as the first of them shows it
function M.agree(id, people, size)
  return wait(("%d agree on %d members"):format(#people, size or #people), function()
    local first
    for _, who in ipairs(people) do
      local found = who:discussion(id)
      if #found.members ~= (size or #people) then return false end
      first = first or found
      if found.words ~= first.words or found.epoch ~= first.epoch or found.charter ~= first.charter then return false end
      for i, member in ipairs(found.members) do
        if member.fingerprint ~= first.members[i].fingerprint then return false end
      end
    end
    return first
  end)
end

--- The first open proposal of that op there.
---@param who support.person
---@param id string
---@param op string
---@param match? fun(proposal: table): boolean
---@return table proposal
function M.open_proposal(who, id, op, match)
  return wait(("%s: an open proposal: %s"):format(who.name, op), function()
    for _, p in ipairs(who:call("proposals.list", { discussion = id })) do
      if p.state == "open" and p.op == op and (not match or match(p)) then return p end
    end
  end)
end

--- Each consents to the open proposal of that op.
function M.consent(id, op, people, match)
  for _, who in ipairs(people) do
    local p = M.open_proposal(who, id, op, match)
    who:call("proposals.answer", { proposal = p.id, answer = "consent" })
  end
end

--- The sponsor invites, and the candidate joins: the others have not answered yet.
---@return table proposal at the sponsor
function M.invite(id, sponsor, candidate)
  cores.meet(sponsor, candidate)
  cores.open_between(sponsor, candidate, "invitation of " .. candidate.name)
  local p = sponsor:call("proposals.create", { discussion = id, op = "admit", peer = candidate.fingerprint })
  wait(candidate.name .. " is invited", function()
    for _, d in ipairs(candidate:call "discussions.list") do
      if d.id == id and d.state == "requested" then return true end
    end
  end)
  candidate:call("discussions.accept", { discussion = id })
  return p
end

--- An admission from the invitation to the agreement of all.
---@param id string
---@param sponsor support.person
---@param candidate support.person
---@param others support.person[] members beside the sponsor: each consents
function M.admit(id, sponsor, candidate, others)
  M.invite(id, sponsor, candidate)
  M.consent(id, "admit", others, function(p) return p.subjects[1] == candidate.fingerprint end)
  local everyone = table.move(others, 1, #others, 3, { sponsor, candidate })
  return M.agree(id, everyone)
end

--- A discussion of these, in order of their coming.
---@param names string[] two and more
---@return string id, support.person ...
function M.make(names)
  local people = {}
  for i, name in ipairs(names) do people[i] = cores.person(name) end
  cores.meet(people[1], people[2])
  local id = cores.open_between(people[1], people[2])
  for i = 3, #people do M.admit(id, people[1], people[i], table.move(people, 2, i - 1, 1, {})) end
  return id, table.unpack(people)
end

--- A message that each of the others gets.
---@return table message
function M.say(id, from, others)
  local text = ("from %s, %s"):format(from.name, sys.random_hex(4))
  local sent = from:send(id, text)
  for _, who in ipairs(others) do
    wait(("%s hears %s"):format(who.name, from.name), function()
      for _, m in ipairs(who:call("messages.list", { discussion = id, limit = 1000 })) do
        if m.id == sent.id then return m.text == text and m.sender == from.fingerprint end
      end
    end)
  end
  return sent
end

--- Waits until the discussion has ended there, and for what reason.
function M.ended(who, id, reason)
  return wait(("%s: closed, %s"):format(who.name, reason), function()
    local found = who:discussion(id)
    return found.state == "closed" and found.reason == reason and found
  end)
end

return M
