-- SPDX-License-Identifier: GPL-3.0-or-later
local changes = require "sotto.client.changes"

local ENDED_MAX = 20

local function show(chat, proposal, place)
  local who = chat:who_of(proposal)
  local discussion = chat.known.discussions[proposal.discussion]
  local elsewhere = proposal.discussion ~= chat.current and discussion and
    ("[%s] "):format(chat:discussion_name(discussion)) or ""
  chat:print(("%s%s%s"):format(place, elsewhere, changes.line(proposal, who)), 5)
  for _, line in ipairs(changes.answers(proposal, who)) do chat:print("       " .. line, 9) end
  if changes.waits_for(proposal, chat.own) then chat:print("       You are waited for: /consent or /refuse.", 9) end
end

local function show_ended(chat, all)
  local ended = {}
  for _, proposal in ipairs(all) do
    if proposal.state ~= "open" and (not chat.current or proposal.discussion == chat.current) then
      ended[#ended + 1] = proposal
    end
  end
  for i = math.max(1, #ended - ENDED_MAX + 1), #ended do show(chat, ended[i], "     ") end
end

return {
  name = "proposals", args = "[all]", help = "who is to come and to go, and who is waited for",
  more = "/proposals all shows ended ones of this discussion, too.\nThe number is what /consent and /refuse take.",
  complete = function() return { "all" } end,
  run = function(chat, text)
    if text ~= "" and text ~= "all" then error("/proposals takes 'all' or nothing", 0) end
    if text == "all" then show_ended(chat, chat:call("proposals.list")) end
    local open = chat:open_proposals()
    for number, proposal in ipairs(open) do show(chat, proposal, ("%3d  "):format(number)) end
    if #open == 0 then chat:print("Nothing is proposed at the moment. /invite NAME proposes somebody.") end
  end,
}
