-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "go", args = "[NAME]", help = "goes to a discussion; without a name, out of this one",
  complete = function(chat) return chat:discussion_words() end,
  run = function(chat, text) chat:enter(text ~= "" and chat:find_discussion(text) or nil) end,
}
