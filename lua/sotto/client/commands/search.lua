-- SPDX-License-Identifier: GPL-3.0-or-later
local LIMIT = 50

return {
  name = "search", args = "TEXT", private = true,
  help = "what was said with that text in it: here, or outside of discussions everywhere",
  run = function(chat, text)
    if text == "" then error("/search needs a text", 0) end
    local found = chat:call("messages.search", { query = text, discussion = chat.current or nil, limit = LIMIT })
    for _, message in ipairs(found) do
      local discussion = chat.known.discussions[message.discussion] or
        chat:call("discussions.show", { discussion = message.discussion })
      chat:show_messages(discussion, { message })
    end
    if #found == 0 then chat:print(("Nothing like that was said%s."):format(chat.current and " here" or "")) end
    if #found == LIMIT then chat:print(("(The last %d; a longer text finds fewer.)"):format(LIMIT)) end
  end,
}
