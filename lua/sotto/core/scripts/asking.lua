-- SPDX-License-Identifier: GPL-3.0-or-later
-- What scripts are asked, several of them at once: how they are, and what they think of a candidate. Nobody waits for
-- one that is late. Part of sotto.core.scripts.
local json = require "sotto.json"
local loop = require "sotto.loop"

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

local OPINIONS = { consent = true, refuse = true, later = true }

-- one script's opinion; null: none, for the reason that `problem` says where there is one
local function opinion_of(name, answer)
  local out = { script = name, answer = json.null, reason = json.null, problem = json.null }
  if not answer then
    out.problem = "it did not answer in time"
  elseif answer[2] then
    out.problem = answer[2]
  elseif type(answer[1]) == "table" and OPINIONS[answer[1].answer] then
    out.answer, out.reason = answer[1].answer, tostring(answer[1].reason or "")
    if math.type(answer[1].time) == "integer" then out.time = answer[1].time end
  end
  return out
end

-- what a policy is told of who wants to come in
local function make_request(self, params)
  local function ask(method, given)
    local text, message, name = self.engine:call(method, given, function() end)
    if not text then return nil, message or "the core did not answer", name or "internal" end
    return json.decode(text, { nulls = false })
  end
  local candidate, message, name = ask("peers.show", { peer = params.candidate })
  if not candidate then return nil, message, name end
  local request = { candidate = candidate, members = json.array {}, charter = "", vouched_by = json.array {} }
  if params.discussion then
    local discussion, problem, kind = ask("discussions.show", { discussion = params.discussion })
    if not discussion then return nil, problem, kind end
    request.discussion, request.charter = discussion.id, discussion.charter or ""
    request.members = json.array(discussion.members or {})
    for _, member in ipairs(request.members) do
      if member.you then request.sponsor = member.fingerprint end
    end
  end
  return request
end

--- What each policy says of a request, asked at one time; the order is that in which they count: of the scripts in
--- their order the first with an opinion.
---@param request table
---@param done fun(opinions: table[])
function asking:opinions(request, done)
  local asked = {}
  for _, entry in ipairs(self.entries) do
    local wanted = runs(entry) and entry.instance.admission
    local narrowed = wanted and request.discussion and not entry.instance.grants:covers(request.discussion)
    if wanted and not narrowed then asked[#asked + 1] = entry end
  end
  local function give(answers)
    local out = json.array {}
    for i, entry in ipairs(asked) do out[i] = opinion_of(self.label(entry), answers[entry]) end
    done(out)
  end
  if #asked == 0 then return give {} end
  local limit = self.limits.admission_ms
  ask_all(asked, "admission", { request = request }, limit * OPINION_FACTOR, limit, give)
end

--- scripts.explain
function asking:explain(_, params, answer)
  local request, message, name = make_request(self, params)
  if not request then return nil, message, name end
  request.dry_run = true
  self:opinions(request, function(list)
    local verdict = { answer = "ask", script = json.null, reason = "no policy has an opinion: the person is asked" }
    for _, opinion in ipairs(list) do
      if opinion.answer ~= json.null then
        verdict = { answer = opinion.answer, script = opinion.script, reason = opinion.reason }
        break
      end
    end
    answer { candidate = request.candidate.fingerprint, opinions = list, verdict = verdict }
  end)
  return answer
end

return asking
