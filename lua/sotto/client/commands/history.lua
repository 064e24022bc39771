-- SPDX-License-Identifier: GPL-3.0-or-later
local format = require "sotto.client.format"

return {
  name = "history", args = "[COUNT]", help = "the last messages of this discussion (20)",
  run = function(chat, text)
    local count = text == "" and 20 or math.tointeger(tonumber(text))
    if not count or count < 1 or count > 1000 then error("/history takes a number from 1 to 1000", 0) end
    local discussion = chat:current_discussion()
    local messages = chat:call("messages.list", { discussion = discussion.id, limit = count })
    for _, message in ipairs(messages) do chat:print(format.message(message, discussion, chat.own)) end
    if #messages == 0 then chat:print("No message yet.") end
  end,
}
