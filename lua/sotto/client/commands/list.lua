-- SPDX-License-Identifier: GPL-3.0-or-later
local names = require "sotto.client.names"
local news = require "sotto.client.news"

return {
  name = "list", args = "[all]", help = "your discussions, and what is new in them",
  more = "/list all shows ended ones, too.\n* is where you are; the number is what Alt-1 to Alt-9 and /go take.",
  complete = function() return { "all" } end,
  run = function(chat, text)
    if text ~= "" and text ~= "all" then error("/list takes 'all' or nothing", 0) end
    news.refresh(chat)
    local live, ended = chat:live_discussions(), {}
    for _, discussion in pairs(chat.known.discussions) do
      if names.has_ended(discussion) then ended[#ended + 1] = discussion end
    end
    table.sort(ended, function(a, b) return a.created < b.created end)
    for number, discussion in ipairs(live) do
      local here = discussion.id == chat.current and "*" or " "
      chat:write(("%s%2d  %s"):format(here, number, chat:formatted("discussion", discussion)))
    end
    for _, discussion in ipairs(text == "all" and ended or {}) do
      chat:write("     " .. chat:formatted("discussion", discussion))
    end
    local shown = #live + (text == "all" and #ended or 0)
    if shown == 0 then chat:print("There is none. /open NAME asks a peer for one.") end
    if #ended > 0 and text ~= "all" then chat:print(("(%d ended: /list all)"):format(#ended)) end
    chat:show_prompt()
  end,
}
