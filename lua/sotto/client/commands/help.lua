-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "help", args = "[command]", help = "this list, or one command of it",
  complete = function(chat) return chat.command_names end,
  run = function(chat, text)
    local wanted = text:gsub("^/", "")
    if wanted ~= "" then
      local command = chat.commands[wanted]
      if not command then error("there is no command /" .. wanted, 0) end
      chat:print(("/%s %s\n    %s"):format(command.name, command.args or "", command.help))
      return
    end
    for _, name in ipairs(chat.command_names) do
      local command = chat.commands[name]
      chat:print(("  %-28s %s"):format("/" .. name .. " " .. (command.args or ""), command.help))
    end
    chat:print("In a discussion plain text is sent, and =expression evaluates Lua; outside one every line is Lua.")
  end,
}
