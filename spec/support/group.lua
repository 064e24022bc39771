-- SPDX-License-Identifier: GPL-3.0-or-later
-- What scenarios of discussions of many share (spec/scenario/group_*): who is invited, who consents, and that all of them see one
-- and the same. Each member has a real core; they come together by admissions, as people do it.
local cores = require "support.cores"
local sys = require "sotto.sys"

local M = {}

-- what is decided takes rounds of gpg work at every member; on a busy machine many times what it takes alone
M.PATIENCE_MS = 120000

local function wait(what, check) return cores.ask(what, check, M.PATIENCE_MS) end
M.wait = wait

-- --- who comes in ----------------------------------------------------------------------------------------------------------------

--- A discussion of the two: what an invitation goes through.
---@param from support.person
---@param who support.person
---@return string id
function M.know(from, who)
  cores.meet(from, who)
  return cores.open_between(from, who, "a password for " .. who.name)
end

--- Proposed by the sponsor; the invitation is there, at who is invited.
---@param id string
---@param from support.person the sponsor
---@param who support.person whom it knows
---@return table proposal of the sponsor, table discussion as it is shown to who is invited
function M.invite(id, from, who)
  local made = from:call("proposals.create", { discussion = id, op = "admit", peer = who.fingerprint })
  return made, wait(who.name .. ": an invitation", function()
    for _, d in ipairs(who:call "discussions.list") do
      if d.id == id and d.state == "requested" then return d end
    end
  end)
end

--- Invited, and the invitation accepted: the others have not answered yet.
---@param id string
---@param from support.person the sponsor
---@param who support.person whom it knows
---@return table proposal of the sponsor
function M.join(id, from, who)
  local made = M.invite(id, from, who)
  who:call("discussions.accept", { discussion = id })
  return made
end

--- The first proposal that is open there: who is asked can answer it.
---@param who support.person
---@param id string
---@param op? string only one of these
---@param match? fun(proposal: table): boolean
---@return table proposal
function M.asked(who, id, op, match)
  return wait(("%s: an open proposal: %s"):format(who.name, op or "any"), function()
    for _, p in ipairs(who:call("proposals.list", { discussion = id })) do
      if p.state == "open" and (not op or p.op == op) and (not match or match(p)) then return p end
    end
  end)
end

--- Each consents to the open proposal of that op.
---@param id string
---@param op string
---@param people support.person[]
---@param match? fun(proposal: table): boolean
function M.consent(id, op, people, match)
  for _, who in ipairs(people) do
    who:call("proposals.answer", { proposal = M.asked(who, id, op, match).id, answer = "consent" })
  end
end

--- Whoever is waited for consents, to whatever it is.
---@param id string
---@param people support.person[]
function M.consent_wherever(id, people)
  for _, who in ipairs(people) do
    for _, p in ipairs(who:try("proposals.list", { discussion = id }) or {}) do
      for _, waited in ipairs(p.waiting_for) do
        if waited == who.fingerprint then who:try("proposals.answer", { proposal = p.id, answer = "consent" }) end
      end
    end
  end
end

--- An admission from the invitation to the agreement of all.
---@param id string
---@param from support.person the sponsor
---@param who support.person whom it knows
---@param others support.person[] members beside the sponsor: each consents
---@return table discussion
function M.admit(id, from, who, others)
  M.join(id, from, who)
  M.consent(id, "admit", others, function(p) return p.subjects[1] == who.fingerprint end)
  return M.agree(id, { from, who, table.unpack(others) })
end

--- A discussion of these, in order of their coming.
---@param names string[] two and more
---@param options? table of each of them, as cores.person takes it
---@return string id, support.person ...
function M.make(names, options)
  local people = {}
  for i, name in ipairs(names) do people[i] = cores.person(name, options) end
  local id = M.know(people[1], people[2])
  for i = 3, #people do
    M.know(people[1], people[i])
    M.admit(id, people[1], people[i], table.move(people, 2, i - 1, 1, {}))
  end
  return id, table.unpack(people)
end

-- --- what all of them see --------------------------------------------------------------------------------------------------------

local function as_seen(who, id)
  local found = who:discussion(id)
  local members = {}
  for i, m in ipairs(found.members) do members[i] = m.fingerprint end
  return ("%s, roster %s, epoch %d, charter %s, %s: %s"):format(found.words, found.roster_hash, found.epoch, found.charter,
    found.state, table.concat(members, " ")), found
end

--- Waits until it is open at all of them, with the same words, roster, epoch and charter.
---@param id string
---@param people support.person[]
---@param size? integer members there must be; standard: these people
---@return table discussion as the first of them sees it
function M.agree(id, people, size)
  local seen = {}
  return wait(function()
    return ("%d agree on %d members:\n%s"):format(#people, size or #people, table.concat(seen, "\n"))
  end, function()
    local first, found = as_seen(people[1], id)
    seen = { first }
    for i = 2, #people do
      seen[i] = as_seen(people[i], id)
      if seen[i] ~= first then return false end
    end
    return #found.members == (size or #people) and found.state == "open" and found
  end)
end

--- The proposal has come to that.
---@param who support.person
---@param proposal string id
---@param state string
---@return table proposal
function M.ends(who, proposal, state)
  return wait(("%s: the proposal is %s"):format(who.name, state), function()
    local p = who:call("proposals.show", { proposal = proposal })
    return p.state == state and p
  end)
end

--- Waits until the discussion has ended there, and for what reason.
---@param who support.person
---@param id string
---@param reason string
---@return table discussion
function M.ended(who, id, reason)
  return wait(("%s: closed, %s"):format(who.name, reason), function()
    local found = who:discussion(id)
    return found.state == "closed" and found.reason == reason and found
  end)
end

--- A message that each of the others gets.
---@param id string
---@param from support.person
---@param others support.person[]
---@return table message
function M.say(id, from, others)
  local text = ("from %s, %s"):format(from.name, sys.random_hex(4))
  local sent = from:send(id, text)
  for _, who in ipairs(others) do
    wait(("%s hears %s"):format(who.name, from.name), function()
      for _, m in ipairs(who:messages(id)) do
        if m.id == sent.id then return m.text == text and m.sender == from.fingerprint end
      end
    end)
  end
  return sent
end

--- Each of them says something that all the others get.
---@param id string
---@param people support.person[]
function M.say_all(id, people)
  for _, who in ipairs(people) do M.say(id, who, people) end
end

return M
