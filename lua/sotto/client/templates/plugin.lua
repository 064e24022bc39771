-- NAME: a plugin. It counts messages, and tells once a day how many there were.
--   sotto test NAME.lua                         runs its specs
--   sotto run --watch NAME.lua                  runs it here, and again whenever this file changes
--   sotto scripts load NAME.lua                 keeps it, also after the core's next start
local sotto = require "sotto"

local plugin = sotto.script {
  name = "NAME", version = "0.1", api = 1, help = "counts messages",
  needs = { "messages", "store", "timers" },
}

-- kept on every write
local store = plugin.store

plugin:on("message.received", function() store.count = (store.count or 0) + 1 end)

-- for the core's user: sotto scripts command NAME count
plugin:command("count", { help = "how many messages came" }, function()
  return ("%d so far"):format(store.count or 0)
end)

plugin:every("1d", function() plugin.log(("%d messages so far"):format(store.count or 0)) end)

plugin:health(function(h) h.ok(("%d counted"):format(store.count or 0)) end)
