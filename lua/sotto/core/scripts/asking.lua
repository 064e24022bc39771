-- SPDX-License-Identifier: GPL-3.0-or-later
-- What scripts are asked, several of them at once: how they are, and what they think of a candidate. Nobody waits for
-- one that is late. Part of sotto.core.scripts.
local admissions = require "sotto.core.admissions"
local json = require "sotto.json"
local loop = require "sotto.loop"
local policies = require "sotto.core.policies"

local asking = {}

--- The others' answers are worth more than that of one who is late.
local HEALTH_MS = 500
-- an admission's wall time, beyond which nobody waits for an opinion: no opinion, never consent
local OPINION_FACTOR = 10

local function runs(entry)
  return entry.life.state == "running" and entry.instance ~= nil and not entry.instance.host.over
end

-- Asks every entry of the list; done gets, by entry, {result, message, name}, or nothing of those who were late.
local function ask_all(list, method, params, patience, limit, done)
  local answers, left, timer, over = {}, #list, nil, false
  local function finish()
    if over then return end
    over = true
    timer:stop()
    done(answers)
  end
  timer = loop.after(patience, finish)
  for _, entry in ipairs(list) do
    entry.instance.host:ask(method, params, function(...)
      if over then return end
      answers[entry] = table.pack(...)
      left = left - 1
      if left == 0 then finish() end
    end, limit)
  end
  if left == 0 then finish() end
end

-- --- health --------------------------------------------------------------------------------------------------------

local STATUS = { ok = true, warn = true, fail = true }

-- what a script has said of itself, as far as it makes sense
local function health_of(answer)
  if not answer then return json.array { { status = "warn", text = "it did not say how it is in time" } } end
  local results, message = answer[1], answer[2]
  if message then return json.array { { status = "fail", text = message } } end
  local out = json.array {}
  for _, one in ipairs(type(results) == "table" and results or {}) do
    if type(one) == "table" and STATUS[one.status] and #out < 20 then
      out[#out + 1] = { status = one.status, text = tostring(one.text):sub(1, 500) }
    end
  end
  return out
end

--- All scripts, with what those say of their health who say anything.
---@param done fun(list: table[])
function asking:examine(done)
  local asked = {}
  for _, entry in ipairs(self.entries) do
    if runs(entry) and entry.instance.health then asked[#asked + 1] = entry end
  end
  local function give(answers)
    local was_asked, out = {}, json.array {}
    for _, entry in ipairs(asked) do was_asked[entry] = true end
    for i, entry in ipairs(self.entries) do
      out[i] = self.view(entry)
      out[i].health = was_asked[entry] and health_of(answers[entry]) or json.array {}
    end
    done(out)
  end
  if #asked == 0 then return give {} end
  ask_all(asked, "health", {}, HEALTH_MS, nil, give)
end

--- scripts.list
function asking:list(_, params, answer)
  if params.health == false then
    local out = json.array {}
    for _, entry in ipairs(self.entries) do out[#out + 1] = self.view(entry) end
    return out
  end
  self:examine(answer)
  return answer
end

-- --- admissions ----------------------------------------------------------------------------------------------------

local OPINIONS = { consent = true, refuse = true, later = true, ask = true }

-- one script's opinion; null: none, for the reason that `problem` says where there is one
local function opinion_of(name, answer)
  local out = { script = name, answer = json.null, reason = json.null, problem = json.null, priority = 0 }
  if not answer then
    out.problem = "it did not answer in time"
  elseif answer[2] then
    out.problem = answer[2]
  elseif type(answer[1]) == "table" and OPINIONS[answer[1].answer] then
    out.answer, out.reason = answer[1].answer, tostring(answer[1].reason or "")
    if math.type(answer[1].time) == "integer" then out.time = answer[1].time end
    if type(answer[1].priority) == "number" then out.priority = answer[1].priority end
  end
  return out
end

-- only a script that may answer proposals is asked what the answer is to be
local function is_asked(entry, request)
  if not runs(entry) or not entry.instance.admission or not entry.instance.grants.names.proposals then return false end
  return not request.discussion or entry.instance.grants:covers(request.discussion)
end

-- Whose signatures are on the candidate's key. Where that cannot be found out nothing is said of it, and signed_by has
-- no opinion.
local function add_certifiers(engine, candidate, done)
  local function take(text)
    local found = text and json.decode(text, { nulls = false })
    candidate.signed_by = found and json.array(found.certifiers) or nil
    done()
  end
  local text = engine:call("peers.certifiers", { peer = candidate.fingerprint }, take)
  if text ~= false then take(text) end
end

--- What each policy says of a request, asked at one time; in the order in which they count.
---@param request table
---@param done fun(opinions: sotto.opinion[]) on a later turn, or at once where nobody is asked
function asking:opinions(request, done)
  local asked = {}
  for _, entry in ipairs(self.entries) do
    if is_asked(entry, request) then asked[#asked + 1] = entry end
  end
  local function give(answers)
    local out = {}
    for i, entry in ipairs(asked) do out[i] = opinion_of(self.label(entry), answers[entry]) end
    done(json.array(policies.in_order(out)))
  end
  if #asked == 0 then return give {} end
  local limit = self.limits.admission_ms
  add_certifiers(self.engine, request.candidate, function()
    ask_all(asked, "admission", { request = request }, limit * OPINION_FACTOR, limit, give)
  end)
end

--- Whether a script that may have policies is just being started.
---@return boolean
function asking:is_settling()
  if self.opening then return true end
  for _, entry in ipairs(self.entries) do
    if entry.life.state == "starting" or entry.reloading then return true end
  end
  return false
end

--- scripts.explain
function asking:explain(_, params, answer)
  local request, message, name = admissions.request(self.engine, {
    candidate = params.candidate, discussion = params.discussion, vouched_by = params.vouched_by, dry_run = true,
  })
  if not request then return nil, message, name end
  self:opinions(request, function(list)
    answer { candidate = request.candidate.fingerprint, opinions = list, verdict = admissions.verdict(list) }
  end)
  return answer
end

return asking
