-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "refuse", args = "[NAME]", help = "refuses a request",
  complete = function(chat) return chat:discussion_words("requested") end,
  run = function(chat, text)
    chat:call("discussions.refuse", { discussion = chat:find_request(text).id })
  end,
}
