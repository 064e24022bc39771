-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "accept", args = "[NAME]", asks = true,
  help = "accepts a request, with the password you both agreed on, or an invitation",
  complete = function(chat) return chat:discussion_words("requested") end,
  run = function(chat, text)
    local discussion, password = chat:find_request(text), nil
    if discussion.state ~= "requested" then
      error(("%s asks you for nothing"):format(chat:discussion_name(discussion)), 0)
    end
    if discussion.mode ~= "pinned" and not discussion.sponsor then
      password = chat:ask_secret(("Password agreed with %s: "):format(chat:discussion_name(discussion)))
      if not password or password:is_empty() then
        error("not accepted; the request goes on waiting: /accept or /refuse", 0)
      end
    end
    chat.opening[discussion.id] = true
    chat:call("discussions.accept", { discussion = discussion.id, password = password })
    if discussion.sponsor then chat:print "(The members are asked now; with their consent the discussion opens.)" end
  end,
}
