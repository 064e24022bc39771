-- SPDX-License-Identifier: GPL-3.0-or-later
-- Bots, plugins and policies in the core's care.
local files = require "sotto.client.files"
local granting = require "sotto.client.granting"
local names = require "sotto.client.names"
local script_commands = require "sotto.client.script_commands"
local script_path = require "sotto.client.script_path"

-- What it needs is granted by a person who has read what that is.
local function call_granted(chat, method, params)
  local refused = false
  local script, message = granting.call(function(...) return chat.connection:call(...) end, method, params,
    function(missing)
      chat:print("It asks for what you have not granted yet:")
      for _, need in ipairs(missing) do chat:print("  " .. names.safe(need), 4) end
      refused = not granting.is_yes(chat:ask("Grant that? Type yes: "))
      return not refused
    end)
  if refused then error("nothing was granted, and nothing loaded", 0) end
  if message then error(message, 0) end
  return script
end

local function show(chat, script)
  local reason = script.reason and script.reason ~= "" and ": " .. script.reason or ""
  local name = script.name
  chat:print(("  %s  %s%s"):format(names.safe(name), names.safe(script.state), names.safe(reason)), 4)
  for _, command in ipairs(script.commands or {}) do
    local usage = ("%s %s"):format(command.name, command.args or ""):gsub(" $", "")
    local own = script_commands.find(chat, command.name)
    local typed = own and own.script == script.name and "/" .. usage or ("/scripts run %s %s"):format(name, usage)
    chat:print(("    %s  %s"):format(names.safe(typed), names.safe(command.help)), 6)
  end
end

local verbs = {}

function verbs.load(chat, path)
  local script = call_granted(chat, "scripts.load", { path = script_path.resolve(files.absolute(path)) })
  local name = names.safe(script.name)
  chat:print(("%s runs, now and at every start of the core. /scripts unload %s ends that."):format(name, name))
end

function verbs.reload(chat, name)
  chat:print(("%s is loaded again."):format(names.safe(call_granted(chat, "scripts.reload", { name = name }).name)))
end

function verbs.unload(chat, name)
  chat:call("scripts.unload", { name = name })
  chat:print(("%s is unloaded; what it has stored is kept; /scripts erase %s ends that, too."):format(names.safe(name),
    names.safe(name)))
end

function verbs.erase(chat, name)
  chat:call("scripts.erase", { name = name })
  chat:print(("What %s had stored is erased."):format(names.safe(name)))
end

function verbs.log(chat, name)
  local lines = chat:call("scripts.log", { name = name }).lines
  for _, line in ipairs(lines) do
    chat:write(("%s %s"):format(chat.paint("time", names.time(line.time)), names.safe(line.text)))
  end
  if #lines == 0 then chat:print("It has said nothing yet.") end
end

function verbs.run(chat, text)
  local words = script_commands.split(text)
  if not words[2] then error("/scripts run takes the script's name, a command of it, and what follows that", 0) end
  local arguments = table.move(words, 3, #words, 1, {})
  local answer = chat:call("scripts.command", { name = words[1], command = words[2],
    arguments = #arguments > 0 and arguments or nil })
  if answer.reply then chat:print(chat.safe(answer.reply, true)) end
end

-- those that are known
local function script_names(chat)
  local list = {}
  for _, script in ipairs(chat.known.scripts) do
    if names.safe(script.name) == script.name then list[#list + 1] = script.name end
  end
  return list
end

return {
  names = script_names,
  name = "scripts", args = "[load PATH | unload, erase, reload, log NAME | run NAME COMMAND …]", asks = true,
  help = "the scripts in the core's care; loads one, ends it, shows what it said, runs a command of it",
  complete = function(chat, text)
    local verb, path = text:match("^(%a+) (.*)$")
    local words = {}
    if verb == "load" then
      for i, word in ipairs(chat.paths(path)) do words[i] = "load " .. word end
    elseif verbs[verb] then
      for i, name in ipairs(script_names(chat)) do words[i] = verb .. " " .. name end
    elseif not verb then
      for name in pairs(verbs) do words[#words + 1] = name .. " " end
    end
    return words
  end,
  run = function(chat, text)
    local verb, rest = text:match("^(%a+)%s+(.+)$")
    if verb and verbs[verb] then return verbs[verb](chat, rest) end
    if text ~= "" then error("/scripts takes load PATH, unload, erase, reload or log NAME, or run NAME COMMAND", 0) end
    local scripts = chat:call("scripts.list")
    for _, script in ipairs(scripts) do show(chat, script) end
    if #scripts == 0 then chat:print("There is none. /scripts load PATH loads a file or a folder.") end
  end,
}
