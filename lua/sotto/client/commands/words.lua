-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "words", help = "this discussion's words: the same for all its members, to compare aloud",
  run = function(chat)
    local discussion = chat:current_discussion()
    if not discussion.words then error("this discussion is not open yet", 0) end
    chat:print(discussion.words)
  end,
}
