-- SPDX-License-Identifier: GPL-3.0-or-later
local function requests(chat)
  local list = {}
  for _, discussion in ipairs(chat:call("discussions.list")) do
    if discussion.state == "requested" then list[#list + 1] = discussion end
  end
  return list
end

local function refuse_request(chat, text)
  chat:call("discussions.refuse", { discussion = chat:find_request(text).id })
end

return {
  name = "refuse", args = "[NUMBER|NAME] [REASON]", help = "refuses a request, an invitation, or what is proposed",
  more = "Of a proposal the number is that of /proposals.\n" ..
    "A refusal is for good; all members see it, and the reason.",
  complete = function(chat)
    local words = chat:discussion_words("requested")
    return table.move(chat:proposal_words(), 1, 64, #words + 1, words)
  end,
  run = function(chat, text)
    local proposal, reason = chat:find_proposal(text)
    local asking = requests(chat)
    if text == "" and proposal and #asking > 0 then
      error("somebody asks you, and something is proposed: a name or a number says which", 0)
    end
    if not proposal and #asking == 0 then
      error(text == "" and "nobody asks you for anything, and nothing that is proposed waits for you" or
        "no open proposal is that: a number of /proposals or a name comes first, then the reason", 0)
    end
    if not proposal then return refuse_request(chat, text) end
    for _, discussion in ipairs(asking) do
      if chat:discussion_name(discussion) == text then
        error("they ask you, and are proposed: give the proposal's number, or the digits of the discussion", 0)
      end
    end
    chat:answer_proposal(proposal, "refuse", reason)
  end,
}
