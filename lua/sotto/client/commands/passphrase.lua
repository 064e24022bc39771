-- SPDX-License-Identifier: GPL-3.0-or-later
-- Asks until both are the same; nil: given up.
local function ask_new(chat)
  while true do
    local first = chat:ask_secret("New passphrase: ")
    if not first or first:is_empty() then return nil end
    local second = chat:ask_secret("Once more: ")
    if not second then return nil end
    if second == first then return first end
    chat:print("The two differ. Again:")
  end
end

return {
  name = "passphrase", help = "changes the passphrase of your key", asks = true,
  run = function(chat)
    local old = chat:ask_secret("The present passphrase (empty: there is none): ")
    local new = old and ask_new(chat)
    if not new then error("the passphrase stays as it is", 0) end
    if old:is_empty() then old = nil end
    chat:call("identity.passphrase", { old = old, new = new })
    chat:print("Changed: from now on the new one opens your key.")
  end,
}
