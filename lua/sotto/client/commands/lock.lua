-- SPDX-License-Identifier: GPL-3.0-or-later
return {
  name = "lock", help = "locks your key: nothing is read, sent or received until /unlock",
  holds = true,
  run = function(chat)
    chat:call("identity.lock")
    chat:print("Locked.")
  end,
}
