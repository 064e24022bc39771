-- SPDX-License-Identifier: GPL-3.0-or-later
local files = require "sotto.client.files"
local names = require "sotto.client.names"

return {
  name = "import", args = "PATH", help = "reads a contact file and asks each address of it who is there",
  more = "A line of it: HOST:PORT [FINGERPRINT] [# note]",
  complete = function(chat, text) return chat.paths(text) end,
  run = function(chat, text)
    if text == "" then error("/import needs a file; a line of it: HOST:PORT [FINGERPRINT] [# note]", 0) end
    local done = chat:call("peers.import", { path = files.absolute(text) })
    for _, problem in ipairs(done.errors or {}) do
      chat:print("! " .. names.safe(problem))
    end
    chat:print(("Contacts read: %d, addresses asked: %d. /peers shows who answers."):format(done.contacts,
      done.probed))
  end,
}
