-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "close", args = "[NAME]", help = "ends a discussion for both sides, and destroys its keys", holds = true,
  more = "What was said stays readable on both disks until each side forgets it: /forget.",
  complete = function(chat) return chat:discussion_words() end,
  run = function(chat, text)
    local discussion = text ~= "" and chat:find_discussion(text) or chat:current_discussion()
    chat:call("discussions.close", { discussion = discussion.id })
  end,
}
