-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"
local terminal = require "sotto.terminal"

local COLUMN = 24

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

local function show_all(chat)
  for _, yours in ipairs { false, true } do
    for _, name in ipairs(chat.command_names) do
      local command = chat.commands[name]
      if (command.yours or false) == yours then show(chat, usage(command), command.help) end
    end
  end
  local aliases = {}
  for name, text in pairs(chat.aliases) do aliases[#aliases + 1] = ("/%s is /%s"):format(name, text) end
  table.sort(aliases)
  if #aliases > 0 then chat:print("Aliases: " .. table.concat(aliases, "; ")) end
  chat:print "Anything else is said to the discussion you are in; outside of one it is Lua, as =EXPRESSION always is."
  chat:print "A NAME may also be the first digits of an id or a fingerprint. Tab completes. //TEXT says /TEXT."
  chat:print "/help COMMAND says more of one, /help keys lists the keys."
end

return {
  name = "help", args = "[COMMAND|keys]", help = "this list, or one command of it",
  complete = function(chat)
    local words = { table.unpack(chat.command_names) }
    words[#words + 1] = "keys"
    return words
  end,
  run = function(chat, text)
    local wanted = text:gsub("^/", "")
    if wanted == "" then return show_all(chat) end
    if chat.commands[wanted] then return show_one(chat, chat.commands[wanted]) end
    if wanted == "keys" then return show_keys(chat) end
    error(("there is no command /%s: /help lists them"):format(chat.safe(wanted)), 0)
  end,
}
