-- SPDX-License-Identifier: GPL-3.0-or-later
local changes = require "sotto.client.changes"

-- the whole text as one member, or one in each of its parts
local function find_all(chat, discussion, text)
  local ok, member = pcall(chat.find_member, chat, discussion, text)
  if ok then return { member.fingerprint } end
  local list, words = {}, {}
  local pattern = text:find(",", 1, true) and "[^,]+" or "%S+"
  for word in text:gmatch(pattern) do words[#words + 1] = word:match "^%s*(.-)%s*$" end
  for i, word in ipairs(words) do list[i] = chat:find_member(discussion, word).fingerprint end
  return list
end

return {
  name = "remove", args = "NAME …", help = "proposes to remove members from this discussion",
  more = "Names stand behind each other, or with commas between them. All others must consent.\n" ..
    "So few may go at a time that enough are left to decide: one of three to five, two of six to eight.",
  complete = function(chat) return chat:member_words() end,
  run = function(chat, text)
    local discussion = chat:current_discussion()
    if text == "" then error("/remove needs a name: /members shows who is here", 0) end
    if #discussion.members == 2 then error("there are two of you: /close ends the discussion for both", 0) end
    local list = find_all(chat, discussion, text)
    local proposal = chat:call("proposals.create", {
      discussion = discussion.id, op = "remove",
      peer = #list == 1 and list[1] or nil, peers = #list > 1 and list or nil,
    })
    local who = chat:who_of(proposal)
    chat:print(("Proposed: to %s. %s"):format(changes.what(proposal, who), changes.standing(proposal, who)))
  end,
}
