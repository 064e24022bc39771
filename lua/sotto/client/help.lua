-- SPDX-License-Identifier: GPL-3.0-or-later
-- The command line's help, made from the API table.
local api = require "sotto.core.api"
local terminal = require "sotto.terminal"

local M = {}

local HEAD = [[
usage: sotto [--home DIR] [--json] [COMMAND …]

  (none)                     the chat; starts the core if none runs, makes an identity on first use
  call METHOD [PARAMS-JSON]  one API call, JSON in and out ('-': the parameters from standard input)
  NOUN VERB [--param value]  the same for people; values may stand without names, in the order of the help
  events [TYPE…]             events as they come, one JSON object a line
  eval 'LUA'                 a Lua expression: sotto, peers, discussions, me
  run FILE [ARG…]            a script in the foreground, until Ctrl-C
  new bot|policy|plugin NAME a script to begin with, and its spec
  test FILE…                 a script's own specs, with real cores and a clock of their own
  start · stop · status      the core in the background
  demo                       a throw-away second person, to try the chat alone; as the chat's /demo
  doctor                     what is broken, and what to do about it; also where no core runs
  completion bash            the shell's completion: eval "$(sotto completion bash)"
  help [NOUN]                this; or a noun's verbs, with their parameters

  --home DIR                 everything of one identity below DIR
  --json                     results and errors as JSON
  --version

nouns and verbs:
]]

--- A mistake in the arguments: says so, and gives the exit status.
---@param message string
---@return integer
function M.usage(message)
  local hint = message:find("sotto help", 1, true) and "" or "; 'sotto help' lists the commands"
  io.stderr:write("sotto: ", (message:gsub("%c", " ")), hint, "\n")
  return 2
end

--- Something that did not work: says so, and gives the exit status.
---@param message string of one line or several
---@return integer
function M.failure(message)
  io.stderr:write("sotto: ", terminal.escape(message, true), "\n")
  return 1
end

local function find_noun(name)
  for _, noun in ipairs(api.nouns) do
    if noun.name == name then return noun end
  end
end

---@param name string
---@return boolean
function M.is_noun(name) return find_noun(name) ~= nil end

---@return string
function M.overview()
  local lines = {}
  for _, noun in ipairs(api.nouns) do
    local verbs = {}
    for _, method in ipairs(noun.methods) do verbs[#verbs + 1] = method.verb end
    -- a subscription would end with the command that made it
    if noun.name ~= "events" then lines[#lines + 1] = ("  %-12s %s"):format(noun.name, table.concat(verbs, " ")) end
  end
  return HEAD .. table.concat(lines, "\n") .. "\n"
end

local function describe_param(param)
  local notes = {}
  if not param.required then notes[#notes + 1] = "optional" end
  if param.type == "secret" then notes[#notes + 1] = "asked, or '-': a line of standard input" end
  if param.type == "strings" then notes[#notes + 1] = "may stand several times" end
  if param.standard ~= nil then notes[#notes + 1] = "standard: " .. tostring(param.standard) end
  local note = #notes > 0 and " (" .. table.concat(notes, "; ") .. ")" or ""
  return ("      --%-12s %s%s"):format(param.name, param.text, note)
end

local function events_help()
  local lines = { "events [TYPE…]: events as they come; types may end in *", "" }
  for _, event in ipairs(api.events) do lines[#lines + 1] = ("  %-22s %s"):format(event.type, event.text) end
  return table.concat(lines, "\n") .. "\n"
end

---@param name string
---@return string|nil
function M.noun(name)
  local noun = find_noun(name)
  if not noun then return nil end
  if name == "events" then return events_help() end
  local lines = { name .. ": " .. noun.text }
  for _, method in ipairs(noun.methods) do
    lines[#lines + 1] = ("\n  %s %s\n      %s"):format(name, method.verb, method.text)
    for _, param in ipairs(method.params) do lines[#lines + 1] = describe_param(param) end
  end
  return table.concat(lines, "\n") .. "\n"
end

--- `sotto help [NOUN]`
---@param noun string|nil
---@return integer status
function M.show(noun)
  local text
  if noun then
    text = M.noun(noun)
    if not text then return M.usage(("there is no noun '%s'"):format(noun)) end
  else
    text = M.overview()
  end
  io.stdout:write(text)
  return 0
end

return M
