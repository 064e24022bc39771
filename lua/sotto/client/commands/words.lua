-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "words", help = "this discussion's words, for all to compare aloud",
  run = function(chat)
    local discussion = chat:current_discussion()
    local words = discussion.words
    if not words or words == "" then error("this discussion has no words: it was never open", 0) end
    chat:print(words)
  end,
}
