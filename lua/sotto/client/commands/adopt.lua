-- SPDX-License-Identifier: GPL-3.0-or-later
local own_keys = require "sotto.client.own_keys"
local paths = require "sotto.core.paths"

-- The first start takes it before there is a prompt (welcome.lua); from then on the home has its key.
return {
  name = "adopt", args = "[KEY]", help = "takes a key of your own GnuPG, at the first start",
  more = "KEY is a number of the list, digits of the fingerprint, or something of the user id; without it you see " ..
    "the list.\nThe secret stays with your GnuPG or on your smart card. Others see the user id, mail address and all.",
  complete = function(chat) return own_keys.words(chat.candidates or {}) end,
  run = function(chat)
    local kind = chat:call("identity.show").adopted and ", one of your GnuPG's" or ""
    error(("this home has its key already%s, and keeps it. For another: '%s', and there /adopt instead of a name")
      :format(kind, paths.command "DIR"), 0)
  end,
}
