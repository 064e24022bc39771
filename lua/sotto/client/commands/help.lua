-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "help", args = "[COMMAND]", help = "this list, or one command of it",
  complete = function(chat) return chat.command_names end,
  run = function(chat, text)
    local wanted = text:gsub("^/", "")
    if wanted ~= "" and not chat.commands[wanted] then
      error(("there is no command /%s: /help lists them"):format(wanted), 0)
    end
    for _, name in ipairs(wanted ~= "" and { wanted } or chat.command_names) do
      local command = chat.commands[name]
      local usage = ("/%s %s"):format(name, command.args or "")
      chat:print(("  %-20s %s"):format(usage, command.help), 23)
    end
    if wanted ~= "" then return end
    chat:print "Anything else is said to the discussion you are in; outside of one it is Lua, as =EXPRESSION always is."
    chat:print "A NAME may also be the first digits of an id or a fingerprint. Tab completes. //TEXT says /TEXT."
  end,
}
