-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "reload", help = "runs your chat.lua again",
  more = "Everything that the chat.lua before has registered is gone then. Where the new one fails, the old one stays.",
  run = function(chat)
    local done = chat:load_file()
    if done then
      chat:print("chat.lua is loaded.")
    elseif done == false then
      chat:print(("There is no %s: the chat is as it is shipped."):format(chat.safe(chat.place.chat)))
    else
      chat:print("(What was loaded before stays.)")
    end
  end,
}
