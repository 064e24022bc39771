-- SPDX-License-Identifier: GPL-3.0-or-later
-- What becomes of a discussion's members, in words: proposals, who has answered what, who is waited for, what a charter
-- means. `who` gives a person's name by fingerprint, harmless already, "you" for oneself.
local names = require "sotto.client.names"

local M = {}

---@alias sotto.chat.who fun(fingerprint: string): string

--- "bob", "bob and carol", "bob, carol and dan".
---@param list string[]
---@return string
function M.joined(list)
  if #list < 2 then return list[1] or "nobody" end
  return table.concat(list, ", ", 1, #list - 1) .. " and " .. list[#list]
end

--- The same of people.
---@param fingerprints string[]
---@param who sotto.chat.who
---@return string
function M.people(fingerprints, who)
  local list = {}
  for i, fingerprint in ipairs(fingerprints) do list[i] = who(fingerprint) end
  return M.joined(list)
end

--- With its full stop: what others wrote at its end may have one.
---@param text string
---@return string
function M.sentence(text) return text:find "[.!?]$" and text or text .. "." end

--- Who must consent to an admission.
---@param charter string "all", or a number
---@return string
function M.charter(charter)
  if charter == "all" then return "all members must consent to a newcomer" end
  if charter == "1" then return "any one member may take somebody in" end
  return ("%s members must consent to a newcomer"):format(names.safe(charter))
end

--- "admit carol": what is proposed.
---@param proposal sotto.proposal
---@param who sotto.chat.who
---@return string
function M.what(proposal, who)
  if proposal.op == "admit" then return "admit " .. M.people(proposal.subjects, who) end
  if proposal.op == "remove" then return "remove " .. M.people(proposal.subjects, who) end
  if proposal.op == "depart" then return "let go " .. M.people(proposal.subjects, who) end
  return ("change the charter to '%s'"):format(names.safe(proposal.charter))
end

--- Whether that person's answer is waited for.
---@param proposal sotto.proposal
---@param fingerprint string
---@return boolean
function M.waits_for(proposal, fingerprint)
  -- proposing is consent, also before it is signed
  if proposal.state ~= "open" or fingerprint == proposal.proposer then return false end
  for _, one in ipairs(proposal.waiting_for or {}) do
    if one == fingerprint then return true end
  end
  return false
end

-- the candidate has not said yet whether it comes at all
local function awaits_candidate(proposal)
  return proposal.op == "admit" and #proposal.waiting_for == 1 and proposal.waiting_for[1] == proposal.subjects[1]
end

--- Who is waited for, and since when; "" where nobody is.
---@param proposal sotto.proposal
---@param who sotto.chat.who
---@return string
function M.waiting(proposal, who)
  if proposal.state ~= "open" then return "" end
  local list = {}
  for _, one in ipairs(proposal.waiting_for or {}) do
    if one ~= proposal.proposer then list[#list + 1] = one end
  end
  if #list == 0 then return "the members are carrying it out" end
  local since = proposal.created and ", since " .. names.time(proposal.created) or ""
  local text = ("waits for %s%s"):format(M.people(list, who), since)
  return awaits_candidate(proposal) and text .. ", who was invited and has not joined yet" or text
end

--- The same as a sentence: "It waits for bob."; "" where nobody is waited for.
---@param proposal sotto.proposal
---@param who sotto.chat.who
---@return string
function M.standing(proposal, who)
  local text = M.waiting(proposal, who)
  if text == "" then return "" end
  return (text:find "^waits" and "It " .. text or text:gsub("^%l", string.upper)) .. "."
end

local VERBS = { consent = { "consents", "consent" }, refuse = { "refuses", "refuse" } }

--- "bob consents", or "you refuse (a policy): not today".
---@param answer {member: string, answer: string, reason: string, by: string}
---@param who sotto.chat.who
---@return string
function M.answer(answer, who)
  local name = who(answer.member)
  local text = ("%s %s"):format(name, VERBS[answer.answer][name == "you" and 2 or 1])
  if answer.by == "policy" then text = text .. " (a policy)" end
  local reason = answer.reason
  return reason and reason ~= "" and ("%s: %s"):format(text, names.safe(reason)) or text
end

local STATES = { committed = "carried out", refused = "refused", void = "come to nothing" }

--- A proposal in a line: what, by whom, and how it stands.
---@param proposal sotto.proposal
---@param who sotto.chat.who
---@return string
function M.line(proposal, who)
  local state = STATES[proposal.state]
  if state then
    if proposal.ended then state = ("%s at %s"):format(state, names.time(proposal.ended)) end
  else
    state = M.waiting(proposal, who)
  end
  local by = proposal.op ~= "depart" and (", proposed by %s"):format(who(proposal.proposer)) or ""
  return ("%s%s: %s"):format(M.what(proposal, who), by, state)
end

--- What each member has said to it, a line each.
---@param proposal sotto.proposal
---@param who sotto.chat.who
---@return string[]
function M.answers(proposal, who)
  local lines = {}
  for i, one in ipairs(proposal.answers or {}) do lines[i] = M.answer(one, who) end
  return lines
end

--- Who has refused, and why: the first refusal; nil where there is none.
---@param proposal sotto.proposal
---@param who sotto.chat.who
---@return string|nil
function M.refusal(proposal, who)
  for _, one in ipairs(proposal.answers or {}) do
    if one.answer == "refuse" then
      local declined = proposal.op == "admit" and one.member == proposal.subjects[1]
      local reason = one.reason ~= "" and one.reason and ": " .. names.safe(one.reason) or ""
      local name = who(one.member)
      return ("%s %s %s%s%s"):format(name, name == "you" and "have" or "has", declined and "declined" or "refused",
        one.by == "policy" and " (a policy)" or "", reason)
    end
  end
end

--- On whose word a member was taken in; nil where that is not known here.
---@param proposals sotto.proposal[]
---@param fingerprint string
---@return string[]|nil fingerprints, the proposer first
function M.vouchers(proposals, fingerprint)
  local found
  for _, one in ipairs(proposals) do
    if one.op == "admit" and one.state == "committed" and one.subjects[1] == fingerprint then found = one end
  end
  if not found then return nil end
  local list = { found.proposer }
  for _, answer in ipairs(found.answers or {}) do
    if answer.answer == "consent" and answer.member ~= found.proposer then list[#list + 1] = answer.member end
  end
  return list
end

--- That a member cannot open what another has sent (P5.8).
---@param complaint sotto.complaint
---@param who sotto.chat.who
---@return string
function M.complaint(complaint, who)
  local member, sender = who(complaint.member), who(complaint.sender)
  local why = complaint.same and ("What you have is the same: it was sealed so that %s"):format(
    member == "you" and "you cannot" or "not all can") or "It may have been damaged on its way to them"
  local whose = sender == "you" and "yours" or sender
  return ("%s cannot open a message of %s, not even sealed anew. %s."):format(member, whose, why)
end

--- What is not here yet of what was said before the members changed; nil where nothing is missing.
---@param discussion sotto.discussion
---@param who sotto.chat.who
---@return string|nil
function M.missing(discussion, who)
  local list, seen = {}, {}
  for _, one in ipairs(discussion.missing or {}) do
    if not seen[one.fingerprint] then list[#list + 1] = who(one.fingerprint) end
    seen[one.fingerprint] = true
  end
  if #list == 0 then return nil end
  return ("not all is here yet of what was said by %s before the members changed"):format(M.joined(list))
end

--- Who has come and who has gone between two states of a discussion.
---@param before sotto.discussion|nil
---@param after sotto.discussion
---@return string[] come, string[] gone fingerprints
function M.difference(before, after)
  local come, gone, had, has = {}, {}, {}, {}
  for _, member in ipairs(before and before.members or {}) do had[member.fingerprint] = true end
  for _, member in ipairs(after.members) do
    has[member.fingerprint] = true
    if before and not had[member.fingerprint] then come[#come + 1] = member.fingerprint end
  end
  for _, member in ipairs(before and before.members or {}) do
    if not has[member.fingerprint] then gone[#gone + 1] = member.fingerprint end
  end
  return come, gone
end

return M
