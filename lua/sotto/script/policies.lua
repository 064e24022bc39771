-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an admission answers, and policies made of policies. A policy is a function(request) that gives an answer or
-- nil, which means: no opinion. Whatever is missing or unclear in a request is no opinion, never a consent. Pure: time
-- and files come in.
local times = require "sotto.script.times"

local M = {}

local answer_meta = { __name = "sotto.answer" }

---@class sotto.answer
---@field answer "consent"|"refuse"|"later"|"ask"
---@field reason string
---@field time integer|nil milliseconds, of later

---@alias sotto.policy fun(request: table): sotto.answer|nil

local function make(answer, reason, time)
  if reason ~= nil and type(reason) ~= "string" then error("a reason is a text", 3) end
  return setmetatable({ answer = answer, reason = reason or "", time = time }, answer_meta)
end

---@param reason? string
---@return sotto.answer
function M.consent(reason) return make("consent", reason) end

---@param reason? string
---@return sotto.answer
function M.refuse(reason) return make("refuse", reason) end

--- Asks again after that time.
---@param time string|number
---@param reason? string
---@return sotto.answer
function M.later(time, reason)
  local ms, problem = times.parse(time)
  if not ms then error(problem, 2) end
  return make("later", reason, ms)
end

---@param value any
---@return boolean
function M.is_answer(value) return getmetatable(value) == answer_meta end

-- --- made of others ----------------------------------------------------------------------------------------

local function check_policies(list)
  if list.n == 0 then error("at least one policy is needed", 3) end
  for i = 1, list.n do
    if type(list[i]) ~= "function" then error(("number %d is no policy: a policy is a function"):format(i), 3) end
  end
  return list
end

-- nil, or an answer
local function ask_policy(policy, request)
  local answer = policy(request)
  if answer ~= nil and not M.is_answer(answer) then error("a policy answers consent, refuse, later or nil", 0) end
  return answer
end

local function joined(reasons)
  local kept = {}
  for _, reason in ipairs(reasons) do
    if reason ~= "" then kept[#kept + 1] = reason end
  end
  return table.concat(kept, "; ")
end

-- of two that say "later", the one that says it for longer
local function longer(a, b) return (not a or b.time > a.time) and b or a end

--- All consent: consent. One refuses: refused. Else, where one has no opinion, there is none; and where one says
--- later, or leaves it to the person, so it is.
---@param ... sotto.policy
---@return sotto.policy
function M.all_of(...)
  local list = check_policies(table.pack(...))
  return function(request)
    local reasons, unclear, later, person = {}, false, nil, nil
    for i = 1, list.n do
      local answer = ask_policy(list[i], request)
      if not answer then
        unclear = true
      elseif answer.answer == "refuse" then
        return answer
      elseif answer.answer == "later" then
        later = longer(later, answer)
      elseif answer.answer == "ask" then
        person = answer
      else
        reasons[#reasons + 1] = answer.reason
      end
    end
    if unclear then return nil end
    return later or person or make("consent", joined(reasons))
  end
end

--- One consents: consent. All refuse: refused. Else, where one leaves it to the person or says later, so it is; or
--- there is no opinion.
---@param ... sotto.policy
---@return sotto.policy
function M.any_of(...)
  local list = check_policies(table.pack(...))
  return function(request)
    local reasons, later, person = {}, nil, nil
    for i = 1, list.n do
      local answer = ask_policy(list[i], request)
      if answer and answer.answer == "consent" then return answer end
      if answer and answer.answer == "refuse" then reasons[#reasons + 1] = answer.reason end
      if answer and answer.answer == "ask" then person = answer end
      if answer and answer.answer == "later" then later = longer(later, answer) end
    end
    if person or later then return person or later end
    return #reasons == list.n and make("refuse", joined(reasons)) or nil
  end
end

--- Consent becomes a refusal, and the other way round; the rest stays.
---@param policy sotto.policy
---@return sotto.policy
function M.not_(policy)
  check_policies { policy, n = 1 }
  return function(request)
    local answer = ask_policy(policy, request)
    if not answer then return nil end
    if answer.answer == "consent" then return make("refuse", answer.reason) end
    if answer.answer == "refuse" then return make("consent", answer.reason) end
    return answer
  end
end

--- The person decides, whatever later policies would say.
---@param reason? string
---@return sotto.policy
function M.ask(reason)
  local answer = make("ask", reason)
  return function() return answer end
end

-- --- about the candidate -----------------------------------------------------------------------------------

--- Its key was compared, or a password agreed with it.
---@return sotto.policy
function M.verified()
  return function(request)
    local candidate = request.candidate
    return candidate and candidate.verified == true and make("consent", "verified") or nil
  end
end

local function normal(fingerprint)
  if type(fingerprint) == "table" then fingerprint = fingerprint.fingerprint end
  return type(fingerprint) == "string" and fingerprint:gsub("[%s:]", ""):upper() or nil
end

-- fingerprints in a list, as keys, or as members with that field
local function set_of(list)
  local set = {}
  for key, value in pairs(type(list) == "table" and list or {}) do
    local fingerprint = normal(math.type(key) == "integer" and value or (value and key))
    if fingerprint then set[fingerprint] = true end
  end
  return set
end

local function count(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

--- So many members vouch for it, or more.
---@param n integer
---@return sotto.policy
function M.vouched_by(n)
  if math.type(n) ~= "integer" or n < 1 then error("vouched_by takes a number of members", 2) end
  return function(request)
    local found = count(set_of(request.vouched_by))
    return found >= n and make("consent", ("%d members vouch for it"):format(found)) or nil
  end
end

--- One of these keys has certified its key.
---@param fingerprints string[]
---@return sotto.policy
function M.signed_by(fingerprints)
  local wanted = set_of(fingerprints)
  if not next(wanted) then error("signed_by takes a list of fingerprints", 2) end
  return function(request)
    local candidate = request.candidate or {}
    for fingerprint in pairs(set_of(candidate.signed_by or request.signed_by)) do
      if wanted[fingerprint] then return make("consent", "signed by " .. fingerprint:sub(1, 8)) end
    end
    return nil
  end
end

-- a line for each: the fingerprint first, what follows is for people; # begins a remark
local function parse_list(text)
  local set = {}
  for line in text:gmatch("[^\r\n]+") do
    local digits = line:gsub("#.*", ""):gsub("^%s+", ""):match("^[%x%s:]+")
    local fingerprint = digits and normal(digits) or ""
    if #fingerprint >= 40 then set[fingerprint:sub(1, 40)] = true end
  end
  return set
end

-- --- the hour, and how many --------------------------------------------------------------------------------

local function minutes_of(text)
  local hours, minutes = text:match("^%s*(%d%d?):(%d%d)%s*$")
  if not hours then hours, minutes = text:match("^%s*(%d%d?)%s*$"), 0 end
  hours, minutes = tonumber(hours), tonumber(minutes)
  if not hours or hours > 24 or minutes > 59 or (hours == 24 and minutes > 0) then return nil end
  return hours * 60 + minutes
end

local DAY = 24 * 60

local function within(hours, time)
  local first, last = tostring(hours):match("^([^-]+)-([^-]+)$")
  first, last = first and minutes_of(first), last and minutes_of(last)
  if not first or not last or first == last then error("within takes hours such as \"9-17\" or \"22:30-6\"", 3) end
  return function()
    local clock = os.date("*t", time())
    local now = clock.hour * 60 + clock.min
    local inside = now >= first and now < last
    if first > last then inside = now >= first or now < last end
    if inside then return make("consent", "within " .. hours) end
    return make("later", "outside " .. hours, (first - now) % DAY * 60000)
  end
end

local PEOPLE_MAX = 1000

local function rate(n, period, now)
  local ms, problem = times.parse(period)
  if math.type(n) ~= "integer" or n < 1 then error("rate takes a number and a period: rate(3, \"1d\")", 3) end
  if not ms then error(problem, 3) end
  local taken = {} -- { fingerprint, at }, oldest first
  return function(request)
    local fingerprint = normal(request.candidate)
    if not fingerprint then return nil end
    while taken[1] and now() - taken[1].at >= ms do table.remove(taken, 1) end
    for _, one in ipairs(taken) do
      if one.fingerprint == fingerprint then return make("consent", "within the rate") end
    end
    if #taken >= math.min(n, PEOPLE_MAX) then
      return make("later", ("%d in %s"):format(n, tostring(period)), ms - (now() - taken[1].at))
    end
    -- who only wants to know what would be said takes nobody's place
    if not request.dry_run then taken[#taken + 1] = { fingerprint = fingerprint, at = now() } end
    return make("consent", "within the rate")
  end
end

---@class sotto.policies.sources
---@field time fun(): integer seconds since 1970
---@field now fun(): integer monotonic milliseconds
---@field read fun(path: string): string raises where the file cannot be read

--- The functions that scripts get.
---@param sources sotto.policies.sources
---@return table<string, function>
function M.library(sources)
  local library = {}
  for _, name in ipairs {
    "consent", "refuse", "later", "is_answer", "all_of", "any_of", "not_", "ask", "verified", "vouched_by", "signed_by",
  } do
    library[name] = M[name]
  end

  --- Stands in the list: a table of fingerprints (also of the store), a function that gives one, or the path of a
  --- file, for which the script needs "files:PATH".
  function library.listed(list)
    local kinds = { table = true, ["function"] = true, string = true }
    if not kinds[type(list)] then error("listed takes a list of fingerprints, or the path of one", 2) end
    return function(request)
      local fingerprint = normal(request.candidate)
      local now = list
      if type(list) == "function" then now = list() end
      local set = type(list) == "string" and parse_list(sources.read(list)) or set_of(now)
      return fingerprint and set[fingerprint] and make("consent", "listed") or nil
    end
  end

  --- Within hours of the day, such as "9-17" or "22:30-6": consent; else later, until they begin.
  library.within = function(hours)
    local policy = within(hours, sources.time)
    return policy
  end

  --- So many in a period, such as rate(3, "1d"): consent; else later, until there is room. A candidate that is asked
  --- about again counts once.
  library.rate = function(n, period)
    local policy = rate(n, period, sources.now)
    return policy
  end
  return library
end

return M
