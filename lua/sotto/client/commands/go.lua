-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "go", args = "[NAME]", help = "goes to a discussion; without a name, out of this one", holds = true,
  more = "NAME is a member's name, a number of /list, or the first digits of an id.\n" ..
    "Alt-1 to Alt-9 go to a number, Alt-0 goes out; what is half typed waits where it was typed.",
  complete = function(chat) return chat:discussion_words() end,
  run = function(chat, text)
    if text == "" then return chat:enter(nil) end
    chat:enter(chat:find_discussion(text))
  end,
}
