-- SPDX-License-Identifier: GPL-3.0-or-later
-- build/sotto as scripts use it: run to its end, or beside the spec.
local cores = require "support.cores"
local json = require "sotto.json"
local loop = require "sotto.loop"
local patience = require "support.patience"
local system = require "support.system"
local waiting = require "support.waiting"

local M = {}

M.PROGRAM = cores.BUILD .. "/sotto"

-- seconds until a command that does not end is ended; its status is then 124
local PATIENCE = 30 * patience

--- What a program of the specs finds in its environment.
---@return table<string, string|false>
function M.environment()
  return {
    HOME = cores.root() .. "/user", XDG_RUNTIME_DIR = cores.root() .. "/run", GNUPGHOME = false, LC_ALL = "C.UTF-8",
    XDG_DATA_HOME = false, XDG_CONFIG_HOME = false,
  }
end

local function environment_words()
  local words = {}
  for name, value in pairs(M.environment()) do
    words[#words + 1] = value and name .. "=" .. system.quote(value) or "-u " .. name
  end
  table.sort(words) -- options first
  return "env " .. table.concat(words, " ")
end

---@class support.command.result
---@field status integer
---@field out string
---@field err string

--- Runs it to its end.
---@param arguments string[]
---@param input? string for standard input; standard: nothing
---@param directory? string
---@param through? string[] words that start it
---@return support.command.result
function M.run(arguments, input, directory, through)
  local root = cores.root()
  local names = { input = root .. "/input", out = root .. "/out", err = root .. "/err" }
  system.write(names.input, input or "")
  local words = { environment_words(), "timeout", tostring(PATIENCE) }
  for _, list in ipairs { through or {}, { M.PROGRAM }, arguments } do
    for _, word in ipairs(list) do words[#words + 1] = system.quote(word) end
  end
  local command = ("cd %s && %s <%s >%s 2>%s"):format(system.quote(directory or root), table.concat(words, " "), names.input,
    names.out, names.err)
  local _, _, status = os.execute(command)
  return { status = status, out = assert(system.read(names.out)), err = assert(system.read(names.err)) }
end

--- For one person's core: a function that runs `sotto --home HOME …`.
---@param home string
---@return fun(...: string): support.command.result
function M.of(home)
  return function(...) return M.run { "--home", home, ... } end
end

---@class support.command.process
---@field out string[] lines
---@field err string[]
---@field status integer|nil
---@field ended boolean

--- Starts it, and does not wait.
---@param ... string arguments
---@return support.command.process
function M.start(...)
  local self = { out = {}, err = {}, ended = false }
  self.handle = assert(loop.spawn {
    program = M.PROGRAM, directory = "/", environment = M.environment(), stdout = "pipe", stderr = "pipe",
    on_stdout = function(line)
      self.out[#self.out + 1] = line
      waiting.wake()
    end,
    on_stderr = function(line)
      self.err[#self.err + 1] = line
      waiting.wake()
    end,
    on_exit = function(status)
      self.status, self.ended = status, true
      waiting.wake()
    end,
    ...,
  })
  return self
end

--- Waits for its next line.
---@param process support.command.process
---@return any value of its JSON
function M.next_json(process)
  waiting.wait("a line of the command", function() return process.out[1] or process.ended end)
  local line = assert(table.remove(process.out, 1), "the command has ended")
  return assert(json.decode(line))
end

---@param process support.command.process
---@return integer|nil status
function M.wait_end(process)
  waiting.wait("the command's end", function() return process.ended end)
  return process.status
end

return M
