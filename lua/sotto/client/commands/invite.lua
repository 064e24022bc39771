-- SPDX-License-Identifier: GPL-3.0-or-later
local changes = require "sotto.client.changes"

return {
  name = "invite", args = "NAME", help = "proposes to admit somebody to this discussion",
  more = "You need an open discussion with them: it is over that one that they are invited.\n" ..
    "They see who is here, and whether they join; then the members consent or refuse, as the /charter says.\n" ..
    "Proposing is your own consent. What was said before they came they never get.",
  complete = function(chat) return chat:peer_words() end,
  run = function(chat, text)
    local discussion = chat:current_discussion()
    if text == "" then error("/invite needs a name or a fingerprint: /peers lists those you know of", 0) end
    local peer = chat:call("peers.show", { peer = text })
    local proposal = chat:call("proposals.create", {
      discussion = discussion.id, op = "admit", peer = peer.fingerprint,
    })
    local who = chat:who_of(proposal)
    chat:print(("Proposed: to %s. %s /proposals shows how it stands."):format(changes.what(proposal, who),
      changes.standing(proposal, who)))
  end,
}
