-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "release", help = "sends what was held because the members have changed",
  more = "It goes to those who are here now: /members. /discard drops it instead.",
  run = function(chat)
    local discussion = chat:current_discussion()
    local messages = chat:call("messages.release", { discussion = discussion.id })
    if #messages == 0 then return chat:print("(Nothing was held.)") end
    for _, message in ipairs(messages) do
      if not chat:mark_own(message) then chat:show_own(message, discussion) end
    end
  end,
}
