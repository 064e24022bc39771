-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "next", help = "goes to the next discussion with something new, as Alt-a does", holds = true,
  run = function(chat)
    local discussion = chat:next_unread()
    if not discussion then return chat:print("(Nothing is new elsewhere.)") end
    chat:enter(discussion)
  end,
}
