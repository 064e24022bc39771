-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"
local script_commands = require "sotto.client.script_commands"
local terminal = require "sotto.terminal"

local COLUMN = 24

-- What a newcomer needs, and one screen of it; the rest is shown by "all".
local USUAL = {
  "demo", "peers", "probe", "open", "accept", "refuse", "list", "go", "history", "words", "invite", "proposals",
  "close", "me", "doctor", "quit",
}

local function show(chat, what, text)
  local long = terminal.width(what) > COLUMN - 4
  local gap = long and "\n" .. (" "):rep(COLUMN) or ""
  chat:print(("  %s%s%s"):format(format.padded(what, COLUMN - 2), gap, text), COLUMN)
end

local function usage(command) return ("/%s %s"):format(command.name, command.args or "") end

local function show_one(chat, command)
  chat:print(("%s: %s"):format(usage(command):gsub(" $", ""), command.help))
  for line in (command.more or ""):gmatch("[^\n]+") do chat:print("  " .. line) end
end

local function show_keys(chat)
  for _, name in ipairs(chat.shape.key_names) do
    if not name:find("^Alt%-[2-9]$") then
      show(chat, name == "Alt-1" and "Alt-1 … Alt-9" or name, chat.keys[name].help)
    end
  end
  show(chat, "Tab", "completes commands, names and Lua")
  show(chat, "Ctrl-R", "looks for what you typed before; Up and Down go through it")
  show(chat, "Ctrl-C", "gives up what is typed")
  show(chat, "Ctrl-D", "leaves, where nothing is typed")
end

local function show_aliases(chat)
  local aliases = {}
  for name, text in pairs(chat.aliases) do aliases[#aliases + 1] = ("/%s is /%s"):format(name, text) end
  table.sort(aliases)
  if #aliases > 0 then chat:print("Aliases: " .. table.concat(aliases, "; ")) end
end

-- those that the filter lets through, the person's own ones last
local function show_commands(chat, filter)
  for _, yours in ipairs { false, true } do
    for _, name in ipairs(chat.command_names) do
      local command = chat.commands[name]
      if (command.yours or false) == yours and filter(command) then show(chat, usage(command), command.help) end
    end
  end
  for _, command in ipairs(script_commands.list(chat)) do show(chat, usage(command), command.help) end
  show_aliases(chat)
end

local function show_usual(chat)
  local shown = {}
  for _, name in ipairs(USUAL) do shown[name] = true end
  show_commands(chat, function(command) return command.yours or shown[command.name] end)
  chat:print "Anything else is said to the discussion you are in; outside of one it is Lua."
  chat:print "=EXPRESSION is Lua everywhere, //TEXT says /TEXT, and Tab completes."
  chat:print "A NAME may also be the first digits of an id or of a fingerprint."
  chat:print "/help all lists every command, /help COMMAND says more, /help keys lists keys."
end

local function show_all(chat) show_commands(chat, function() return true end) end

return {
  name = "help", args = "[COMMAND|all|keys]", help = "the usual commands, all of them, or one",
  complete = function(chat)
    local words = { table.unpack(chat.command_names) }
    for _, command in ipairs(script_commands.list(chat)) do words[#words + 1] = command.name end
    table.move({ "all", "keys" }, 1, 2, #words + 1, words)
    return words
  end,
  run = function(chat, text)
    local wanted = text:gsub("^/", "")
    if wanted == "" then return show_usual(chat) end
    local one = chat.commands[wanted] or script_commands.find(chat, wanted)
    if one then return show_one(chat, one) end
    if wanted == "all" then return show_all(chat) end
    if wanted == "keys" then return show_keys(chat) end
    error(("there is no command /%s: /help lists them"):format(chat.safe(wanted)), 0)
  end,
}
