-- SPDX-License-Identifier: GPL-3.0-or-later
local settings = require "sotto.client.settings"

local COLUMN = 26

local function show(chat, setting)
  local range = setting.values and table.concat(setting.values, "|") or ("%d…%d"):format(setting.least, setting.most)
  local now = ("%s = %s"):format(setting.name, chat.settings[setting.name])
  chat:print(("  %-22s  %s (%s)"):format(now, setting.help, range), COLUMN)
end

return {
  name = "set", args = "[NAME [VALUE]]", help = "shows how the chat behaves, or changes it for this time",
  more = "For good it stands in chat.lua: chat.settings.NAME = VALUE",
  complete = function(_, text)
    local words, given = {}, text:match("^(%S+) ")
    local setting = given and settings.by_name[given]
    for _, value in ipairs(setting and setting.values or {}) do words[#words + 1] = given .. " " .. value end
    for _, one in ipairs(given and {} or settings.list) do words[#words + 1] = one.name end
    return words
  end,
  run = function(chat, text)
    local name, value = text:match("^(%S+)%s*(.*)$")
    if not name then
      for _, setting in ipairs(settings.list) do show(chat, setting) end
      return
    end
    local setting = settings.by_name[name]
    if not setting then error(("there is no setting '%s': /set lists them"):format(chat.safe(name)), 0) end
    if value ~= "" then
      local good, message = settings.convert(name, value)
      if message then error(message, 0) end
      chat.settings[name] = good
    end
    show(chat, setting)
  end,
}
