-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "leave", args = "[NAME]", help = "leaves a discussion; with two in it that closes it", holds = true,
  more = "Nobody has to agree. Your key for it is destroyed at once;\n" ..
    "what was said stays readable here until you /forget it.",
  complete = function(chat) return chat:discussion_words() end,
  run = function(chat, text)
    local discussion = text ~= "" and chat:find_discussion(text) or chat:current_discussion()
    chat:call("discussions.leave", { discussion = discussion.id })
  end,
}
