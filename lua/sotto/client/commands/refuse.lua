-- SPDX-License-Identifier: GPL-3.0-or-later
local function is_asked(chat)
  for _, discussion in ipairs(chat:call("discussions.list")) do
    if discussion.state == "requested" then return true end
  end
  return false
end

-- Who invites learns the reason; who asks for a discussion learns nothing but the refusal.
local function refuse_request(chat, text)
  local discussion, reason = chat:split_request(text)
  if text == "" then discussion, reason = chat:find_request(""), "" end
  if not discussion then
    error("of those who ask you nobody, or not one alone, is called that: a name comes first, then the reason", 0)
  end
  if reason ~= "" and not discussion.sponsor then
    error(("of a request no reason is told: /refuse %s"):format(chat:discussion_name(discussion)), 0)
  end
  chat:call("discussions.refuse", { discussion = discussion.id, reason = reason ~= "" and reason or nil })
end

return {
  name = "refuse", args = "[NUMBER|NAME] [REASON]", help = "refuses a request, an invitation, or what is proposed",
  more = "Of a proposal the number is that of /proposals.\n" ..
    "Such a refusal is for good; all members see it, and the reason. Of an invitation who has invited you sees it.",
  complete = function(chat)
    local words = chat:discussion_words("requested")
    return table.move(chat:proposal_words(), 1, 64, #words + 1, words)
  end,
  run = function(chat, text)
    local proposal, reason = chat:find_proposal(text)
    local asked = is_asked(chat)
    if text == "" and proposal and asked then
      error("somebody asks you, and something is proposed: a name or a number says which", 0)
    end
    if not proposal and not asked then
      error(text == "" and "nobody asks you for anything, and nothing that is proposed waits for you" or
        "no open proposal is that: a number of /proposals or a name comes first, then the reason", 0)
    end
    if not proposal then return refuse_request(chat, text) end
    if asked and text ~= "" and chat:split_request(text) then
      error("they ask you, and are proposed: give the proposal's number, or the digits of the discussion", 0)
    end
    chat:answer_proposal(proposal, "refuse", reason)
  end,
}
