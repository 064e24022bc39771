-- SPDX-License-Identifier: GPL-3.0-or-later
-- Events of discussions of many on the chat's screen: invitations, proposals, who has come and gone, and what is held
-- because of it. Taken up by sotto.client.news.
local changes = require "sotto.client.changes"
local names = require "sotto.client.names"

local M = {}

---@type table<string, fun(chat: sotto.chat, event: sotto.event)>
M.shown = {}
local shown = M.shown

-- "in the discussion with bob, " where the person is elsewhere
local function place(chat, id)
  local discussion = chat.known.discussions[id]
  if id == chat.current or not discussion then return "" end
  return ("[%s] "):format(chat:discussion_name(discussion))
end

--- Somebody is invited by a sponsor: they see who is there before they join (P5.4 keeps the past from them).
---@param chat sotto.chat
---@param discussion sotto.discussion
function M.announce_invitation(chat, discussion)
  local who, others = chat:who(discussion), {}
  for _, member in ipairs(discussion.members) do
    if not member.you and member.fingerprint ~= discussion.sponsor then
      local mark = member.verified and ", verified" or ", not verified by you"
      others[#others + 1] = who(member.fingerprint) .. mark
    end
  end
  local with = #others > 0 and (" with %s"):format(table.concat(others, "; ")) or ""
  chat:print(("%s invites you to a discussion%s: /accept or /refuse"):format(who(discussion.sponsor), with), nil,
    "heading")
  local words = discussion.words_of_members
  chat:print(("(There %s.%s)"):format(changes.charter(discussion.charter), words and words ~= "" and
    (" The words of those who are in it: %s."):format(names.safe(words)) or ""))
end

-- --- proposals ---------------------------------------------------------------------------------------------

local function candidate_mark(chat, proposal)
  if proposal.op ~= "admit" then return "" end
  local peer = chat.known.peers[proposal.subjects[1]]
  return peer and peer.verified and ", whom you have verified" or ", whom you have not verified"
end

--- Something is proposed. What waits for this person is said as a question.
---@param chat sotto.chat
---@param proposal sotto.proposal
function M.announce_proposal(chat, proposal)
  local who = chat:who_of(proposal)
  local what = changes.what(proposal, who)
  -- whoever leaves asks nobody: a member's core only puts it in order
  if proposal.op == "depart" then
    local several = #proposal.subjects > 1 and "are" or "is"
    return chat:print(("(%s%s %s leaving.)"):format(place(chat, proposal.discussion),
      changes.people(proposal.subjects, who), several))
  end
  if changes.waits_for(proposal, chat.own) then
    chat:print(("%s%s proposes to %s%s: /consent or /refuse"):format(place(chat, proposal.discussion),
      who(proposal.proposer), what, candidate_mark(chat, proposal)), nil, "heading")
  elseif proposal.proposer ~= chat.own then
    chat:print(("(%s%s proposes to %s.)"):format(place(chat, proposal.discussion), who(proposal.proposer), what))
  end
end

shown["proposal.opened"] = function(chat, event) M.announce_proposal(chat, event.proposal) end

-- the answer that an event is about: the one that was not there before
local function fresh_answer(before, proposal)
  local had = {}
  for _, one in ipairs(before and before.answers or {}) do had[one.member] = true end
  for i = #proposal.answers, 1, -1 do
    if not had[proposal.answers[i].member] then return proposal.answers[i] end
  end
  return proposal.answers[#proposal.answers]
end

shown["proposal.answered"] = function(chat, event)
  local proposal = event.proposal
  local answer, who = fresh_answer(event.before, proposal), chat:who_of(proposal)
  if not answer then return end
  if answer.member == chat.own and answer.by ~= "policy" then
    -- one's own was said already; but what was proposed is put to the members once the candidate has accepted
    if proposal.proposer ~= chat.own or proposal.op ~= "admit" then return end
    return chat:print(("(%s%s has accepted your invitation. %s)"):format(place(chat, proposal.discussion),
      who(proposal.subjects[1]), changes.standing(proposal, who)))
  end
  local standing = changes.standing(proposal, who)
  chat:print(("(%sTo %s: %s%s)"):format(place(chat, proposal.discussion), changes.what(proposal, who),
    changes.sentence(changes.answer(answer, who)), standing ~= "" and " " .. standing or ""))
end

shown["proposal.refused"] = function(chat, event)
  local proposal = event.proposal
  local who = chat:who_of(proposal)
  chat:print(("! %sIt comes to nothing to %s: %s"):format(place(chat, proposal.discussion),
    changes.what(proposal, who), changes.sentence(changes.refusal(proposal, who) or "it was refused")))
end

shown["proposal.void"] = function(chat, event)
  local proposal = event.proposal
  chat:print(("(%sIt comes to nothing to %s: the discussion has changed meanwhile.)"):format(
    place(chat, proposal.discussion), changes.what(proposal, chat:who_of(proposal))))
end

-- --- who has come, and who has gone ------------------------------------------------------------------------

-- on whose word somebody came, as far as it is known here
local function words_of(chat, discussion, fingerprint)
  local proposals = chat.connection:call("proposals.list", { discussion = discussion.id })
  local vouchers = proposals and changes.vouchers(proposals, fingerprint)
  return vouchers and (", on the word of %s"):format(changes.people(vouchers, chat:who(discussion))) or ""
end

local function tell_change(chat, event)
  local discussion = event.discussion
  local come, gone = changes.difference(event.before, discussion)
  local who, parts = chat:who(discussion), {}
  for _, fingerprint in ipairs(come) do
    parts[#parts + 1] = ("%s is in now%s"):format(who(fingerprint), words_of(chat, discussion, fingerprint))
  end
  if #gone > 0 then
    parts[#parts + 1] = ("%s %s out now"):format(changes.people(gone, who), #gone == 1 and "is" or "are")
  end
  if #parts == 0 then
    parts[1] = event.before and event.before.charter ~= discussion.charter and
      ("The charter is another now: %s"):format(changes.charter(discussion.charter)) or "The members have changed"
  end
  local text = table.concat(parts, "; ")
  chat:print(("%s%s. The words, the same for all of you: %s"):format(place(chat, discussion.id), text,
    names.safe(discussion.words)))
  chat:tell_held(discussion.id)
end

shown["epoch.changed"] = function(chat, event) chat:run(function() tell_change(chat, event) end) end

-- --- messages ----------------------------------------------------------------------------------------------

shown["message.held"] = function(chat, event)
  chat:mark_own(event.message)
  chat:tell_held(event.message.discussion)
end

shown["message.complaint"] = function(chat, event)
  local complaint = event.complaint
  local who = chat:who(chat.known.discussions[complaint.discussion])
  chat:print(("! %s%s"):format(place(chat, complaint.discussion), changes.complaint(complaint, who)))
end

-- one of somebody else's was on the screen already, and counts for nobody any more (P5.3)
shown["message.void"] = function(chat, event)
  local message = event.message
  local discussion = chat.known.discussions[message.discussion]
  if chat:mark_own(message) or not discussion then return end
  if chat:rewrite(message.id, chat:message_line(message, discussion)) then return end
  chat:print("(This message is void: not all members had it when the members changed.)")
  chat:write(chat:message_line(message, discussion))
end

return M
