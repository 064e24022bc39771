-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "consent", args = "[NUMBER|NAME] [REASON]", help = "consents to what is proposed: see /proposals",
  more = "For good: an answer cannot be taken back. All members see it, and the reason.",
  complete = function(chat) return chat:proposal_words() end,
  run = function(chat, text)
    local proposal, reason = chat:find_proposal(text)
    if not proposal then
      error(text == "" and "nothing that is proposed waits for you" or
        "no open proposal is that: a number of /proposals or a name comes first, then the reason", 0)
    end
    chat:answer_proposal(proposal, "consent", reason)
  end,
}
