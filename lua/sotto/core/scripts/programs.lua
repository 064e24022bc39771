-- SPDX-License-Identifier: GPL-3.0-or-later
-- The capability command:PROGRAM: a script runs programs that the user has named, as the user would, and speaks with
-- them in lines. What they print is bounded, and they end with the script.
local grants = require "sotto.core.scripts.grants"
local json = require "sotto.json"
local loop = require "sotto.loop"
local octets = require "sotto.script.octets"
local sys = require "sotto.sys"

local M = {}

--- Of one script.
M.PROCESSES_MAX = 4
M.TIMEOUT_MS, M.TIMEOUT_MOST_MS = 30000, 55000
--- Bytes that a program may print which is run to its end.
M.OUTPUT_MAX = 256 << 10
M.ARGUMENTS_MAX, M.ARGUMENT_MAX, M.LINE_MAX = 100, 16 << 10, 64 << 10
-- lines of a process that are passed on in such a time
local LINES, LINES_MS = 100, 100
-- more than so much in the script's queue, and its processes have to wait
local QUEUE_MARK = 1 << 20

---@class sotto.programs
---@field granted table<string, boolean>
---@field host sotto.host
---@field running table<integer, table>
local Programs = {}
Programs.__index = Programs

---@param granted string[]
---@param host sotto.host told of lines and ends
---@return sotto.programs|nil
function M.new(granted, host)
  local names, any = {}, false
  for _, name in ipairs(grants.arguments(granted, "command")) do names[name], any = true, true end
  return any and setmetatable({ granted = names, host = host, running = {}, count = 0, last = 0 }, Programs) or nil
end

local function check(self, params)
  local program, arguments = params.program, params.arguments or {}
  if type(program) ~= "string" or type(arguments) ~= "table" or #arguments > M.ARGUMENTS_MAX then
    return "a program and its arguments are texts", "bad_params"
  end
  for _, argument in ipairs(arguments) do
    if type(argument) ~= "string" or #argument > M.ARGUMENT_MAX or argument:find("\0", 1, true) then
      return "a program and its arguments are texts", "bad_params"
    end
  end
  if not self.granted[program] then return ("the program '%s' was not granted"):format(program), "refused" end
  if self.count >= M.PROCESSES_MAX then return "too many programs run at one time", "busy" end
end

-- Lets through so many lines in a time, and none while the script has enough to read.
local function valve(self, take)
  local own, left = {}, LINES
  local function refill()
    if self.host:queued() > QUEUE_MARK then return end
    left = LINES
    own.timer:stop()
    own.timer = nil
    if own.stream then own.stream:resume() end
  end
  function own.line(line)
    left = left - 1
    if left <= 0 and not own.timer then
      if own.stream then own.stream:pause() end
      own.timer = loop.every(LINES_MS, refill)
    end
    take(line)
  end
  function own.stop()
    if own.timer then own.timer:stop() end
    own.timer, own.stream = nil, nil
  end
  return own
end

-- on: {output, errors, over}: lines, and the end with a status or a signal; valves: no faster than they can be read
local function spawn(self, params, on, valves)
  local output = valves and valve(self, on.output) or { line = on.output, stop = function() end }
  local errors = valves and valve(self, on.errors) or { line = on.errors, stop = function() end }
  local user = sys.user()
  local number = self.last + 1
  local process, message, name = loop.spawn {
    program = params.program, stdin = "pipe", stdout = "pipe", stderr = "pipe", follows = true, whole = true,
    directory = user and sys.exists(user.home) and user.home or "/",
    on_stdout = output.line, on_stderr = errors.line,
    on_exit = function(status, signal)
      -- what it printed last may still come
      loop.after(20, function()
        output.stop()
        errors.stop()
        if self.running[number] then self.running[number], self.count = nil, self.count - 1 end
        on.over(status, signal)
      end)
    end,
    table.unpack(params.arguments or {}),
  }
  if not process then return nil, message, name end
  output.stream, errors.stream = process.stdout, process.stderr
  self.last, self.count = number, self.count + 1
  self.running[number] = process
  return number
end

local function send_input(process, text)
  if type(text) ~= "string" then return end
  for line in (text:gsub("\n$", "") .. "\n"):gmatch("([^\n]*)\n") do process.stdin:send(line) end
end

-- gathers lines, up to so many bytes; full is called at one more
local function collector(full)
  local lines, bytes = {}, 0
  return function(line)
    bytes = bytes + #line + 1
    if bytes > M.OUTPUT_MAX then return full() end
    lines[#lines + 1] = line
  end, function() return octets.pack(table.concat(lines, "\n")) end
end

local operations = {}

-- runs it to its end
function operations.run(self, params, answer)
  local process, timer, problem, kind
  local function give_up(message, name)
    if problem then return end
    problem, kind = message, name
    process:kill "SIGKILL"
  end
  local function too_much() give_up(params.program .. " prints more than a script may be given", "too_large") end
  local add_output, output = collector(too_much)
  local add_errors, errors = collector(too_much)
  local number, message, name = spawn(self, params, {
    output = add_output, errors = add_errors,
    over = function(status, signal)
      timer:stop()
      if problem then return answer(nil, problem, kind) end
      local result = { status = status or json.null, signal = signal or json.null }
      result.output, result.output_octets = output()
      result.errors, result.errors_octets = errors()
      answer(result)
    end,
  })
  if not number then return answer(nil, message, name) end
  process = self.running[number]
  local timeout = math.type(params.timeout) == "integer" and params.timeout or M.TIMEOUT_MS
  timer = loop.after(math.max(10, math.min(timeout, M.TIMEOUT_MOST_MS)), function()
    give_up(params.program .. " did not end in time", "timeout")
  end)
  send_input(process, params.input)
  process.stdin:close()
end

-- starts it; its lines come as they are printed
function operations.start(self, params, answer)
  local number, message, name
  local function tell(fields)
    fields.process = number
    self.host:tell("process", fields)
  end
  local function line_teller(kind)
    return function(line)
      local text, is_octets = octets.pack(line)
      tell { [kind] = text, octets = is_octets }
    end
  end
  number, message, name = spawn(self, params, {
    output = line_teller "line", errors = line_teller "complaint",
    over = function(status, signal) tell { over = true, status = status, signal = signal } end,
  }, true)
  if not number then return answer(nil, message, name) end
  answer { process = number }
end

local function find(self, params)
  local process = self.running[params.process]
  if process then return process end
  return nil, "that program has ended", "wrong_state"
end

function operations.send(self, params, answer)
  local process, message, name = find(self, params)
  if not process then return answer(nil, message, name) end
  local line = octets.unpack(tostring(params.line), params.octets == true)
  if #line > M.LINE_MAX or line:find("\n", 1, true) then
    return answer(nil, ("a line has at most %d bytes and no newline"):format(M.LINE_MAX), "too_large")
  end
  local ok, problem, kind = process.stdin:send(line)
  if not ok then return answer(nil, problem, kind) end
  answer {}
end

function operations.finish(self, params, answer)
  local process, message, name = find(self, params)
  if not process then return answer(nil, message, name) end
  process.stdin:close()
  answer {}
end

function operations.stop(self, params, answer)
  local process, message, name = find(self, params)
  if not process then return answer(nil, message, name) end
  process:kill(params.hard == true and "SIGKILL" or "SIGTERM")
  answer {}
end

---@param params table op, and what that takes
---@param answer fun(result: any, message?: string, name?: string)
function Programs:call(params, answer)
  local operation = operations[params.op]
  if not operation then return answer(nil, "there is no such call", "bad_params") end
  if params.op == "run" or params.op == "start" then
    local message, name = check(self, params)
    if message then return answer(nil, message, name) end
  end
  operation(self, params, answer)
end

--- Ends what runs.
function Programs:close()
  for _, process in pairs(self.running) do process:kill "SIGKILL" end
end

return M
