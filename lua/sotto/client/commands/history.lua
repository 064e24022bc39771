-- SPDX-License-Identifier: GPL-3.0-or-later
local STANDARD, MOST = 20, 1000

return {
  name = "history", args = "[COUNT]",
  help = ("the last %d messages here, and how far yours have come"):format(STANDARD),
  more = "… waits on your disk   ✓ is on another's core   ✓✓ is stored by everybody   ✓✓✓ everybody has confirmed it",
  run = function(chat, text)
    local count = text == "" and STANDARD or math.tointeger(tonumber(text))
    if not count or count < 1 or count > MOST then error(("/history takes a number from 1 to %d"):format(MOST), 0) end
    local discussion = chat:current_discussion()
    local messages = chat:call("messages.list", { discussion = discussion.id, limit = count })
    chat:show_messages(discussion, messages)
    if #messages == 0 then chat:print("Nothing was said yet.") end
  end,
}
