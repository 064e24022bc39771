-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "go", args = "[DISCUSSION]", help = "goes to a discussion; without one, to none",
  complete = function(chat) return chat:discussion_words() end,
  run = function(chat, text)
    if text == "" then
      chat:enter(nil)
      return
    end
    chat:enter(chat:call("discussions.show", { discussion = text }))
  end,
}
