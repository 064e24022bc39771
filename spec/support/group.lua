-- SPDX-License-Identifier: GPL-3.0-or-later
-- What scenarios of discussions of many share: who is invited, who consents, and that all of them see one and the same.
local cores = require "support.cores"

local M = {}

--- The invitation is there, at who is invited.
---@param from support.person the sponsor
---@param who support.person
---@param id string
---@return table discussion, table proposal of the sponsor
function M.invite(from, who, id)
  local made = from:call("proposals.create", { discussion = id, op = "admit", peer = who.fingerprint })
  return cores.ask(who.name .. ": an invitation", function()
    for _, d in ipairs(who:call "discussions.list") do
      if d.id == id and d.state == "requested" then return d end
    end
  end), made
end

--- The one proposal that is open and has an op: who is asked can answer it.
---@param who support.person
---@param id string
---@return table proposal
function M.asked(who, id)
  return cores.ask(who.name .. ": a proposal to answer", function()
    for _, p in ipairs(who:call("proposals.list", { discussion = id })) do
      if p.state == "open" then return p end
    end
  end)
end

--- The proposal has come to that.
---@param who support.person
---@param proposal string id
---@param state string
---@return table proposal
function M.ends(who, proposal, state)
  return cores.ask(("%s: the proposal is %s"):format(who.name, state), function()
    local p = who:call("proposals.show", { proposal = proposal })
    return p.state == state and p
  end)
end

local function as_seen(who, id)
  local found = who:discussion(id)
  local members = {}
  for i, m in ipairs(found.members) do members[i] = m.fingerprint end
  return ("%s %s %d %s"):format(found.words, found.roster_hash, found.epoch, table.concat(members, " ")), found
end

--- All of them are open, and see the same words, roster and epoch; nobody else is a member.
---@param id string
---@param ... support.person
---@return table discussion as the first of them sees it
function M.agree(id, ...)
  local people = { ... }
  return cores.ask("one roster of " .. #people, function()
    local first, found = as_seen(people[1], id)
    if #found.members ~= #people then return false end
    for _, who in ipairs(people) do
      local seen, theirs = as_seen(who, id)
      if seen ~= first or theirs.state ~= "open" then return false end
    end
    return found
  end)
end

--- Invited, joined, and consented to by the others.
---@param id string
---@param from support.person the sponsor
---@param who support.person
---@param ... support.person the other members
---@return table discussion
function M.admit(id, from, who, ...)
  M.invite(from, who, id)
  who:call("discussions.accept", { discussion = id })
  for _, other in ipairs { ... } do
    other:call("proposals.answer", { proposal = M.asked(other, id).id, answer = "consent" })
  end
  return M.agree(id, from, who, ...)
end

--- A message of one reaches all others.
---@param id string
---@param from support.person
---@param ... support.person
function M.heard(id, from, ...)
  local sent = from:send(id, ("from %s, the %d"):format(from.name, #from:messages(id)))
  for _, who in ipairs { ... } do
    cores.ask(("%s hears %s"):format(who.name, from.name), function()
      for _, text in ipairs(who:texts(id, from.fingerprint)) do
        if text == sent.text then return true end
      end
    end)
  end
end

return M
