-- SPDX-License-Identifier: GPL-3.0-or-later
-- What this core's policies decide about who is to be admitted, and when they are asked (§5, 3). Pure: proposals,
-- opinions and the time come in, what is to be done comes out.
--
-- Every open proposal of another member to admit somebody is a case. Its policies are asked when it is first seen, when
-- another member has consented meanwhile, when the time has come that they named, and when other scripts run than
-- before. Until one of them consents or refuses, the person may decide; whatever goes wrong is no opinion, never a
-- consent.
local M = {}

--- Bytes of a reason, as others get it.
M.REASON_MAX = 256
--- What "later" comes to, at least and at most; and when an answer is tried again that could not be given.
M.LATER_LEAST_MS, M.LATER_MOST_MS, M.AGAIN_MS = 1000, 24 * 3600000, 30000

---@class sotto.opinion
---@field script string
---@field answer "consent"|"refuse"|"later"|"ask"|nil
---@field reason string|nil
---@field time integer|nil milliseconds, of later
---@field priority number|nil that of the policy with the opinion
---@field problem string|nil why there is no opinion

---@class sotto.verdict
---@field answer "consent"|"refuse"|"later"|"ask" ask: the person decides
---@field script string|nil whose opinion it is
---@field reason string
---@field time integer|nil milliseconds, of later

--- Opinions in the order in which they count: those of higher priority first, then as their scripts stand.
---@param opinions sotto.opinion[]
---@return sotto.opinion[]
function M.in_order(opinions)
  local list = table.move(opinions, 1, #opinions, 1, {})
  local place = {}
  for i, one in ipairs(list) do place[one] = i end
  table.sort(list, function(a, b)
    local first, second = a.priority or 0, b.priority or 0
    if first ~= second then return first > second end
    return place[a] < place[b]
  end)
  return list
end

local ANSWERS = { consent = true, refuse = true, later = true, ask = true }

--- What follows from them: the first opinion that there is.
---@param opinions sotto.opinion[]
---@return sotto.verdict
function M.verdict(opinions)
  for _, one in ipairs(M.in_order(opinions)) do
    if ANSWERS[one.answer] then
      return { answer = one.answer, script = one.script, reason = one.reason or "", time = one.time }
    end
  end
  return { answer = "ask", reason = "no policy has an opinion: the person is asked" }
end

--- A reason that others may read: bounded, without half a character at its end.
---@param text string
---@return string
function M.bounded(text)
  text = text:gsub("%c", " ")
  if not utf8.len(text) then text = text:gsub("[\x80-\xff]", "?") end
  if #text <= M.REASON_MAX then return text end
  local last = M.REASON_MAX - 3
  while last > 0 and text:byte(last + 1) & 0xc0 == 0x80 do last = last - 1 end
  return text:sub(1, last) .. "…"
end

-- --- proposals ---------------------------------------------------------------------------------------------

--- Which members have consented so far; proposing is consent. Without oneself.
---@param proposal sotto.proposal
---@param me string
---@return string[] fingerprints, rising
function M.vouched_by(proposal, me)
  local set, list = { [proposal.proposer] = true }, {}
  for _, one in ipairs(proposal.answers or {}) do
    if one.answer == "consent" then set[one.member] = true end
  end
  set[me] = nil
  for fingerprint in pairs(set) do list[#list + 1] = fingerprint end
  table.sort(list)
  return list
end

-- whether the policies' word still counts for something
local function is_open(proposal, me)
  if proposal.op ~= "admit" or proposal.state ~= "open" or proposal.proposer == me then return false end
  for _, one in ipairs(proposal.answers or {}) do
    if one.member == me then return false end
  end
  return true
end

---@class sotto.policies.case
---@field proposal sotto.proposal as it was last seen
---@field vouched string who vouches
---@field busy boolean opinions, or the answer's end, are waited for
---@field again boolean asked anew afterwards
---@field due integer|nil when it is asked again
---@field settled boolean|nil answered, or too late for that: nothing more to do until the proposal shows it

---@class sotto.policies.action
---@field kind "ask"|"answer"
---@field proposal sotto.proposal
---@field verdict sotto.verdict|nil of answer

---@class sotto.policies.cases
---@field cases table<string, sotto.policies.case> by the proposal's id
local Cases = {}
Cases.__index = Cases

---@param me string own fingerprint
---@return sotto.policies.cases
function M.cases(me) return setmetatable({ me = me, cases = {} }, Cases) end

-- asked at once, or after what is under way
local function ask(case)
  case.due = nil
  if case.settled then return nil end
  if case.busy then
    case.again = true
    return nil
  end
  case.busy, case.again = true, false
  return { kind = "ask", proposal = case.proposal }
end

--- A proposal as it is now.
---@param proposal sotto.proposal
---@return sotto.policies.action|nil
function Cases:see(proposal)
  local case = self.cases[proposal.id]
  if not is_open(proposal, self.me) then
    self.cases[proposal.id] = nil
    return nil
  end
  local vouched = table.concat(M.vouched_by(proposal, self.me), " ")
  -- a new epoch asks everybody anew
  if case and case.proposal.epoch ~= proposal.epoch then case = nil end
  if not case then
    case = { busy = false, again = false }
    self.cases[proposal.id] = case
  end
  local changed = case.vouched ~= vouched
  case.proposal, case.vouched = proposal, vouched
  return changed and ask(case) or nil
end

--- Other scripts run than before.
---@return sotto.policies.action[]
function Cases:scripts_changed()
  local out = {}
  for _, id in ipairs(self:ids()) do out[#out + 1] = ask(self.cases[id]) end
  return out
end

---@return string[] of all cases, rising
function Cases:ids()
  local list = {}
  for id in pairs(self.cases) do list[#list + 1] = id end
  table.sort(list)
  return list
end

-- it is no longer waited for
local function rest(case, due)
  case.busy = false
  if case.again then return ask(case) end
  case.due = due
end

--- The opinions that were asked for; also none, where nobody could be asked.
---@param id string the proposal's
---@param opinions sotto.opinion[]
---@param now integer milliseconds of a clock that only rises
---@return sotto.policies.action|nil
function Cases:opinions(id, opinions, now)
  local case = self.cases[id]
  if not case or case.settled then return nil end -- it was decided meanwhile
  local verdict = M.verdict(opinions)
  if verdict.answer == "consent" or verdict.answer == "refuse" then
    verdict.reason = M.bounded(verdict.reason)
    return { kind = "answer", proposal = case.proposal, verdict = verdict }
  end
  local due
  if verdict.answer == "later" then
    due = now + math.min(math.max(verdict.time or 0, M.LATER_LEAST_MS), M.LATER_MOST_MS)
  end
  return rest(case, due)
end

--- What came of an answer. One that was taken, or came too late, settles the case; else its time comes again.
---@param id string
---@param problem string|nil the error's name
---@param now integer
---@return sotto.policies.action|nil
function Cases:answered(id, problem, now)
  local case = self.cases[id]
  if not case then return nil end
  if problem == "locked" or problem == "busy" then return rest(case, now + M.AGAIN_MS) end
  case.busy, case.settled = false, true
end

--- When the next one is due.
---@return integer|nil
function Cases:next_due()
  local first
  for _, case in pairs(self.cases) do
    if case.due and (not first or case.due < first) then first = case.due end
  end
  return first
end

--- Those whose time has come.
---@param now integer
---@return sotto.policies.action[]
function Cases:due(now)
  local out = {}
  for _, id in ipairs(self:ids()) do
    local case = self.cases[id]
    if case.due and case.due <= now then out[#out + 1] = ask(case) end
  end
  return out
end

return M
