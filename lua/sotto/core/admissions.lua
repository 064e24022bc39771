-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who is to be admitted, as policies are asked about it: what they are told, and the shell around sotto.core.policies.
-- An answer goes the way of a person's, proposals.answer, and is signed as a policy's with its reason.
local json = require "sotto.json"
local log = require "sotto.log"
local loop = require "sotto.loop"
local policies = require "sotto.core.policies"
local sys = require "sotto.sys"

local M = {}

--- So long at most nobody is asked because scripts are just being started: one of them might refuse.
M.SETTLE_MS = 30000
local LOOK_MS = 200

-- --- what policies are told --------------------------------------------------------------------------------

local function ask(engine, method, params)
  local text, message, name = engine:call(method, params, function() end)
  if not text then return nil, message or "the core did not answer", name or "internal" end
  return json.decode(text, { nulls = false })
end

-- somebody whom only the proposal knows is no peer yet, and verified by nobody here
local function find_candidate(engine, subject)
  local peer, message, name = ask(engine, "peers.show", { peer = subject.candidate })
  if peer then return peer end
  if not subject.proposal then return nil, message, name end
  local known = subject.proposal.candidate
  return {
    fingerprint = subject.candidate, name = type(known) == "table" and known.name or "", verified = false,
    proven = false, online = false, addresses = json.array {},
  }
end

local function add_discussion(engine, request, id)
  local discussion, message, name = ask(engine, "discussions.show", { discussion = id })
  if not discussion then return nil, message, name end
  request.discussion, request.charter = discussion.id, discussion.charter or ""
  request.epoch = discussion.epoch
  request.members = json.array(discussion.members or {})
  for _, member in ipairs(request.members) do
    if member.you then request.me = member.fingerprint end
  end
  return true
end

--- What a policy is told: the candidate as a peer, who brings it, where it would come to, who is there, and who has
--- vouched for it.
---@class sotto.admissions.subject
---@field candidate string
---@field discussion string|nil
---@field vouched_by string[]|nil
---@field proposal sotto.proposal|nil
---@field dry_run boolean|nil

---@param engine sotto.rpc.engine
---@param subject sotto.admissions.subject
---@return table|nil request, string? message, string? name
function M.request(engine, subject)
  local candidate, message, name = find_candidate(engine, subject)
  if not candidate then return nil, message, name end
  local request = {
    candidate = candidate, members = json.array {}, charter = "", vouched_by = json.array(subject.vouched_by or {}),
    time = sys.now_ms(), dry_run = subject.dry_run,
  }
  if subject.discussion then
    local ok, problem, kind = add_discussion(engine, request, subject.discussion)
    if not ok then return nil, problem, kind end
    request.sponsor = request.me
  end
  if subject.proposal then
    request.proposal, request.sponsor = subject.proposal.id, subject.proposal.proposer
    request.vouched_by = json.array(policies.vouched_by(subject.proposal, request.me or ""))
  end
  request.me = nil
  return request
end

-- of a proposal
local function proposal_request(engine, proposal, dry_run)
  return M.request(engine, {
    candidate = proposal.subjects[1], discussion = proposal.discussion, proposal = proposal, dry_run = dry_run,
  })
end

--- A verdict as JSON has it.
---@param opinions sotto.opinion[]
---@return table
function M.verdict(opinions)
  local verdict = policies.verdict(opinions)
  verdict.script = verdict.script or json.null
  return verdict
end

--- proposals.explain: what the policies would say, without saying it.
---@param engine sotto.rpc.engine
---@param scripts sotto.scripts
---@param id string
---@param answer fun(...) gets the explanation, or nil, message, name
function M.explain(engine, scripts, id, answer)
  local proposal, message, name = ask(engine, "proposals.show", { proposal = id })
  if not proposal then return answer(nil, message, name) end
  if proposal.op ~= "admit" then
    return answer(nil, "policies are asked about admissions only", "wrong_state")
  end
  local request, problem, kind = proposal_request(engine, proposal, true)
  if not request then return answer(nil, problem, kind) end
  scripts:opinions(request, function(list)
    answer {
      proposal = proposal.id, candidate = request.candidate.fingerprint, opinions = list, verdict = M.verdict(list),
    }
  end)
end

-- --- at work -----------------------------------------------------------------------------------------------

---@class sotto.admissions
---@field engine sotto.rpc.engine
---@field scripts sotto.scripts
---@field cases sotto.policies.cases|nil once the store is open
local Admissions = {}
Admissions.__index = Admissions

local function plan(self)
  if self.timer then self.timer:stop() end
  self.timer = nil
  local due = self.cases:next_due()
  if not due then return end
  self.timer = loop.after(math.max(0, due - loop.now()), function()
    for _, action in ipairs(self.cases:due(loop.now())) do self:carry_out(action) end
    plan(self)
  end):background()
end

-- a policy's answer is told where its script tells other things, too
local function note(self, verdict, proposal)
  local candidate = proposal.subjects[1]:sub(1, 8)
  local text = ("%s for %s in %s: %s"):format(verdict.answer, candidate, proposal.discussion:sub(1, 8), verdict.reason)
  local entry = verdict.script and self.scripts:find(verdict.script)
  if entry then self.scripts:log(entry, "info", text) end
  log.info("policy %s: %s %s in %s", verdict.script, verdict.answer, candidate, proposal.discussion:sub(1, 8))
end

function Admissions:give(proposal, verdict)
  local function done(_, message, name)
    if self.closed then return end
    if message then log.warn("a policy's answer was not taken: %s", message) else note(self, verdict, proposal) end
    self:carry_out(self.cases:answered(proposal.id, message and (name or "internal") or nil, loop.now()))
    plan(self)
  end
  local text, message, name = self.engine:call("proposals.answer", {
    proposal = proposal.id, answer = verdict.answer, reason = verdict.reason, by = "policy",
  }, done)
  if text ~= false then done(text, message, name) end
end

-- scripts that are just being started may have an opinion, and it may be a refusal
function Admissions:ask(proposal, deadline)
  if self.closed then return end
  if self.scripts:is_settling() and loop.now() < deadline then
    loop.after(LOOK_MS, function() self:ask(proposal, deadline) end):background()
    return
  end
  local request, message = proposal_request(self.engine, proposal, nil)
  local function done(opinions)
    if self.closed then return end
    self:carry_out(self.cases:opinions(proposal.id, opinions, loop.now()))
    plan(self)
  end
  if request then return self.scripts:opinions(request, done) end
  log.warn("policies could not be asked about a proposal: %s", message)
  done {}
end

---@param action sotto.policies.action|nil
function Admissions:carry_out(action)
  if not action then return end
  if action.kind == "ask" then return self:ask(action.proposal, loop.now() + M.SETTLE_MS) end
  self:give(action.proposal, action.verdict)
end

--- An event of the core's about a proposal.
---@param text string the proposal as JSON
function Admissions:hear(text)
  if not self.cases then return end
  -- the engine may be in the middle of what it tells
  loop.defer(function()
    if self.closed then return end
    self:carry_out(self.cases:see(json.decode(text, { nulls = false })))
    plan(self)
  end)
end

--- Policies run that have not run before, or the other way round.
function Admissions:policies_changed()
  if not self.cases or self.closed then return end
  for _, action in ipairs(self.cases:scripts_changed()) do self:carry_out(action) end
  plan(self)
end

--- The store is open, and the scripts of before were started: what is open already is asked about.
function Admissions:open()
  local info = ask(self.engine, "system.info", {})
  if not info or not info.fingerprint then return end
  self.cases = policies.cases(info.fingerprint)
  for _, proposal in ipairs(ask(self.engine, "proposals.list", {}) or {}) do
    self:carry_out(self.cases:see(proposal))
  end
  plan(self)
end

function Admissions:close()
  self.closed = true
  if self.timer then self.timer:stop() end
end

---@param engine sotto.rpc.engine
---@param scripts sotto.scripts
---@return sotto.admissions
function M.new(engine, scripts) return setmetatable({ engine = engine, scripts = scripts }, Admissions) end

return M
