-- SPDX-License-Identifier: GPL-3.0-or-later
local files = require "sotto.client.files"
local names = require "sotto.client.names"

local function export_discussion(chat, path)
  local discussion = chat:current_discussion()
  local done = chat:call("discussions.export", { discussion = discussion.id, path = path })
  local text = "%s: messages written, %d, as they were sealed and signed. The README there says how gpg checks them."
  chat:print(text:format(names.safe(done.path), done.messages))
end

local function export_contacts(chat, path)
  local done = chat:call("peers.export", { path = path })
  chat:print(("%s: contacts written, %d. /import reads such a file."):format(names.safe(path), done.contacts))
end

return {
  name = "export", args = "discussion|contacts PATH",
  help = "writes this discussion, for stock gpg to check, into a new directory; or the peers into a contact file",
  complete = function(chat, text)
    local kind, path = text:match("^(%a+) (.*)$")
    if kind ~= "discussion" and kind ~= "contacts" then return { "discussion ", "contacts " } end
    local words = chat.paths(path)
    for i, word in ipairs(words) do words[i] = kind .. " " .. word end
    return words
  end,
  run = function(chat, text)
    local kind, path = text:match("^(%a+)%s+(.+)$")
    if kind == "discussion" then return export_discussion(chat, files.absolute(path)) end
    if kind == "contacts" then return export_contacts(chat, files.absolute(path)) end
    error("/export takes 'discussion PATH' or 'contacts PATH'", 0)
  end,
}
