-- SPDX-License-Identifier: GPL-3.0-or-later
-- Proposals in the chat: those that are open, which one a person means, and what to type for them. Part of the chat.
local changes = require "sotto.client.changes"
local names = require "sotto.client.names"

---@class sotto.chat.council
local council = {}

--- A person's name by fingerprint, as far as it is known: of a member, of a peer, or as the proposal has it.
---@param discussion sotto.discussion|nil
---@param proposal? sotto.proposal
---@return sotto.chat.who
function council:who(discussion, proposal)
  return function(fingerprint)
    if fingerprint == self.own then return "you" end
    for _, member in ipairs(discussion and discussion.members or {}) do
      if member.fingerprint == fingerprint then return self:person_name(member) end
    end
    local peer = self.known.peers[fingerprint]
    if peer then return self:person_name(peer) end
    local candidate = proposal and proposal.candidate
    local name = type(candidate) == "table" and candidate.name or self.known.gone[fingerprint]
    return self:person_name { fingerprint = fingerprint, name = name, verified = false }
  end
end

---@param proposal sotto.proposal
---@return sotto.chat.who
function council:who_of(proposal) return self:who(self.known.discussions[proposal.discussion], proposal) end

local function only_open(proposals)
  local list = {}
  for _, proposal in ipairs(proposals) do
    if proposal.state == "open" then list[#list + 1] = proposal end
  end
  return list
end

--- The open ones of all discussions, the oldest first: their places are the numbers of /proposals. From inside a
--- coroutine.
---@return sotto.proposal[]
function council:open_proposals()
  self.known.proposals = only_open(self:call("proposals.list"))
  return self.known.proposals
end

--- Likewise, where a locked key is no error.
function council:refresh_proposals() self.known.proposals = only_open(self.connection:call("proposals.list") or {}) end

-- what follows the name in a text that begins with it; nil where it does not
local function behind(text, name)
  local at = 0
  repeat
    at = text:find("%s", at + 1) or #text + 1
    if names.fold(text:sub(1, at - 1)) == names.fold(name) then return (text:sub(at):gsub("^%s+", "")) end
  until at > #text
end

-- what a proposal is called: by its subjects' names
local function names_of(chat, proposal)
  local called, who = {}, chat:who_of(proposal)
  for i, subject in ipairs(proposal.subjects) do called[i] = who(subject) end
  if proposal.op == "charter" then called[1] = "charter" end
  return called
end

-- those that the text begins with the name of, and what follows; of names that begin alike the longest is meant
local function by_name(chat, list, text)
  local found, rest = {}, nil
  for _, proposal in ipairs(list) do
    for _, name in ipairs(names_of(chat, proposal)) do
      local after = behind(text, name)
      if after and rest and #after < #rest then found, rest = {}, nil end
      if after and (not rest or #after == #rest) and found[#found] ~= proposal then
        found[#found + 1], rest = proposal, after
      end
    end
  end
  return found, rest
end

--- The open proposal that the text begins with (its number in /proposals, a subject's name, "charter", or digits of its
--- id), and what follows; without a text the only one that waits for this person. nil: none; an error where several
--- fit.
---@param text string
---@return sotto.proposal|nil, string|nil rest
function council:find_proposal(text)
  local list, mine = self:open_proposals(), {}
  for _, proposal in ipairs(list) do
    if changes.waits_for(proposal, self.own) then mine[#mine + 1] = proposal end
  end
  if text == "" then
    if #mine > 1 then error("several proposals wait for you: /proposals shows them, and a number says which", 0) end
    return mine[1], ""
  end
  local word, rest = text:match("^(%S+)%s*(.*)$")
  local number = word:match("^%d%d?$")
  if number and list[tonumber(number)] then return list[tonumber(number)], rest end
  for _, proposal in ipairs(list) do
    if #word >= 8 and proposal.id:sub(1, #word) == word:lower() then return proposal, rest end
  end
  local found, after = by_name(self, list, text)
  if #found > 1 then error("several proposals are about them: /proposals shows them, and a number says which", 0) end
  return found[1], after
end

--- What to type for proposals that wait for this person: names, as far as events have told.
---@return string[]
function council:proposal_words()
  local words = {}
  for _, proposal in ipairs(self.known.proposals) do
    if changes.waits_for(proposal, self.own) then
      for _, name in ipairs(names_of(self, proposal)) do words[#words + 1] = name end
    end
  end
  return words
end

--- A proposal as events tell it.
---@param proposal sotto.proposal
function council:remember_proposal(proposal)
  local list, at = self.known.proposals, nil
  for i, one in ipairs(list) do
    if one.id == proposal.id then at = i end
  end
  if proposal.state ~= "open" then
    if at then table.remove(list, at) end
  elseif at then
    list[at] = proposal
  else
    list[#list + 1] = proposal
  end
end

--- What to type for the other members of the discussion that the person is in.
---@return string[]
function council:member_words()
  local words = {}
  for _, member in ipairs(self.known.current and self.known.current.members or {}) do
    if not member.you then words[#words + 1] = self:person_name(member) end
  end
  return words
end

--- The other member of the discussion that the text means: a name, or digits of the fingerprint.
---@param discussion sotto.discussion
---@param text string
---@return sotto.member
function council:find_member(discussion, text)
  local found, digits = {}, text:gsub("%s", ""):upper()
  for _, member in ipairs(discussion.members) do
    local named = names.fold(member.name) == names.fold(text) or self:person_name(member) == text
    local meant = #digits >= 8 and member.fingerprint:sub(1, #digits) == digits
    if not member.you and (named or meant) then found[#found + 1] = member end
  end
  if #found == 1 then return found[1] end
  local safe = names.safe(text)
  if #found > 1 then
    error(("several members are called %s: give digits of the fingerprint, see /members"):format(safe), 0)
  end
  error(("%s is no member of this discussion"):format(safe), 0)
end

-- whether what was answered so far is all that the charter asks for: the core answers before it has counted
local function has_all(self, proposal)
  local discussion = self.known.discussions[proposal.discussion]
  local wanted = proposal.op == "admit" and discussion and math.tointeger(tonumber(discussion.charter))
  for _, one in ipairs(proposal.answers) do
    if wanted and one.answer == "consent" then wanted = wanted - 1 end
  end
  return wanted and wanted <= 0
end

--- Answers the proposal.
---@param proposal sotto.proposal
---@param answer "consent"|"refuse"
---@param reason string
function council:answer_proposal(proposal, answer, reason)
  local after = self:call("proposals.answer", {
    proposal = proposal.id, answer = answer, reason = reason ~= "" and reason or nil,
  })
  local who = self:who_of(after)
  if has_all(self, after) then after.waiting_for = {} end
  -- what a refusal makes of it is told by an event
  local standing = answer == "consent" and changes.standing(after, who) or ""
  self:print((("You %s to %s. %s"):format(answer, changes.what(after, who), standing):gsub(" $", "")))
end

return council
