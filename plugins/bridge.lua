-- SPDX-License-Identifier: GPL-3.0-or-later
-- bridge: a program of yours as a bot, in whatever language: it reads a JSON object a line, and writes one a line.
--   sotto scripts load bridge --arguments /path/to/program --arguments its-own-arguments
-- In:  {"type":"message","id":…,"discussion":…,"sender":…,"name":…,"text":…,"time":…}
-- Out: {"discussion":…,"text":…}; {"reply":ID,"text":…} answers a message; {"log":…} goes to the script's log.
-- A program that ends is started again, later each time.
local sotto = require "sotto"

local REST_FIRST, REST_MOST = 1, 60 -- seconds
local KNOWN_MAX = 1000 -- messages that may be replied to

local program = arg[1] or error("bridge takes a program: --arguments /path/to/program", 0)

local plugin = sotto.script {
  name = "bridge", version = "1.0", api = 1, help = "a program of yours as a bot",
  needs = { "messages", "timers", "command:" .. program },
}

local process, rest, problem = nil, REST_FIRST, "not started yet"
local known, order = {}, {} -- message id: its discussion

local function remember(message)
  known[message.id] = message.discussion
  order[#order + 1] = message.id
  if #order > KNOWN_MAX then known[table.remove(order, 1)] = nil end
end

local function take_line(line)
  local value = sotto.json.decode(line)
  if type(value) ~= "table" then return plugin.log.warn("no JSON: " .. line:sub(1, 200)) end
  if value.log ~= nil then return plugin.log(value.log) end
  local discussion = value.discussion or known[value.reply]
  if type(discussion) ~= "string" or type(value.text) ~= "string" then
    return plugin.log.warn("neither discussion (or reply) and text, nor log: " .. line:sub(1, 200))
  end
  local ok, failure = pcall(sotto.messages.send, { discussion = discussion, text = value.text })
  if not ok then plugin.log.warn("not sent: " .. tostring(failure)) end
end

local start

local function start_later()
  plugin:after(rest, start)
  rest = math.min(rest * 2, REST_MOST)
end

local function take_end(status, signal)
  process = nil
  problem = ("%s has ended (%s)"):format(program, signal or status)
  plugin.log.warn(("%s; again in %d s"):format(problem, rest))
  start_later()
end

function start()
  local words = {
    program, line = take_line, exit = take_end,
    complaint = function(text) plugin.log.warn(text) end,
  }
  for i = 2, #arg do words[i] = arg[i] end
  local ok, handle = pcall(sotto.command.start, words)
  if not ok then
    problem = tostring(handle)
    plugin.log.error(problem)
    return start_later()
  end
  process, problem = handle, nil
end

local function name_of(message)
  local ok, found = pcall(sotto.discussions.show, { discussion = message.discussion })
  for _, member in ipairs(ok and found.members or {}) do
    if member.fingerprint == message.sender then return member.name end
  end
  return ""
end

plugin:on("message.received", function(message)
  remember(message)
  local line = sotto.json.encode {
    type = "message", id = message.id, discussion = message.discussion, sender = message.sender,
    name = name_of(message), text = message.text, time = message.time,
  }
  if not process then return end
  local ok, failure = pcall(process.send, process, line)
  if not ok then return plugin.log.warn("the program does not take it: " .. tostring(failure)) end
  rest = REST_FIRST
end)

plugin:health(function(h)
  if problem then h.fail(problem) else h.ok(program .. " runs") end
end)

start()
