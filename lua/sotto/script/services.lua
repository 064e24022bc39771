-- SPDX-License-Identifier: GPL-3.0-or-later
-- sotto.http, sotto.files and sotto.command: what a script reaches of the world, by the core's hands. Calls wait, as
-- those of the API do, and raise {name, message}.
local calls = require "sotto.script.calls"
local json = require "sotto.json"
local octets = require "sotto.script.octets"
local times = require "sotto.script.times"

local M = {}

M.READ_MAX = 4 << 20

---@class sotto.script.services.host
---@field call fun(method: string, params: table): any, string?, string? waits
---@field run fun(name: string, f: function, ...: any) as a handler

-- raises what went wrong at the script's line
local function ask(host, method, params)
  local result, message, name = host.call(method, params)
  if message then error(calls.failure(name or "internal", message), 3) end
  return result
end

local function milliseconds(time)
  if time == nil then return nil end
  local ms, problem = times.parse(time)
  if not ms then error(problem, 3) end
  return ms
end

local function optional(value) if value ~= json.null then return value end end

-- --- pages ---------------------------------------------------------------------------------------------------------

---@class sotto.script.http_options
---@field url? string of `request`
---@field method? "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE"
---@field headers? table<string, string>
---@field body? string
---@field timeout? string|number standard "30s", at most 55 s

---@class sotto.script.page
---@field status integer 200, 404, …
---@field url string where it was found, after up to five redirects
---@field headers table<string, string> names in lower case
---@field body string

---@param host sotto.script.services.host
local function http(host)
  local own = {}

  --- Fetches a page: `sotto.http.request { url = … }`. Any status is an answer; an error is raised where none came.
  ---@param options sotto.script.http_options
  ---@return sotto.script.page
  function own.request(options)
    if type(options) ~= "table" then error("sotto.http.request takes a table", 2) end
    local page = ask(host, "script.http", {
      url = options.url, method = options.method, headers = options.headers, body = options.body,
      timeout = milliseconds(options.timeout),
    })
    page.body, page.octets = octets.unpack(page.body, page.octets), nil
    return page
  end

  local function with(method, url, options, body)
    local all = { url = url, method = method, body = body }
    for _, name in ipairs { "headers", "timeout" } do all[name] = options and options[name] end
    return all
  end

  --- `sotto.http.get("https://…")`
  ---@param url string
  ---@param options? sotto.script.http_options headers, timeout
  ---@return sotto.script.page
  function own.get(url, options)
    local page = own.request(with("GET", url, options))
    return page
  end

  ---@param url string
  ---@param body string
  ---@param options? sotto.script.http_options headers, timeout
  ---@return sotto.script.page
  function own.post(url, body, options)
    local page = own.request(with("POST", url, options, body))
    return page
  end

  return own
end

-- --- files ---------------------------------------------------------------------------------------------------------

---@param host sotto.script.services.host
local function files(host)
  local own = {}

  -- level: of the script's line
  local function call(op, path, fields)
    if type(path) ~= "string" then error("a path is a text", 3) end
    local params = fields or {}
    params.op, params.path = op, path
    local result, message, name = host.call("script.files", params)
    if message then error(calls.failure(name or "internal", message), 3) end
    return result
  end

  local function put(op, path, text)
    if type(text) ~= "string" then error("only a text can be written", 3) end
    local fields = {}
    fields.text, fields.octets = octets.pack(text)
    call(op, path, fields)
    return true
  end

  --- The whole of a file, of up to 4 MiB. A path that is not absolute is meant within the first folder that was
  --- granted.
  ---@param path string
  ---@return string
  function own.read(path)
    local parts, offset = {}, 0
    repeat
      local piece = call("read", path, { offset = offset })
      if piece.size > M.READ_MAX then error(calls.failure("too_large", "the file is too large to be read"), 2) end
      parts[#parts + 1] = octets.unpack(piece.text, piece.octets)
      offset = offset + piece.bytes
    until piece.bytes == 0 or offset >= piece.size
    return table.concat(parts)
  end

  --- Makes or replaces a file, of up to 256 KiB: whoever reads it sees the old or the new one.
  ---@param path string
  ---@param text string
  ---@return true
  function own.write(path, text)
    local done = put("write", path, text)
    return done
  end

  --- Adds to the end of a file, and makes it where there is none.
  ---@param path string
  ---@param text string up to 256 KiB
  ---@return true
  function own.append(path, text)
    local done = put("append", path, text)
    return done
  end

  ---@param path string
  ---@return true
  function own.remove(path)
    call("remove", path)
    return true
  end

  --- What is in a folder, in order.
  ---@param path? string standard: the folder that was granted
  ---@return {name: string, kind: "file"|"directory"|"other", size: integer, modified: integer}[]
  function own.list(path)
    local list = call("list", path or "")
    for _, entry in ipairs(list) do entry.name, entry.octets = octets.unpack(entry.name, entry.octets), nil end
    return list
  end

  return own
end

-- --- programs ------------------------------------------------------------------------------------------------------

-- the program and its arguments in the list part
local function words_of(options, level)
  if type(options) ~= "table" or type(options[1]) ~= "string" then
    error("this takes a table: the program, its arguments, and options by name", level + 1)
  end
  local arguments = json.array {}
  for i = 2, #options do arguments[i - 1] = tostring(options[i]) end
  return options[1], arguments
end

-- a running program; its methods
local Program = {}
Program.__index = Program

---@param host sotto.script.services.host
---@param processes table<integer, table> those that run
local function command(host, processes)
  local own = {}

  --- Runs a program to its end: `sotto.command.run { "notify-send", "sotto", text, timeout = "5s" }`.
  ---@param options table the program and its arguments; input: string, timeout: time (standard "30s", at most 55 s)
  ---@return {status: integer|nil, signal: string|nil, output: string, errors: string}
  function own.run(options)
    local program, arguments = words_of(options, 2)
    local result = ask(host, "script.command", {
      op = "run", program = program, arguments = arguments, input = options.input,
      timeout = milliseconds(options.timeout),
    })
    return {
      status = optional(result.status), signal = optional(result.signal),
      output = octets.unpack(result.output, result.output_octets),
      errors = octets.unpack(result.errors, result.errors_octets),
    }
  end

  --- Starts a program that lives on: `sotto.command.start { "bridge", line = function(text) … end }`. The handle has
  --- send(line), finish() for the end of its input, and stop(). It ends with the script.
  ---@param options table the program and its arguments; line, complaint: fun(text: string) for each line of its output
  --- and of its standard error, exit: fun(status: integer|nil, signal: string|nil)
  ---@return {send: fun(self, line: string), finish: fun(self), stop: fun(self, hard?: boolean)}
  function own.start(options)
    local program, arguments = words_of(options, 2)
    local result = ask(host, "script.command", { op = "start", program = program, arguments = arguments })
    local handle = setmetatable({ host = host, number = result.process, options = options }, Program)
    processes[result.process] = handle
    return handle
  end

  return own
end

function Program:send(line)
  local text, is_octets = octets.pack(tostring(line))
  ask(self.host, "script.command", { op = "send", process = self.number, line = text, octets = is_octets })
end

function Program:finish() ask(self.host, "script.command", { op = "finish", process = self.number }) end

function Program:stop(hard)
  if self.over then return end
  ask(self.host, "script.command", { op = "stop", process = self.number, hard = hard })
end

-- what the core tells of a running program
local function take(host, processes, params)
  local handle = processes[params.process]
  if not handle then return end
  local options = handle.options
  if params.over then
    processes[params.process], handle.over = nil, true
    if options.exit then
      host.run("a program's end", options.exit, optional(params.status), optional(params.signal))
    end
    return
  end
  for _, kind in ipairs { "line", "complaint" } do
    local text = params[kind]
    if text and options[kind] then
      host.run("a program's " .. kind, options[kind], octets.unpack(text, params.octets))
    end
  end
end

--- The three, and who is to be given the core's word on running programs.
---@param host sotto.script.services.host
---@return table<string, table> modules, fun(params: table) take
function M.new(host)
  local processes = {}
  local modules = { http = http(host), files = files(host), command = command(host, processes) }
  return modules, function(params) take(host, processes, params) end
end

return M
