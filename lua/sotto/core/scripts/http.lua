-- SPDX-License-Identifier: GPL-3.0-or-later
-- The capability http: each page is fetched by a process of its own (sotto-http), which is given the rule that the
-- script is under and ends with its page. Neither the script's process nor the core opens a connection for it.
local environment = require "sotto.core.scripts.environment"
local grants = require "sotto.core.scripts.grants"
local json = require "sotto.json"
local loop = require "sotto.loop"
local paths = require "sotto.core.paths"

local M = {}

--- Of one script.
M.FETCHES_MAX, M.WAITING_MAX = 4, 32
M.TIMEOUT_MS, M.TIMEOUT_MOST_MS = 30000, 55000
M.BODY_MAX = 256 << 10
-- what a process that was asked for an answer in that time may take beyond it
local GRACE_MS = 3000

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true }

---@class sotto.script_http
---@field rule {private: boolean, hosts: string[]|nil}
---@field running table<table, boolean>
local Http = {}
Http.__index = Http

--- The rule: "http" is every public address, "http:HOST" that host alone, "http:private" with either of them also this
--- machine and its networks.
---@param granted string[]
---@return {private: boolean, hosts: string[]|nil}|nil
function M.rule(granted)
  local all, private, hosts = false, false, json.array {}
  for _, need in ipairs(granted) do all = all or need == "http" end
  for _, argument in ipairs(grants.arguments(granted, "http")) do
    if argument == "private" then private = true else hosts[#hosts + 1] = argument:lower() end
  end
  if not all and #hosts == 0 then return nil end
  return { private = private, hosts = not all and hosts or nil }
end

---@param granted string[]
---@param most integer bytes of a page
---@return sotto.script_http|nil
function M.new(granted, most)
  local rule = M.rule(granted)
  return rule and setmetatable({ rule = rule, most = most, running = {}, count = 0, waiting = {} }, Http)
end

local function check_headers(headers)
  if headers == nil then return true end
  if type(headers) ~= "table" or json.is_array(headers) and #headers > 0 then return false end
  for name, value in pairs(headers) do
    if type(name) ~= "string" or type(value) ~= "string" or not name:find("^[%w-]+$") or value:find("%c") then
      return false
    end
  end
  return true
end

local function check(params)
  local url = params.url
  if type(url) ~= "string" or #url > 4096 or not url:find("^https?://") or url:find("%c") then
    return "the URL must begin with http:// or https://"
  end
  if not METHODS[params.method or "GET"] then return "there is no method '" .. tostring(params.method) .. "'" end
  if not check_headers(params.headers) then return "'headers' are names with texts" end
  if params.body ~= nil and (type(params.body) ~= "string" or #params.body > M.BODY_MAX) then
    return ("'body' is a text of at most %d bytes"):format(M.BODY_MAX)
  end
end

-- a page is passed on as it is
local function read_answer(line)
  if line:sub(1, 9) ~= '{"error":' then return json.raw(line) end
  local answer = json.decode(line)
  local problem = type(answer) == "table" and answer.error or {}
  return nil, tostring(problem.message), tostring(problem.name)
end

function Http:start(params, answer)
  local timeout = math.type(params.timeout) == "integer" and params.timeout or M.TIMEOUT_MS
  timeout = math.max(100, math.min(timeout, M.TIMEOUT_MOST_MS))
  local process, timer, message, name
  local over = false
  local function finish(...)
    if over then return end
    over = true
    self.running[process], self.count = nil, self.count - 1
    timer:stop()
    process:kill "SIGKILL"
    answer(...)
    self:next()
  end
  process, message, name = loop.spawn {
    program = paths.program "sotto-http", stdin = "pipe", stdout = "pipe", stderr = "null", directory = "/",
    bare = true, environment = environment.passed(), follows = true,
    on_stdout = function(line) finish(read_answer(line)) end,
    on_exit = function() loop.after(100, function() finish(nil, "the fetching process has ended", "io") end) end,
  }
  if not process then return answer(nil, message, name) end
  self.running[process], self.count = true, self.count + 1
  timer = loop.after(timeout + GRACE_MS, function() finish(nil, "the page did not come in time", "timeout") end)
  process.stdin:send(assert(json.encode {
    url = params.url, method = params.method or "GET", headers = params.headers, body = params.body,
    timeout = timeout, most = self.most, private = self.rule.private, hosts = self.rule.hosts,
  }))
end

function Http:next()
  local first = not self.closed and self.count < M.FETCHES_MAX and table.remove(self.waiting, 1)
  if first then self:start(first.params, first.answer) end
end

--- Fetches a page; some at a time, and the others after them.
---@param params {url: string, method?: string, headers?: table, body?: string, timeout?: integer}
---@param answer fun(result: any, message?: string, name?: string)
function Http:call(params, answer)
  local problem = check(params)
  if problem then return answer(nil, problem, "bad_params") end
  if self.count < M.FETCHES_MAX then return self:start(params, answer) end
  if #self.waiting >= M.WAITING_MAX then return answer(nil, "too many pages are being fetched", "busy") end
  self.waiting[#self.waiting + 1] = { params = params, answer = answer }
end

--- Ends what is under way.
function Http:close()
  self.closed, self.waiting = true, {}
  for process in pairs(self.running) do process:kill "SIGKILL" end
end

return M
