-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "discard", help = "drops what was held because the members have changed",
  run = function(chat)
    local discussion = chat:current_discussion()
    local messages = chat:call("messages.discard", { discussion = discussion.id })
    if #messages == 0 then return chat:print("(Nothing was held.)") end
    for _, message in ipairs(messages) do
      chat.dropped[message.id] = true -- its failure is no news
      chat:mark_own(message)
    end
    chat:print(#messages == 1 and "(One message was dropped.)" or ("(%d messages were dropped.)"):format(#messages))
  end,
}
